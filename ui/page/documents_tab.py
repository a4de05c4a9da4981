"""The documents' tab: a place that the page's own script fills (static/documents.js) and keeps up to date."""

from __future__ import annotations

import gradio as gr

from ui.page.parts import Part, Tools

PLACE = "pc-documents"


def build(tools: Tools) -> Part:
    """Make the tab's components, inside the tab that is open."""
    del tools
    gr.Column(elem_id=PLACE)
    return Part()
