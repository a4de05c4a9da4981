"""An answer on a terminal while a language model writes it, and through a server as it streams."""

from __future__ import annotations

import io
import json
import signal
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pyte
import pytest
import wcwidth
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from loopback import served
from misbehaving_server import ModelServer, Script, good
from rich.console import Console
from terminal import Terminal

from index.corpus import Corpus
from index.errors import PolyciteError, UsageError, WorkError
from index.ownership import own
from index.settings import IndexSettings
from rag.answer import Answer, Token
from rag.api import create_app
from rag.asking import Ask
from rag.assistant import Assistant
from rag.settings import RagSettings
from ui import render
from ui.remote import RemoteAssistant

if TYPE_CHECKING:
    from index.embedder import Embedder

DOCUMENTS = {"harbour.txt": "The harbour of Elmsund was built in 1840. It has 37 lanterns and two cranes."}
QUESTION = "When was the harbour of Elmsund built?"
BUILT, LANTERNS = "The harbour of Elmsund was built in 1840 [1].", " It has 37 lanterns [1]."


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def settings(index_of: Callable[[Mapping[str, str]], IndexSettings], model: ModelServer) -> RagSettings:
    return RagSettings(
        index=index_of(DOCUMENTS),
        refusal_threshold=0,
        reader_model="off",
        llm_base_url=model.url,
        llm_model="served",
        llm_timeout_s=60,
        _env_file=None,
    )


@pytest.fixture(scope="module")
def assistant(settings: RagSettings, embedder: Embedder) -> Iterator[Assistant]:
    with Assistant(Corpus.open(settings.index, manifest_expected=None), embedder, settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def owned(
    assistant: Assistant, settings: RagSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The data directory of a server on the document above."""
    folder = tmp_path_factory.mktemp("owned")
    with own(folder, purpose="rag serve") as ownership, served(create_app(assistant, settings)) as address:
        ownership.announce(address)
        yield folder


def shown(answer: Answer, width: int) -> list[str]:
    """An answer as a terminal shows it that had it at once."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False
    )
    render.show_answer(console, answer)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


# -- on a terminal


@pytest.mark.parametrize("through_server", [True, False], ids=["through-a-server", "by-itself"])
def test_the_text_is_there_before_it_is_whole_and_then_stands_as_ever(
    owned: Path, settings: RagSettings, assistant: Assistant, model: ModelServer, through_server: bool
) -> None:
    gate = Event()
    model.behave(good(BUILT, LANTERNS, gate=gate))
    mine = {
        "RAG_LLM_BASE_URL": model.url,
        "RAG_LLM_MODEL": "served",
        "RAG_REFUSAL_THRESHOLD": "0",
        "RAG_READER_MODEL": "off",
    }
    data_dir, more = (owned, {}) if through_server else (settings.index.data_dir, mine)
    with Terminal("ask", QUESTION, data_dir=data_dir, **more) as terminal:
        terminal.wait_for(BUILT)
        assert not any("lanterns" in line for line in terminal.lines())
        gate.set()
        assert terminal.end() == 0
        expected = shown(assistant.answer(Ask(QUESTION)), 100)
        assert terminal.lines() == expected
        assert expected[:2] == ["1840", BUILT + LANTERNS]
        assert not terminal.screen.cursor.hidden


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(good(BUILT, " It was closed in 1999 by Ada Ek."), id="a-claim-of-its-own"),
        pytest.param(good("Ada Ek ", "has nine ", "boats in Paris."), id="nothing-that-the-documents-say"),
        pytest.param(good("NOT_IN_", "DOCUMENTS"), id="no-answer"),
        pytest.param(Script("cut", ("The harbour ", "of Elmsund ", "was built")), id="the-model-breaks-off"),
        pytest.param(good(*[f"{BUILT} Line {n} of many.\n" for n in range(8)]), id="longer-than-the-screen"),
    ],
)
def test_of_what_was_written_only_the_checked_answer_stays(
    owned: Path, assistant: Assistant, model: ModelServer, script: Script
) -> None:
    model.behave(Script(script.kind, script.pieces, pause_s=0.06))
    with Terminal("ask", QUESTION, data_dir=owned, width=40, height=8) as terminal:
        assert terminal.end() == 0
        assert terminal.lines() == shown(assistant.answer(Ask(QUESTION)), 40)


def test_a_terminal_that_gives_vowel_signs_a_column_keeps_nothing_of_the_writing(
    owned: Path, assistant: Assistant, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wide(character: str) -> int:
        return 1 if unicodedata.category(character) == "Mc" else wcwidth.wcwidth(character)

    monkeypatch.setattr(pyte.screens, "wcwidth", wide)
    gate = Event()
    model.behave(good("শহরের কথা কেনো বলা হয়নি " * 9, "কোনো খানে।", gate=gate))
    with Terminal("ask", QUESTION, data_dir=owned, width=40) as terminal:
        terminal.wait_for("শহরের")
        gate.set()
        assert terminal.end() == 0
        expected = shown(assistant.answer(Ask(QUESTION)), 40)
        assert "".join("".join(terminal.lines()).split()) == "".join("".join(expected).split())


def test_a_terminal_that_cannot_erase_gets_the_answer_alone(
    owned: Path, assistant: Assistant, model: ModelServer
) -> None:
    model.behave(good("The harbour ", "of Elmsund ", "was built in 1840 [1].", pause_s=0.06))
    with Terminal("ask", QUESTION, data_dir=owned, TERM="dumb") as terminal:
        assert terminal.end() == 0
        assert b"\x1b" not in terminal.received
        assert terminal.lines() == shown(assistant.answer(Ask(QUESTION)), 80), "of 80 columns, as rich has it"


def test_escape_sequences_are_harmless_also_when_cut_between_pieces(owned: Path, model: ModelServer) -> None:
    gate = Event()
    model.behave(
        good("Elmsund \x1b", "[2J\x1b]0;owned", "\x07\x9b", "31m\r", "\x1b[?1049", "h and so on.", gate=gate)
    )
    with Terminal("ask", QUESTION, data_dir=owned) as terminal:
        terminal.wait_for("Elmsund")
        gate.set()
        assert terminal.end() == 0
        received = terminal.received.decode()
        assert not any(harm in received for harm in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\x1b[?1049"))
        assert terminal.screen.title == ""


@pytest.mark.parametrize("command", ["ask", "chat"])
def test_ctrl_c_ends_the_writing_and_what_is_there_is_marked(
    owned: Path, model: ModelServer, command: str
) -> None:
    model.disconnected.clear()
    model.behave(good(BUILT, LANTERNS, gate=Event()))
    arguments = [QUESTION] if command == "ask" else []
    with Terminal(command, *arguments, data_dir=owned) as terminal:
        if command == "chat":
            terminal.wait_for(">")
            terminal.type(f"{QUESTION}\n")
        terminal.wait_for(BUILT)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
        assert terminal.lines()[-3:] == [
            BUILT,
            "(This is not the whole answer, and it was not checked against the documents.)",
            "rag: stopped",
        ]
        assert not terminal.screen.cursor.hidden
    assert model.disconnected.wait(60), "the model's server was let go"


# -- through a server


def streaming(*pieces: str) -> FastAPI:
    """A server whose answer is these pieces of a stream."""
    app = FastAPI()

    @app.post("/v1/ask")
    async def ask() -> StreamingResponse:
        return StreamingResponse((piece for piece in pieces), media_type="text/event-stream")

    return app


def event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


TOKEN = event("token", {"text": "It\u2028is\x85there"})


@pytest.mark.parametrize(
    ("pieces", "kind", "said"),
    [
        pytest.param([TOKEN], WorkError, "ended before its answer did", id="ended"),
        pytest.param(
            [TOKEN, event("error", {"status": 503, "detail": "another process uses it"})],
            WorkError,
            "another process uses it",
            id="failed",
        ),
        pytest.param(
            [TOKEN, event("error", {"status": 422, "detail": "ask otherwise"})],
            UsageError,
            "ask otherwise",
            id="refused",
        ),
        pytest.param([TOKEN, "event: answer\ndata: {no\n\n"], WorkError, "another format", id="no-json"),
        pytest.param([TOKEN, event("answer", {"id": 1})], WorkError, "another format", id="no-answer"),
    ],
)
def test_a_stream_without_an_answer_is_an_error_after_its_pieces(
    pieces: list[str], kind: type[PolyciteError], said: str
) -> None:
    cut = [letter for piece in pieces for letter in piece]
    with served(streaming(*cut)) as address, RemoteAssistant(address, answer_seconds=60) as remote:
        items = remote.stream(Ask("How?"))
        assert next(items) == Token("It\u2028is\x85there")
        with pytest.raises(kind, match=said):
            next(items)


def test_a_stream_through_a_server_is_that_of_the_assistant(
    owned: Path, assistant: Assistant, model: ModelServer
) -> None:
    model.behave(good("The harbour ", "of Elmsund ", "was built in 1840 [1]."))
    from index.ownership import owner_address

    with RemoteAssistant(str(owner_address(owned)), answer_seconds=60) as remote:
        *pieces, answer = remote.stream(Ask(QUESTION))
        *expected, same = assistant.stream(Ask(QUESTION))
        assert isinstance(answer, Answer)
        assert isinstance(same, Answer)
        assert pieces == expected
        assert (answer.answer, answer.citations) == (same.answer, same.citations)
        with pytest.raises(UsageError, match="the question is empty"):
            next(remote.stream(Ask("?!")))
