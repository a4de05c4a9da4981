"""New gold cases: asked from a person field by field, or drafted from rated answers for a person to complete."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import regex
from pydantic import BaseModel, ConfigDict, ValidationError

from eval.cases import (
    DRAFT,
    GOLD,
    Line,
    Text,
    case_files,
    check_cases,
    faults_of,
    lines_of,
    parse_case,
    parse_object,
    read_cases,
)
from eval.records import Case
from eval.text import contains
from index.errors import UsageError, WorkError
from index.types import Document

AskPerson = Callable[[str, str], str]
"""Asks a person: (what is asked, default) -> the answer; the default when nothing is typed."""

Tell = Callable[[str], None]
"""Tells a person why an answer cannot be taken."""

SEPARATOR = "|"
"""Between several strings typed on one line."""

_STRATA = ("off-topic", "unanswered", "near-miss")
# A whole case around the one field that is looked at.
_STUB: Mapping[str, Any] = {"id": "x", "language": "en", "question": "?", "expect": {"refuse": True}}
# How a short answer says that a number is bounded ("540+", "~25%"): the documents say that in words.
_BOUND = regex.compile(r"^(?:~|<|>=)|\+$")


# -- one case by hand


def add_case(path: Path, fields: Mapping[str, Any], documents: Sequence[Document]) -> Case:
    """Append a case to the file at `path`, made where it is missing, and return it.

    The file's bytes stay as they are; the new file takes its place in one step, so a crash leaves the old one.

    Args:
        fields: the keys of a line of a gold file.
        documents: what the case is about, all language versions.

    Raises:
        UsageError: `path` is no .jsonl file, the file there is malformed, or the case is: a key, its source, its
            expected strings, or an id that a file of the folder already has.
        WorkError: the file cannot be written.
    """
    path = path.resolve()
    if path.suffix != ".jsonl":
        raise UsageError(f"{path} does not end in .jsonl; only such files of a gold folder are read")
    old = path.read_bytes() if path.is_file() else b""
    if old.strip():
        read_cases(path)
    if old and not old.endswith(b"\n"):
        old += b"\n"
    line = old.count(b"\n") + 1
    case = parse_case(fields, where=f"{path}:{line}")
    faults = check_cases([case], documents)
    if faults:
        raise UsageError(faults[0])
    if case.id in (taken := ids_beside(path)):
        raise UsageError(
            f"{case.where}: the id {case.id!r} is already used at {taken[case.id]}; choose another"
        )
    _replace(path, old + _line(fields))
    return case


def ids_beside(path: Path) -> dict[str, str]:
    """The ids in the `.jsonl` files of the folder of `path`, with "FILE:LINE" of each.

    Raises:
        UsageError: a line of one of them is not a JSON object.
    """
    if not any(path.parent.glob("*.jsonl")):
        return {}
    found = {}
    for file in case_files(path.parent):
        for number, text in lines_of(file):
            where = f"{file}:{number}"
            found[str(parse_object(text, where=where).get("id"))] = where
    return found


def prompt_fields(
    ask: AskPerson, *, documents: Sequence[Document], tell: Tell, taken: Collection[str] = ()
) -> dict[str, Any]:
    """The keys of a new line, asked one after the other; each is asked again until it is valid.

    Args:
        ask: asks a person.
        documents: the source and the expected strings must stand there.
        tell: says why an answer cannot be taken, and which sources there are.
        taken: ids that are used.

    Raises:
        UsageError: no document has a source URL, so no answerable case can be written.
    """
    sources = sorted({document.source_url for document in documents if document.source_url})
    if not sources:
        raise UsageError(
            "none of the documents has a source URL, which a case names; add it to the documents"
        )
    fields: dict[str, Any] = {}

    def field(name: str, what: str, default: str, read: Callable[[str], Any]) -> None:
        while True:
            value = read(ask(what, default).strip())
            fault = _fault({**fields, name: value}, name, documents, taken)
            if fault is None:
                break
            tell(fault)
        if value not in (None, []):
            fields[name] = value

    field("language", "Language of the question (en, vi, bn, hi, sv)", "en", str)
    field("question", "Question", "", str)
    history = _history(ask, tell)
    if history:
        fields["history"] = history
    strata = f"Must it be refused? {', '.join(_STRATA)} (empty: no, it is answered)"
    field("stratum", strata, "", lambda typed: typed or None)
    if "stratum" in fields:
        fields["expect"] = {"refuse": True}
    else:
        for url in sources:
            tell(url)
        field("source_url", "Source of the answer (one of the above)", "", str)
        many = f"several: separated by {SEPARATOR}"
        field("expect", f"What must stand in the answer ({many})", "", lambda typed: {"any": _split(typed)})
        field(
            "evidence",
            f"Words of the document, one string for each version ({many}; empty: none)",
            "",
            _split,
        )
    field("tags", "Tags (separated by spaces; empty: none)", "", str.split)
    field("id", "Id, such as harbour-opening.en", "", str)
    return fields


def _history(ask: AskPerson, tell: Tell) -> list[dict[str, str]]:
    history: list[dict[str, str]] = []
    while said := ask("Earlier question, the oldest first (empty: no more)", "").strip():
        history.append({"role": "user", "content": said})
        while not (answered := ask("What the assistant answered", "").strip()):
            tell("the answer to an earlier question cannot be empty")
        history.append({"role": "assistant", "content": answered})
    return history


def _split(typed: str) -> list[str]:
    return [part.strip() for part in typed.split(SEPARATOR) if part.strip()]


def _fault(
    fields: Mapping[str, Any], name: str, documents: Sequence[Document], taken: Collection[str]
) -> str | None:
    """Why the field `name` cannot be taken beside those before it; None when it can."""
    if name == "id" and fields["id"] in taken:
        return f"the id {fields['id']!r} is already used"
    if name == "source_url" and fields[name] not in {document.source_url for document in documents}:
        return "no document has this source"
    try:
        line = Line.model_validate({**_STUB, **fields})
    except ValidationError as error:
        found = [text for key, text in faults_of(error).items() if key.split(".")[0] == name]
        return "; ".join(found) or None
    faults = (
        check_cases([line.case("this case")], documents) if name in {"expect", "evidence", "tags"} else []
    )
    return faults[0] if faults else None


# -- drafts of rated answers


class _Loose(BaseModel):
    # What else a server stores beside a rating does not matter here.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class _Turn(_Loose):
    role: Literal["user", "assistant"]
    content: str


class _Citation(_Loose):
    quote: Text
    source_url: str | None = None


class _Answer(_Loose):
    refused: bool
    short_answer: str | None = None
    citations: list[_Citation] = []


class _Rated(_Loose):
    answer_id: Text
    rating: Literal["up", "down"]
    question: Text
    language: Text
    reason: str | None = None
    history: list[_Turn] | None = None
    answer: _Answer | None = None


def from_feedback(path: Path) -> list[dict[str, Any]]:
    """Draft cases of a file of rated answers, in the order of their last ratings; an answer's last rating counts.

    Every draft is tagged "draft", which a gold set may not hold: a person has to look at it first.

    - Up: the expected string is the short answer, without signs such as "+", where the first quote holds it, else
      the quote; source and evidence are those of the first citation.
    - Up, on a refusal: it must be refused.
    - Down, and up without a source: the expectation and the source are empty and have to be written; "note" says
      what was answered and why it was rated so. Empty strings and "note" are no part of a case, so such a line
      cannot be read as one before a person has been there.

    Args:
        path: JSON lines: answer_id, rating ("up" or "down"), question, language, and where known reason, history
            and answer (the answer schema). Other keys are passed over.

    Raises:
        UsageError: the file cannot be read, holds no rating, or a line is malformed; the text names the line.
    """
    last: dict[str, dict[str, Any]] = {}
    for number, text in lines_of(path):
        rated = _rated(text, where=f"{path}:{number}")
        last.pop(rated.answer_id, None)
        last[rated.answer_id] = _draft(rated)
    if not last:
        raise UsageError(f"{path} holds no rating; rate an answer first")
    return list(last.values())


def write_drafts(path: Path, drafts: Iterable[Mapping[str, Any]]) -> None:
    """Write drafts to a new file, one a line.

    Raises:
        UsageError: `path` exists, or lies among the gold files, where drafts would be taken for cases.
        WorkError: it cannot be written.
    """
    path = path.resolve()
    if path.is_relative_to(GOLD.resolve()):
        raise UsageError(
            f"{path} lies in the gold set; write drafts elsewhere and add them once they are complete"
        )
    if path.exists():
        raise UsageError(f"{path} exists and may hold drafts that were worked on; give another file")
    _replace(path, b"".join(_line(draft) for draft in drafts))


def _rated(text: str, *, where: str) -> _Rated:
    try:
        return _Rated.model_validate(parse_object(text, where=where))
    except ValidationError as error:
        raise UsageError(
            f"{where}: {'; '.join(faults_of(error).values())}; a rating has answer_id, rating (up or down), question, "
            "language, and may have reason, history, answer"
        ) from error


def _draft(rated: _Rated) -> dict[str, Any]:
    history = [turn.model_dump() for turn in rated.history or [] if turn.content.strip()]
    name = regex.sub(r"[^\p{L}\p{M}\p{N}_-]+", "-", rated.answer_id)
    draft: dict[str, Any] = {
        "id": f"rated-{name}.{rated.language}",
        "language": rated.language,
        "question": rated.question,
    }
    if history:
        draft["history"] = history
    return {**draft, **_expectation(rated), "tags": [DRAFT], **_note(rated)}


def _expectation(rated: _Rated) -> dict[str, Any]:
    answer = rated.answer
    if rated.rating == "up" and answer is not None and answer.refused:
        return {"expect": {"refuse": True}}
    if answer is None or not _is_usable(rated):
        return {"expect": {"any": [""]}, "source_url": ""}
    first = answer.citations[0]
    short = _BOUND.sub("", answer.short_answer or "").strip()
    expected = short if contains(first.quote, short) else first.quote
    return {"expect": {"any": [expected]}, "source_url": first.source_url, "evidence": [first.quote]}


def _is_usable(rated: _Rated) -> bool:
    """Whether a rating says all that a case needs."""
    answer = rated.answer
    if rated.rating == "down" or answer is None:
        return False
    return answer.refused or (bool(answer.citations) and bool(answer.citations[0].source_url))


def _note(rated: _Rated) -> dict[str, str]:
    if _is_usable(rated):
        return {}
    because = f": {rated.reason.strip()}" if rated.reason and rated.reason.strip() else ""
    return {"note": f"rated {rated.rating}{because}; {_answered(rated.answer)}"}


def _answered(answer: _Answer | None) -> str:
    if answer is None:
        return "the answer was not kept"
    if answer.refused:
        return "it was refused"
    if not answer.citations:
        return "it was answered without a citation"
    first = answer.citations[0]
    return f"it was answered {answer.short_answer or first.quote!r} from {first.source_url or 'a document without URL'}"


# -- writing


def _line(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(dict(fields), ensure_ascii=False) + "\n").encode("utf-8")


def _replace(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file at `path` in one step."""
    draft = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WorkError(
            f"{path} cannot be written ({error.strerror}); check the folder and its permissions"
        ) from error
