"""What the page's own script asks of the server: its files, its words, kept answers as HTML, an export.

Questions and ratings go to `/v1/ask` and `/v1/feedback` like everybody's, with their limits.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.api.declared import declares
from rag.api.page_language import reader_language
from rag.api.schemas import AnswerOut
from ui.answer_html import Viewer
from ui.page.export import conversation_markdown
from ui.page.start import Start
from ui.page.turns import answer_html, received

if TYPE_CHECKING:
    from rag.answer import Answer
    from ui.page.parts import Tools

PREFIX = "/chat"
MOST_TURNS = 50
"""Answers of one request; the page sends further ones in another."""

_FOLDER = Path(__file__).parent
_FRESH = {"Cache-Control": "no-store"}
_MAX_CITATIONS = 100


class KeptTurn(BaseModel):
    """A turn as a browser kept it; `answer` is checked on its own, so that a broken one spoils no other."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field("", max_length=100_000)
    answer: dict[str, Any] | None = None
    day: date | None = None
    partly: bool = False


class Kept(BaseModel):
    """Turns of a conversation that a browser kept."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=1000)
    turns: Annotated[list[KeptTurn], Field(max_length=1000)]


def add(app: FastAPI, tools: Tools) -> None:
    """Add the routes to an application, before the page itself is mounted."""
    start = Start(tools)
    corpus = tools.corpus
    translator = None if tools.settings.translator_url == "off" else tools.settings.translator_url

    @app.get(f"{PREFIX}/start", include_in_schema=False)
    @declares("read")
    def begin(request: Request, response: Response) -> dict[str, Any]:
        response.headers.update(_FRESH)
        return start.of(request)

    @app.post(f"{PREFIX}/turns", include_in_schema=False)
    @declares("read")
    def turns(kept: Kept, request: Request, response: Response) -> list[str | None]:
        """Each answer as HTML, None for one that is none."""
        response.headers.update(_FRESH)
        language = reader_language(request.headers)
        shown: list[str | None] = []
        for turn in kept.turns[:MOST_TURNS]:
            answer = _answer(turn)
            viewer = Viewer(
                language=language, translator=translator, day=turn.day or _today(), partly=turn.partly
            )
            shown.append(None if answer is None else answer_html(answer, corpus, viewer))
        return shown

    @app.post(f"{PREFIX}/export", include_in_schema=False)
    @declares("read")
    def export(kept: Kept, request: Request) -> Response:
        exchanges = [(turn.question, _answer(turn)) for turn in kept.turns]
        text = conversation_markdown(
            kept.title, exchanges, language=reader_language(request.headers), day=_today()
        )
        return Response(text, media_type="text/markdown; charset=utf-8", headers=_FRESH)

    app.mount(
        f"{PREFIX}/static", declares("read")(GZipMiddleware(_Files(_FOLDER / "static", cache="no-cache")))
    )
    app.mount(f"{PREFIX}/fonts", _Files(_FOLDER / "fonts", cache="max-age=604800"))


@declares("read")
class _Files(StaticFiles):
    """A folder's files with their Cache-Control: without one, browsers keep yesterday's script after an upgrade."""

    def __init__(self, folder: Path, *, cache: str) -> None:
        super().__init__(directory=folder)
        self._cache = cache

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = self._cache
        return response


def _answer(turn: KeptTurn) -> Answer | None:
    if turn.answer is None:
        return None
    try:
        sent = AnswerOut.model_validate({"notice": None, **turn.answer})
    except ValidationError:
        return None
    return received(sent) if len(sent.citations) <= _MAX_CITATIONS else None


def _today() -> date:
    return datetime.now(UTC).date()
