"""The page's frame: header, tabs, and what is mounted at `/`."""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

# Read when gradio is imported: nothing is reported to anyone.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from index.language.lexicon import FALLBACK, languages
from rag.api.declared import declares
from rag.api.page_language import reader_language
from rag.assistant import MODEL_JOBS
from ui.labels import labels_in
from ui.page import chat_tab, documents_routes, documents_tab, doors, routes
from ui.page.parts import Part, Tools

if TYPE_CHECKING:
    from fastapi import FastAPI

    from index.corpus import Corpus
    from index.intake import Intake
    from rag.settings import RagSettings

TITLE = "polycite"
RELABEL = "pc-relabel"
"""Id of the hidden button that the page's script presses when its reader chose another language."""

_WAITING = 64
_HEAD = """
<link rel="stylesheet" href="chat/static/page.css">
<link rel="stylesheet" href="chat/static/chat.css">
<link rel="stylesheet" href="chat/static/documents.css">
<script type="module" src="chat/static/page.js"></script>
"""


def mount(app: FastAPI, corpus: Corpus, settings: RagSettings, *, intake: Intake | None = None) -> FastAPI:
    """Put the page at `/` of an application, behind its middleware; `intake` as for `rag.api.create_app`."""
    tools = Tools(corpus=corpus, settings=settings, intake=intake)
    doors.close(app)
    routes.add(app, tools)
    documents_routes.add(app, tools)

    async def mounted() -> FastAPI:
        return _mounted(app, tools)

    # Within a running loop: where there is none, Gradio makes several that nobody closes. In a thread: the caller may
    # have a loop of its own.
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(lambda: asyncio.run(mounted())).result()
    declares("read")(_page_app(made))
    return made


def close_streams(app: FastAPI) -> None:
    """End the connections that open pages keep, so that a server that stops need not wait for them."""
    _page_app(app).stop_event.set()


def _page_app(app: FastAPI) -> gr.routes.App:
    """Gradio's own application, which is mounted in ours."""
    found = (getattr(route, "app", None) for route in app.routes)
    return next(each for each in found if isinstance(each, gr.routes.App))


def build_page(tools: Tools) -> gr.Blocks:
    """Return the page. Its script fills the header and the chat; the documents' tab has components of its own."""
    labels = labels_in(FALLBACK)  # until the page has said which language its reader prefers
    page: gr.Blocks
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as page:
        gr.Column(elem_id="pc-header")
        with gr.Tabs(elem_id="pc-tabs"):
            with gr.Tab(labels["tab_chat"], id="chat", elem_id="pc-tab-chat") as chat:
                chat_tab.build()
            with gr.Tab(labels["tab_documents"], id="documents", elem_id="pc-tab-documents") as documents:
                part = documents_tab.build(tools)
        switch = gr.Button(visible="hidden", elem_id=RELABEL)
        _wire(page, switch, chat=chat, documents=documents, part=part)
    page.queue(max_size=_WAITING, default_concurrency_limit=MODEL_JOBS)
    return page


def _wire(page: gr.Blocks, switch: gr.Button, *, chat: gr.Tab, documents: gr.Tab, part: Part) -> None:
    # Not with Gradio's own I18n: it leaves languages alone that Gradio itself is not translated to.
    def relabel(request: gr.Request) -> list[Any]:
        language = reader_language(request.headers)
        labels = labels_in(language)
        return [
            gr.Tab(labels["tab_chat"]),
            gr.Tab(labels["tab_documents"]),
            *part.update(labels, language, request),
        ]

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    outputs = [chat, documents, *part.outputs]
    # Not the tab that is shown: this comes a moment after the page, when its reader may have chosen one.
    page.load(relabel, outputs=outputs, **hidden)
    switch.click(relabel, outputs=outputs, **hidden)


def _mounted(app: FastAPI, tools: Tools) -> FastAPI:
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_page(tools),
        path="/",
        # Off: reports of errors in the page, other sites' pictures in link previews, a second API, saved runs, files.
        show_error=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        max_file_size=1,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        theme=_theme(),
        head=_HEAD + _silence(),
    )
    return mounted


def _silence() -> str:
    """What the page says in each language while the server does not answer (static/silence.js)."""
    words = {language: labels_in(language)["service_silent"] for language in languages()}
    # A script's content ends at the first "</": there is none to come, whatever a table holds.
    data = json.dumps(words, ensure_ascii=False).replace("<", r"\u003c")
    return f'<script type="application/json" id="pc-silence">{data}</script>\n'


def _theme() -> gr.themes.Base:
    # The system's own fonts, with ours for the scripts that it may lack (static/page.css); nothing is fetched.
    families = ("polycite", "system-ui", "sans-serif")
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    return gr.themes.Default(
        primary_hue="blue",
        neutral_hue="slate",
        font=[gr.themes.Font(name) for name in families],
        font_mono=mono,
    )
