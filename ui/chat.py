"""The chat page: Gradio over the same assistant that the API uses. The only file that imports gradio.

A conversation lives in the session's own state on the server and ends with it; the page gets HTML that
`ui.answer_html` has made safe.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Read when gradio is imported: nothing is reported to anyone.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI
from gradio.components.chatbot import ExampleMessage

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from index.errors import PolyciteError
from index.lexicon import FALLBACK, lexicon
from rag.answer import Answer, Citation, Turn
from rag.api.accept_language import page_language
from rag.assistant import MODEL_JOBS, Assistant
from ui.answer_html import Passage, answer_html, note_html, partial_html, plain, question_html
from ui.names import language_name

_STYLES = Path(__file__).with_name("chat.css")
_TITLE = "polycite"

# Turns of a conversation that go along with the next question, as on the command line.
_HISTORY_TURNS = 20
_KEPT_EXCHANGES = 100
_EXAMPLES = 4
_EXAMPLE_CHARACTERS = 90
# Between updates of the page while an answer is written.
_UPDATE_SECONDS = 0.15
_SESSION_SECONDS = 12 * 3600
_WAITING = 64

# A new answer is read from its question on, so that is what comes to the top, not the end of the last source.
_SCROLL = """<script>
(() => {
  let shown = 0;
  new MutationObserver(() => {
    const questions = document.querySelectorAll(".pc-question");
    const parts = questions.length + document.querySelectorAll(".pc-sources, .pc-note").length;
    if (parts > shown) questions[questions.length - 1]?.scrollIntoView({block: "start"});
    shown = parts;
  }).observe(document, {childList: true, subtree: true});
})();
</script>"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what came of it: an answer, or the words that say why there is none."""

    question: str
    answer: Answer | None
    page: str


Conversation = tuple[Exchange, ...]
Message = dict[str, Any]


def mount_chat(app: FastAPI, assistant: Assistant) -> FastAPI:
    """Put the chat page at `/` of an application, behind its middleware."""

    async def mounted() -> FastAPI:
        return _mounted(app, assistant)

    # Within a running loop: where there is none, Gradio makes several that nobody closes.
    return asyncio.run(mounted())


def _mounted(app: FastAPI, assistant: Assistant) -> FastAPI:
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_page(assistant),
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
        css=_STYLES.read_text(encoding="utf-8"),
        head=_SCROLL,
    )
    return mounted


def close_streams(app: FastAPI) -> None:
    """End the connections that open pages keep, so that a server that stops need not wait for them."""
    for route in app.routes:
        mounted = getattr(route, "app", None)
        if isinstance(mounted, gr.routes.App):
            mounted.stop_event.set()


def build_page(assistant: Assistant) -> gr.Blocks:
    """Return the page. Its events run in a thread pool, as many at once as the API's model work."""
    labels = lexicon(FALLBACK).labels  # until the page has said which language its reader prefers
    page: gr.Blocks
    with gr.Blocks(title=_TITLE, fill_height=True, analytics_enabled=False) as page:
        with gr.Row(elem_classes="pc-header"):
            gr.Markdown(f"# {_TITLE}", elem_classes="pc-name")
            fresh = gr.Button(labels["fresh"], size="sm", variant="secondary", elem_classes="pc-fresh")
        conversation = gr.State((), time_to_live=_SESSION_SECONDS)
        chat = gr.Chatbot(
            show_label=False,
            container=False,
            layout="bubble",
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            allow_tags=False,
            line_breaks=False,
            group_consecutive_messages=False,
            height=None,
            autoscroll=False,  # see _SCROLL
            elem_classes="pc-chat",
        )
        question = gr.Textbox(
            placeholder=labels["placeholder"],
            show_label=False,
            container=False,
            submit_btn=labels["ask"],
            autofocus=True,
            lines=1,
            max_lines=6,
            elem_classes="pc-ask",
        )
        _wire(page, assistant, chat=chat, question=question, conversation=conversation, fresh=fresh)
    page.queue(max_size=_WAITING, default_concurrency_limit=MODEL_JOBS)
    return page


def _wire(
    page: gr.Blocks,
    assistant: Assistant,
    *,
    chat: gr.Chatbot,
    question: gr.Textbox,
    conversation: gr.State,
    fresh: gr.Button,
) -> None:
    def welcome(request: gr.Request) -> tuple[gr.Chatbot, gr.Textbox, gr.Button]:
        # Not with Gradio's own I18n: it leaves languages alone that Gradio itself is not translated to.
        language = _asked_for(request)
        labels = lexicon(language).labels
        examples: list[ExampleMessage] = [
            {"text": text, "display_text": shown} for text, shown in example_questions(assistant.corpus)
        ]
        return (
            gr.Chatbot(placeholder=_placeholder(assistant.corpus, language), examples=examples),
            gr.Textbox(placeholder=labels["placeholder"], submit_btn=labels["ask"]),
            gr.Button(labels["fresh"]),
        )

    def ask(text: str, past: Conversation, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from reply(assistant, text, past, _asked_for(request))

    def chosen(past: Conversation, event: gr.SelectData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        text = event.value["text"] if isinstance(event.value, dict) else str(event.value)
        yield from reply(assistant, text, past, _asked_for(request))

    outputs = [question, chat, conversation]
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    page.load(welcome, outputs=[chat, question, fresh], **hidden)
    question.submit(ask, [question, conversation], outputs, **hidden)
    chat.example_select(chosen, [conversation], outputs, **hidden)
    for start_over in (fresh.click, chat.clear):
        start_over(lambda: ("", [], ()), outputs=outputs, queue=False, **hidden)


def _asked_for(request: gr.Request) -> str:
    return page_language(request.headers.get("accept-language"))


# -- a conversation


def reply(
    assistant: Assistant, text: str, past: Conversation, language: str
) -> Iterator[tuple[Any, list[Message], Conversation]]:
    """Answer a question, step by step: the text of the question's box, the messages shown, the conversation.

    Args:
        assistant: who answers.
        text: the question as typed; one without words changes nothing.
        past: the conversation so far.
        language: in which the page reports a failure.
    """
    text = text.strip()
    if not text:
        yield "", messages(past), past
        return
    shown = [*messages(past), _user(text)]
    yield "", shown, past
    written, updated = "", time.monotonic()
    answer = None
    try:
        for item in assistant.stream(text, history=turns(past)):
            if isinstance(item, Answer):
                answer = item
                break
            written += item.text
            if time.monotonic() - updated >= _UPDATE_SECONDS:
                updated = time.monotonic()
                yield "", [*shown, _assistant(partial_html(written, language))], past
    except PolyciteError as error:
        # The question goes back into its box: the remedy is often to ask it in other words.
        failed = note_html(lexicon(language).labels["failed"].format(detail=error))
        yield text, [*shown, _assistant(failed)], past
        return
    if answer is None:
        return
    page = answer_html(answer, lambda citation: passage(assistant.corpus, citation))
    now = (*past, Exchange(text, answer, page))[-_KEPT_EXCHANGES:]
    yield "", messages(now), now


def turns(past: Conversation) -> list[Turn]:
    """Return the conversation as the assistant takes it, the latest turns only."""
    found: list[Turn] = []
    for exchange in past:
        found.append(Turn("user", exchange.question))
        if exchange.answer is not None:
            found.append(Turn("assistant", exchange.answer.answer))
    return found[-_HISTORY_TURNS:]


def messages(past: Conversation) -> list[Message]:
    """Return the conversation as the page shows it."""
    return [each for exchange in past for each in (_user(exchange.question), _assistant(exchange.page))]


def passage(corpus: Corpus, citation: Citation) -> Passage:
    """Return the words before a quote in its passage, the quote, and the words after it.

    Where the document is gone since, the quote stands alone.
    """
    for chunk in corpus.chunks_of(citation.document_id):
        if chunk.start <= citation.start and citation.end <= chunk.end:
            start, end = citation.start - chunk.start, citation.end - chunk.start
            return chunk.text[:start], chunk.text[start:end], chunk.text[end:]
    return "", citation.quote, ""


def _user(text: str) -> Message:
    return {"role": "user", "content": question_html(text)}


def _assistant(page: str) -> Message:
    return {"role": "assistant", "content": page}


# -- an empty page


def example_questions(corpus: Corpus) -> list[tuple[str, str]]:
    """Return questions about the first few sources, each in its document's language, with a shorter form to show."""
    found = []
    for info in _different(corpus.documents(limit=200)):
        template = lexicon(info.language).labels["example"]
        shown = info.title
        if len(shown) > _EXAMPLE_CHARACTERS:
            shown = shown[: _EXAMPLE_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
        found.append((template.format(title=info.title), template.format(title=shown)))
    return found


def _different(infos: list[DocumentInfo]) -> list[DocumentInfo]:
    """A few documents in as many languages, and of as many sources, as there are."""
    chosen: list[DocumentInfo] = []
    rest = list(infos)
    while rest and len(chosen) < _EXAMPLES:
        seen = [info.language for info in chosen]
        sources = [info.source_url for info in chosen if info.source_url]
        best = min(rest, key=lambda info: (seen.count(info.language), sources.count(info.source_url or "")))
        chosen.append(best)
        rest.remove(best)
    return chosen


def _placeholder(corpus: Corpus, language: str) -> str:
    table = lexicon(language)
    codes = sorted({info.language for info in corpus.documents(limit=10_000)})
    names = ", ".join(language_name(code, shown_in=language) for code in codes)
    return (
        f'<div class="pc-welcome"><div class="pc-tagline">{plain(table.labels["tagline"])}</div>'
        f'<div class="pc-indexed">{plain(names)}</div></div>'
    )


def _theme() -> gr.themes.Base:
    # The system's own fonts: they draw every script the reader's machine knows, and nothing is fetched.
    font = [gr.themes.Font(name) for name in ("system-ui", "sans-serif")]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
    return gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=font, font_mono=mono)
