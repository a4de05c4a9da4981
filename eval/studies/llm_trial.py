"""A real model on a real server: what the assistant makes of it, and how much of what it writes the checks strike.

    make llm-trial            the model that the Makefile names
    python -m eval.studies.llm_trial FILE.gguf [--limit N] [--language en] [--out reports/llm-trial.md]

llama.cpp's server writes answers to questions of the gold set over the shipped documents; then a stream is stopped, two
questions are asked at once, the server is killed in the middle of an answer, and one is started whose context is too
small. Exit code 1 where one of these did not end as it should. A weak model is a good one here: what it writes is to be
caught, not read.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import click

from eval import cases, metrics
from eval.harness import shipped
from eval.records import Task
from eval.studies.llama_server import MODEL, LlamaServer, serving
from eval.target import Target
from index.embedder import Embedder, load_embedder
from index.errors import PolyciteError, WorkError
from index.language.sentences import split_sentences
from index.types import Document
from rag.answer import Answer, Token
from rag.asking import Ask
from rag.notices import notices_in
from rag.settings import RagSettings, load_settings

ENGINE = "llm"
# Fewer tokens than rules and question have together: nothing fits. Chosen.
_TOO_SMALL = 256
# Rules, passages and answer of a question in any script fit in it where `RAG_LLM_CONTEXT_TOKENS` is 400. Chosen.
_CONTEXT = 4096
# A server that shares its processor with other work may be silent for minutes. Chosen.
_PATIENCE_S = 600.0
_CELL = 240


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked, what the model wrote, and the answer that counts.

    Attributes:
        pieces: of its text, as they streamed before they were checked; (): it was not asked, or wrote nothing.
        first_s, whole_s: seconds until its first piece and until the answer; `first_s` None: there was no piece.
    """

    task: Task
    pieces: tuple[str, ...]
    answer: Answer
    first_s: float | None
    whole_s: float

    @property
    def written(self) -> str:
        """The model's text, before it was checked."""
        return "".join(self.pieces)

    @property
    def right(self) -> bool:
        """Whether the answer holds what is expected, or refuses where it must."""
        if self.task.must_refuse or self.answer.refused:
            return self.task.must_refuse and self.answer.refused
        return bool(metrics.answer_match(self.answer.answer, self.task.expected))

    @property
    def outcome(self) -> str:
        """What became of what the model wrote."""
        answer, notices = self.answer, notices_in(self.answer.language)
        if answer.refused:
            return "refused by the model" if answer.model else "refused before the model was asked"
        if answer.engine == ENGINE:
            return f"shown, {answer.grounding}"
        reasons = {
            "llm_unsupported": "not shown: the passages bear nothing of it out",
            "llm_language": "not shown: another language",
            "llm_failed": "not shown: the server failed",
        }
        return next(
            (told for name, told in reasons.items() if answer.notice == notices[name]),
            "answered before the model was asked",
        )

    def sentences(self) -> Counter[str]:
        """How many sentences the model wrote, and how many of them stand in the answer: `shown` and `marked`."""
        language = self.answer.language
        of_model = self.answer.engine == ENGINE and not self.answer.refused
        text = self.answer.answer if of_model else ""
        marked = text.count(notices_in(language)["unsupported"])
        written, kept = _sentences(self.written, language), _sentences(text, language)
        return Counter(written=written, shown=max(kept - marked, 0), marked=marked)


@dataclass(frozen=True, slots=True)
class Trial:
    """Something that was done to the server, what came of it, and whether that is as it should be."""

    name: str
    came: str
    held: bool


def _sentences(text: str, language: str) -> int:
    return len(split_sentences(Document("written", "", "", language, None, text, "text/plain")))


# -- asking


def ask(target: Target, task: Task, *, after_first: Callable[[], None] = lambda: None) -> Asked:
    """Ask one question; `after_first` is called once, when the first piece has come."""
    started = time.monotonic()
    first: float | None = None
    pieces: list[str] = []
    answer: Answer | None = None
    for item in target.stream(_ask_of(task)):
        if isinstance(item, Answer):
            answer = item
            continue
        pieces.append(item.text)
        if first is None:
            first = time.monotonic() - started
            after_first()
    if answer is None:
        raise WorkError("a stream ended without its answer")
    whole = time.monotonic() - started
    # What is quoted, or refused before the model was asked, streams too: then it is the answer itself.
    if answer.model is None and "".join(pieces) == answer.answer:
        first, pieces = None, []
    return Asked(task, tuple(pieces), answer, first, whole)


def _ask_of(task: Task) -> Ask:
    return Ask(task.question, history=task.history, documents=task.documents, engine=ENGINE)


# -- trials


def streamed(found: Sequence[Asked]) -> Trial:
    """Whether pieces came before the whole."""
    firsts = [(each.first_s, each.whole_s, len(each.pieces)) for each in found if each.first_s is not None]
    if not firsts:
        return Trial("streaming", "no answer of the model came", held=False)
    first, whole, pieces = (statistics.median(column) for column in zip(*firsts, strict=True))
    medians = f"{pieces:.0f} pieces, the first after {first:.1f} s, the answer after {whole:.1f} s"
    came = f"{len(firsts)} texts; medians: {medians}"
    return Trial("streaming", came, held=all(first < whole for first, whole, _ in firsts))


def stopped(target: Target, server: LlamaServer, task: Task) -> Trial:
    """Leave an answer after its first piece: no answer comes, and the server's work ends."""
    stop = threading.Event()
    with closing(cast("Any", target.stream(_ask_of(task), stop=stop))) as items:
        begun = isinstance(next(items), Token)
        stop.set()
        answers = [item for item in items if isinstance(item, Answer)]
    idle = server.becomes(busy=False)
    return Trial(
        "stop after the first piece",
        f"{len(answers)} answers; the server was idle after {idle:.1f} s",
        begun and not answers,
    )


def together(target: Target, tasks: Sequence[Task]) -> Trial:
    """Ask several questions at once: each gets its own answer, while the others are written."""
    found: dict[str, Asked] = {}

    def one(task: Task) -> None:
        found[task.id] = ask(target, task)

    started = time.monotonic()
    threads = [threading.Thread(target=one, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.monotonic() - started
    each = ", ".join(f"{asked.whole_s:.1f} s" for asked in found.values())
    held = len(found) == len(tasks) and all(
        asked.written and asked.answer.question == asked.task.question for asked in found.values()
    )
    return Trial(
        f"{len(tasks)} questions at once",
        f"{len(found)} answers after {each}; all after {whole:.1f} s",
        held,
    )


def killed(target: Target, server: LlamaServer, task: Task) -> Trial:
    """Kill the server after the first piece: the documents are quoted, with a line that says why."""
    asked = ask(target, task, after_first=server.kill)
    return Trial("the server dies in the middle of an answer", _fallen_back(asked), _fell_back(asked))


def overflown(target: Target, task: Task) -> Trial:
    """Ask a server whose context no question fits in: the documents are quoted, with a line that says why."""
    asked = ask(target, task)
    return Trial(
        f"a context of {_TOO_SMALL} tokens", _fallen_back(asked), _fell_back(asked) and not asked.written
    )


def _fallen_back(asked: Asked) -> str:
    answer = asked.answer
    quotes = f"{len(answer.citations)} quotes, grounding {answer.grounding}"
    return f"engine {answer.engine}, {quotes}, after {asked.whole_s:.1f} s; “{answer.notice or 'no notice'}”"


def _fell_back(asked: Asked) -> bool:
    answer = asked.answer
    failed = answer.notice == notices_in(answer.language)["llm_failed"]
    return answer.engine != ENGINE and failed and bool(answer.citations)


# -- the report


def report(found: Sequence[Asked], trials: Sequence[Trial], *, title: str) -> str:
    """All of it in Markdown."""
    total: Counter[str] = Counter()
    for each in found:
        total.update(each.sentences())
    struck = total["written"] - total["shown"] - total["marked"]
    outcomes = Counter(each.outcome for each in found)
    right = Counter(each.outcome for each in found if each.right)
    lines = [
        "# A language model's trial",
        "",
        title,
        "",
        "| what was done | what came | as it should |",
        "|---|---|---|",
        *(
            f"| {trial.name} | {_cell(trial.came)} | {'yes' if trial.held else '**no**'} |"
            for trial in trials
        ),
        "",
        f"Of {total['written']} sentences that it wrote, {total['shown']} are shown as they stand, {total['marked']} "
        f"are marked as not found, {struck} are not shown.",
        "",
        "| what became of its answer | questions | of these right |",
        "|---|---|---|",
        *(f"| {outcome} | {count} | {right[outcome]} |" for outcome, count in outcomes.most_common()),
        "",
        "| question | it wrote | what became of it | answer | right |",
        "|---|---|---|---|---|",
        *(
            f"| {_cell(each.task.question)} | {_cell(each.written)} | {each.outcome} | {_cell(each.answer.answer)} "
            f"| {'yes' if each.right else 'no'} |"
            for each in found
        ),
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "\\|")
    return plain if len(plain) <= _CELL else f"{plain[:_CELL]} ..."


# -- all of it


@contextmanager
def _served(
    weights: Path, settings: RagSettings, embedder: Embedder, *, context: int, slots: int, threads: int
) -> Iterator[tuple[LlamaServer, Target]]:
    """A server, and the assistant over the shipped documents that it writes for."""
    with serving(weights, context=context, slots=slots, threads=threads) as server:
        own = settings.model_copy(update={"llm_base_url": server.url, "llm_model": MODEL})
        with shipped(own, embedder, settings.index.seeds_dir) as target:
            yield server, target


def _tasks(target: Target, language: str, limit: int) -> list[Task]:
    """Questions of the gold set in one language, spread over it."""
    gold = [case for case in cases.read_cases(cases.GOLD) if case.language == language]
    every = max(len(gold) // limit, 1)
    return cases.tasks(gold[::every][:limit], target.documents())


@click.command(help=__doc__)
@click.argument("weights", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", default=20, show_default=True, help="Questions.", type=click.IntRange(2))
@click.option("--language", default="en", show_default=True, help="Of the questions, ISO 639-1.")
@click.option("--threads", default=1, show_default=True, help="Of the server.")
@click.option(
    "--out", default=Path("reports/llm-trial.md"), show_default=True, type=click.Path(path_type=Path)
)
def main(weights: Path, limit: int, language: str, threads: int, out: Path) -> None:
    """Try it and write the report."""
    settings = load_settings().model_copy(update={"llm_timeout_s": _PATIENCE_S})
    served = partial(_served, weights, settings, load_embedder(settings.index), threads=threads)
    found: list[Asked] = []
    with served(context=_CONTEXT, slots=2) as (server, target):
        tasks = _tasks(target, language, limit)
        for number, task in enumerate(tasks, start=1):
            found.append(ask(target, task))
            click.echo(f"{number}/{len(tasks)} {found[-1].outcome}, {found[-1].whole_s:.1f} s", err=True)
        written = [each.task for each in found if each.written]
        if len(written) < 2:
            raise WorkError("the model wrote to fewer than two questions; try a larger --limit")
        trials = [streamed(found), stopped(target, server, written[0]), together(target, written[:2])]
        trials.append(killed(target, server, written[0]))
    with served(context=_TOO_SMALL, slots=1) as (_, target):
        trials.append(overflown(target, written[0]))
    title = (
        f"`{weights.name}` behind llama.cpp's server; {len(found)} questions of the gold set in `{language}` over the "
        f"shipped documents, {settings.llm_context_tokens} tokens of passages, {settings.llm_answer_tokens} of answer."
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report(found, trials, title=title), encoding="utf-8")
    click.echo(f"{out} written", err=True)
    sys.exit(0 if all(trial.held for trial in trials) else 1)


if __name__ == "__main__":
    try:
        main()
    except PolyciteError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
