"""`rag ask` and `rag chat`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from index.errors import UsageError
from index.ownership import owner
from rag import engines
from rag.answer import Answer, Turn
from rag.asking import Answering, Ask
from rag.settings import RagSettings, load_settings
from ui import render
from ui.asking_file import ask_file
from ui.opening import open_index, open_server
from ui.progress import working
from ui.writing import can_show_writing, show_writing

# Turns of a conversation that are sent along with the next question.
_HISTORY_TURNS = 20

_Command = Callable[..., None]
_ANSWER_OPTIONS: tuple[Callable[[_Command], _Command], ...] = (
    click.option("--engine", type=click.Choice(engines.names()), help="Who writes the answer."),
    click.option(
        "-d",
        "--document",
        "documents",
        multiple=True,
        metavar="ID",
        help="Look only into this document; repeatable.",
    ),
    click.option(
        "-l",
        "--language",
        "languages",
        multiple=True,
        metavar="CODE",
        help="Look only into documents in this language (bn, hi, sv, ...); repeatable.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON."),
)


def _answer_options(command: _Command) -> _Command:
    for option in _ANSWER_OPTIONS:
        command = option(command)
    return command


@click.command()
@click.argument("question", required=False)
@click.option(
    "--file",
    "questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Ask every line of this file: JSON with `question` and, if you like, `id`, or the question alone.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the answers of --file go, a line of JSON each; questions that it answers already are passed over.",
)
@_answer_options
def ask(
    *,
    question: str | None,
    questions: Path | None,
    out: Path | None,
    as_json: bool,
    languages: tuple[str, ...],
    documents: tuple[str, ...],
    engine: str | None,
) -> None:
    """Answer QUESTION from the documents, with citations. `-` reads it from standard input."""
    if questions is not None and question is None:
        asked_before = Ask("", languages=_codes(languages), documents=documents or None, engine=engine)
        with _answering(load_settings(), purpose="rag ask") as answering:
            failed = ask_file(answering, questions, out, like=asked_before)
        sys.exit(1 if failed else 0)
    if question is None or questions is not None or out is not None:
        raise UsageError("give a question, or --file QUESTIONS, to which --out belongs")
    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise UsageError("the question is empty: ask in words")
    with _answering(load_settings(), purpose="rag ask") as answering:
        asked = Ask(_clean(text), languages=_codes(languages), documents=documents or None, engine=engine)
        answer = _answer(answering, asked, as_json=as_json)
    _show(answer, as_json=as_json)


@click.command()
@_answer_options
@click.pass_context
def chat(
    ctx: click.Context,
    as_json: bool,
    languages: tuple[str, ...],
    documents: tuple[str, ...],
    engine: str | None,
) -> None:
    """Ask question after question; each may lean on those before it. An empty line ends it.

    Questions may also come from a file or a pipe, one a line.
    """
    history: list[Turn] = []
    failed = False
    with _answering(load_settings(), purpose="rag chat") as answering:
        for question in _questions():
            try:
                asked = Ask(
                    question,
                    history=tuple(history[-_HISTORY_TURNS:]),
                    languages=_codes(languages),
                    documents=documents or None,
                    engine=engine,
                )
                answer = _answer(answering, asked, as_json=as_json)
            except UsageError as error:  # the question's fault: the next one may be better
                click.echo(f"rag: {error}", err=True)
                failed = True
                continue
            _show(answer, as_json=as_json)
            if not as_json:
                click.echo()
            history += [Turn("user", question), Turn("assistant", answer.answer)]
    ctx.exit(1 if failed else 0)


def _questions() -> Iterator[str]:
    """Lines from the person at the terminal, or from whatever standard input is, until an empty one."""
    prompt = "> " if sys.stdin.isatty() and sys.stdout.isatty() else ""
    if prompt:
        import readline  # noqa: F401 - gives `input` a line that can be edited, and a memory
    while True:
        try:
            line = input(prompt)
        except (EOFError, KeyboardInterrupt):
            if prompt:
                click.echo()
            return
        if not line.strip():
            return
        yield _clean(line)


@contextlib.contextmanager
def _answering(settings: RagSettings, *, purpose: str) -> Iterator[Answering]:
    """The server that owns the data directory, else the index itself, read beside other readers.

    Raises:
        IndexBusy: a command that does not serve owns the directory.
    """
    held = owner(settings.index.data_dir)
    if held is not None and held.address is not None:
        with open_server(settings, held.address) as remote:
            yield remote
        return
    with working("loading the model"):
        assistant = open_index(settings, held, purpose=purpose)
    with assistant:
        yield assistant


def _answer(answering: Answering, ask: Ask, *, as_json: bool) -> Answer:
    """The answer; a person at a terminal sees it being written meanwhile."""
    if as_json or not sys.stdout.isatty():
        return answering.answer(ask)
    console = render.terminal()
    if not can_show_writing(console):
        return answering.answer(ask)
    return show_writing(console, answering.stream(ask))


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False))
        return
    render.show_answer(render.terminal(), answer)


def _codes(languages: Sequence[str]) -> tuple[str, ...] | None:
    """Language codes as the index writes them; None for none."""
    return tuple(code.strip().lower() for code in languages) or None


def _clean(question: str) -> str:
    """A question without the lone surrogates that stand for bytes which are not UTF-8."""
    return question.strip().encode("utf-8", "surrogateescape").decode("utf-8", "replace")
