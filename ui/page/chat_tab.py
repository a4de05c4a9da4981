"""The chat's tab: an empty place that the page's own script fills (`static/chat.js`)."""

from __future__ import annotations

import gradio as gr

ROOT = "pc-chat"
"""Id of the place."""


def build() -> None:
    """Make the place, inside the tab that is open."""
    gr.Column(elem_id=ROOT)
