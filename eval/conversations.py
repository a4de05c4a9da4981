"""Conversations: turn after turn with the assistant's own answers between, and whether each turn came out right.

    python -m eval.conversations [--split mend|score] [--wrong] [--markdown FILE]

A set of its own (`eval/gold/conversations.jsonl`, over the files of `eval/gold/documents`): documents that look alike,
asked partly in another language. Half of the conversations, `mend`, may be read to find kinds of faults; the others,
`score`, are only looked at as a number. `rag eval` reports both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval import statistics
from eval.cases import CONVERSATIONS, GOLD, Name, Text, faults_of, lines_of, parse_object
from eval.harness import shipped
from eval.metrics import short_answer_match
from eval.records import Estimate
from eval.target import Target
from eval.text import fold
from index.embedder import load_embedder
from index.errors import UsageError
from rag.answer import Intent, Turn
from rag.asking import Ask
from rag.notices import notices_in
from rag.settings import load_settings

DOCUMENTS = GOLD / "documents"
"""What the shipped conversations are about."""

Split = Literal["mend", "score"]
METRIC = "turns_right"
BELOW = "<!-- Written by `python -m eval.conversations --markdown docs/conversation.md`. -->"
"""What stands before a transcript."""


class _Strict(BaseModel):
    # A misspelt key that is silently ignored would change what is measured.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Expected(_Strict):
    """What is right for a turn.

    Attributes:
        intent: what the turn wants.
        refuse: the documents do not say.
        quote: words of which each stands in a citation, the first ones in the first citation.
        document: file of the first citation.
        short: the short answer, where one is given, is one of these.
        verdict: what a question for yes or no is answered, where it is answered by that.
    """

    intent: Intent = "question"
    refuse: bool = False
    quote: list[Text] = Field(default_factory=list)
    document: Name | None = None
    short: list[Text] = Field(default_factory=list)
    verdict: Literal["yes", "no"] | None = None


class Said(_Strict):
    """A turn of the user."""

    language: Text
    say: Text
    expect: Expected
    tags: list[Name] = Field(default_factory=list)


class Conversation(_Strict):
    """A conversation of the set, one line of its file."""

    id: Name
    kind: Literal["conversation"]
    split: Split
    turns: Annotated[list[Said], Field(min_length=2)]


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn, what came back (the answer schema), and what is wrong with that; `fault` is "" where nothing is."""

    conversation: str
    split: Split
    said: Said
    answer: Mapping[str, Any]
    fault: str


def read_conversations(path: Path = CONVERSATIONS) -> list[Conversation]:
    """The conversations of a file, in order.

    Raises:
        UsageError: a line is none; the text begins with "FILE:LINE:".
    """
    found: list[Conversation] = []
    for number, text in lines_of(path):
        where = f"{path}:{number}"
        try:
            found.append(Conversation.model_validate(parse_object(text, where=where)))
        except ValidationError as error:
            raise UsageError(f"{where}: {'; '.join(faults_of(error).values())}") from error
    if not found:
        raise UsageError(f"{path} holds no conversation; write one JSON object a line")
    return found


def check_conversations(conversations: Iterable[Conversation], texts: Mapping[str, str]) -> list[str]:
    """Every fault of a set beside its documents (file name -> text): a file or quoted words that are not there."""
    faults = []
    for conversation in conversations:
        for number, said in enumerate(conversation.turns, start=1):
            where = f"{conversation.id}, turn {number}"
            named = said.expect.document
            if named is not None and named not in texts:
                faults.append(f"{where}: there is no document {named}")
            faults += [
                f"{where}: {quote!r} stands in no document"
                for quote in said.expect.quote
                if not any(quote in text for text in texts.values())
            ]
    return faults


def hold(
    target: Target,
    conversations: Sequence[Conversation],
    *,
    engine: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Answered]:
    """Hold conversations with a target, the answers that it gives between the turns."""
    paths = {document.id: Path(document.path).name for document in target.documents()}
    total = sum(len(conversation.turns) for conversation in conversations)
    found: list[Answered] = []
    for conversation in conversations:
        history: list[Turn] = []
        for said in conversation.turns:
            answer = target.answer(Ask(said.say, history=tuple(history), engine=engine)).to_dict()
            fault = judged(said.expect, answer, paths, language=said.language)
            found.append(Answered(conversation.id, conversation.split, said, answer, fault))
            history += [Turn("user", said.say), Turn("assistant", answer["answer"])]
            progress(len(found), total)
    return found


def judged(expect: Expected, answer: Mapping[str, Any], paths: Mapping[str, str], *, language: str) -> str:
    """What is wrong with an answer; "" when it is right.

    Args:
        answer: the answer schema.
        paths: document id -> file name.
        language: of the turn.
    """
    if answer["intent"] != expect.intent:
        return f"taken for {answer['intent']}"
    if expect.intent != "question":
        return ""
    if bool(answer["refused"]) != expect.refuse:
        return "refused" if answer["refused"] else "not refused"
    if expect.refuse:
        return ""
    if answer["standalone_question"].count("“") > 1:
        return "the topic is nested"
    return _of_quotes(expect, answer["citations"], paths) or _of_words(expect, answer, language)


def _of_quotes(expect: Expected, citations: Sequence[Mapping[str, Any]], paths: Mapping[str, str]) -> str:
    quotes = [citation["quote"] for citation in citations]
    missing = [words for words in expect.quote if not any(fold(words) in fold(quote) for quote in quotes)]
    if missing:
        return f"not quoted: {missing[0]}"
    if expect.quote and fold(expect.quote[0]) not in fold(quotes[0]):
        return f"not quoted first: {expect.quote[0]}"
    if expect.document is not None and paths.get(citations[0]["document_id"]) != expect.document:
        return "quoted from another document"
    return ""


def _of_words(expect: Expected, answer: Mapping[str, Any], language: str) -> str:
    short, verdict = answer["short_answer"], verdict_of(answer, language)
    if expect.verdict is not None:
        return f"says {verdict}" if verdict not in {None, expect.verdict} else ""
    quoted = answer["citations"][0]["language"] if answer["citations"] else language
    if expect.short and short and not short_answer_match(short, expect.short, language=quoted):
        return f"short answer {short}"
    return ""


def verdict_of(answer: Mapping[str, Any], language: str) -> Literal["yes", "no"] | None:
    """The verdict that an answer gives in its short answer; None without one."""
    short, notices = fold(answer["short_answer"] or ""), notices_in(language)
    said: tuple[Literal["yes", "no"], ...] = ("yes", "no")
    return next((name for name in said if short == fold(notices[name])), None)


def estimates(found: Sequence[Answered], *, seed: int = 0) -> dict[str, Estimate]:
    """The share of turns that are right, over all and of each split, resampled by conversation."""
    groups = {METRIC: list(found)} | {
        f"{METRIC}.{split}": [turn for turn in found if turn.split == split] for split in ("mend", "score")
    }
    return {
        name: statistics.estimate(
            [float(not turn.fault) for turn in turns], [turn.conversation for turn in turns], seed=seed
        )
        for name, turns in groups.items()
        if turns
    }


def by_tag(found: Sequence[Answered]) -> dict[str, tuple[int, int]]:
    """Tag -> how many turns with it are right, and how many there are."""
    tags = sorted({tag for turn in found for tag in turn.said.tags})
    return {
        tag: (
            sum(not turn.fault for turn in found if tag in turn.said.tags),
            sum(tag in turn.said.tags for turn in found),
        )
        for tag in tags
    }


def transcript(found: Sequence[Answered]) -> str:
    """Conversations as Markdown: each turn in bold, what came back, how sure it is, and what is wrong with it."""
    lines: list[str] = []
    for number, turn in enumerate(found):
        if number == 0 or found[number - 1].conversation != turn.conversation:
            lines += [f"### {turn.conversation}", ""]
        answer = turn.answer
        state = answer["confidence"] if answer["intent"] == "question" else answer["intent"]
        state = "refused" if answer["refused"] else state
        remark = f" **Wrong:** {turn.fault}." if turn.fault else ""
        said = [f"> {line}" for line in answer["answer"].splitlines() if line.strip()]
        lines += [f"**{turn.said.say}** *{state}*{remark}", "", "<br>\n".join(said), ""]
    return "\n".join(lines).rstrip() + "\n"


def write_transcript(path: Path, found: Sequence[Answered]) -> None:
    """Write a transcript below the line `BELOW` of a file, or as the whole of one that has no such line."""
    before = path.read_text("utf-8").partition(BELOW)[0] if path.is_file() else ""
    path.write_text(f"{before}{BELOW}\n\n{transcript(found)}", encoding="utf-8")


@click.command(help=__doc__)
@click.option("--split", type=click.Choice(["mend", "score"]), help="Only these conversations.")
@click.option("--only", multiple=True, help="Only the conversation with this id; repeatable.")
@click.option("--wrong", is_flag=True, help="List the turns that are wrong.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write all turns with their answers.")
def main(split: Split | None, only: tuple[str, ...], wrong: bool, markdown: Path | None) -> None:
    """Hold the shipped conversations."""
    settings = load_settings()
    chosen = [
        conversation
        for conversation in read_conversations()
        if (split is None or conversation.split == split) and (not only or conversation.id in only)
    ]
    with shipped(settings, load_embedder(settings.index), DOCUMENTS) as target:
        found = hold(target, chosen)
    for turn in found if wrong else ():
        if turn.fault:
            click.echo(f"{turn.conversation}: {turn.said.say}: {turn.fault}")
    for name, each in estimates(found).items():
        click.echo(f"{name:20} {each.value:.3f} of {each.cases}")
    for tag, (right, of) in by_tag(found).items():
        click.echo(f"  {tag:18} {right} of {of}")
    if markdown is not None:
        write_transcript(markdown, found)


if __name__ == "__main__":
    sys.exit(main())
