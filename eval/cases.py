"""Gold files: lines of JSON -> Case -> Task, and what must hold beside the documents they are about.

A file is read whole or not at all: a set with a line left out would be scored as another set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from eval.records import Case, Place, Stratum, Task
from eval.text import contains
from index.errors import UsageError
from index.language.sentences import split_sentences
from index.normalise import normalise
from index.types import Document
from rag.answer import Turn

GOLD = Path(__file__).parent / "gold"
"""The shipped gold set."""

CONVERSATIONS = GOLD / "conversations.jsonl"
"""Beside its cases, and none of them: conversations over documents of their own (`eval.conversations`)."""

FOLLOW_UP = "follow-up"
"""Tag of a case that can only be understood from its history."""

DRAFT = "draft"
"""Tag of a case that nobody has looked at yet: a fault in a gold set."""

_ALLOWED = (
    "allowed: id, language, question, history, expect, source_url, tags, group, evidence, stratum "
    "(eval/gold/README.md)"
)
_LANGUAGE = regex.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; write its text or leave the key out")
    return value


def _no_space(value: str) -> str:
    if any(letter.isspace() for letter in value):
        raise ValueError("holds white space; write words joined by hyphens, such as harbour-opening.en")
    return value


def _is_code(value: str) -> str:
    if _LANGUAGE.fullmatch(value) is None:
        raise ValueError("is no ISO 639-1 code in lower case, such as en, vi, bn, hi, sv")
    return value


Text = Annotated[str, AfterValidator(_not_blank)]
Name = Annotated[Text, AfterValidator(_no_space)]


class _Strict(BaseModel):
    # A misspelt key that is silently ignored would change what is measured.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LineTurn(_Strict):
    """One earlier turn."""

    role: Literal["user", "assistant"]
    content: Text


class Expect(_Strict):
    """What must come back: an answer that holds one of `any`, or a refusal."""

    any: list[Text] | None = Field(None, min_length=1)
    refuse: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Expect:
        if (self.any is None) == (self.refuse is None):
            raise ValueError('takes either {"any": [strings]} or {"refuse": true}')
        return self


class Line(_Strict):
    """A line of a gold file."""

    id: Name
    language: Annotated[Text, AfterValidator(_is_code)]
    question: Text
    history: list[LineTurn] = Field(default_factory=list)
    expect: Expect
    source_url: Name | None = None
    tags: list[Name] = Field(default_factory=list)
    group: Name | None = None
    evidence: list[Text] = Field(default_factory=list)
    stratum: Literal["off-topic", "unanswered", "near-miss"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Line:
        if self.expect.any is not None:
            if self.source_url is None:
                raise ValueError("source_url is missing; an answerable case names the source of its answer")
            if self.stratum is not None:
                raise ValueError("stratum belongs to a refusal; leave it out beside expect.any")
        elif self.source_url is not None or self.evidence:
            raise ValueError("source_url and evidence belong to an answer; leave them out of a refusal")
        return self

    def case(self, where: str) -> Case:
        """The case of this line, which stands at `where`, "FILE:LINE"."""
        stratum: Stratum = "answerable" if self.expect.any else self.stratum or "unanswered"
        return Case(
            id=self.id,
            group=self.group or self.id.removesuffix(f".{self.language}"),
            language=self.language,
            question=self.question,
            history=tuple(Turn(turn.role, turn.content) for turn in self.history),
            expected=tuple(self.expect.any or ()),
            stratum=stratum,
            source_url=self.source_url,
            evidence=tuple(self.evidence),
            tags=tuple(self.tags),
            where=where,
        )


# -- reading


def read_cases(path: Path) -> list[Case]:
    """The cases of a `.jsonl` file, or of those directly in a folder, by file name and line; blank lines are skipped.

    Raises:
        UsageError: nothing to read, not UTF-8, or a line is no case or repeats an id; the text begins with
            "FILE:LINE:" and says what is allowed.
    """
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for file in case_files(path):
        for number, text in lines_of(file):
            case = parse_line(text, where=f"{file}:{number}")
            if case.id in seen:
                raise UsageError(
                    f"{case.where}: the id {case.id!r} is already used at {seen[case.id]}; give one another id"
                )
            seen[case.id] = case.where
            cases.append(case)
    if not cases:
        raise UsageError(f"{path} holds no case; write one JSON object a line (eval/gold/README.md)")
    return cases


def case_files(path: Path) -> list[Path]:
    """The file `path`, or the `.jsonl` files directly in the folder `path`, by name.

    Raises:
        UsageError: there is none.
    """
    if path.is_file():
        return [path]
    files = sorted(
        file for file in path.glob("*.jsonl") if file.is_file() and file.name != CONVERSATIONS.name
    )
    if not files:
        raise UsageError(
            f"{path} is neither a .jsonl file nor a folder that holds some; give eval/gold or a file"
        )
    return files


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers from 1. A byte order mark is left out.

    Raises:
        UsageError: the file cannot be read or is not UTF-8.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read ({error.strerror}); check its name and permissions"
        ) from error
    # By bytes: a text may hold U+2028, which str.splitlines takes for the end of a line.
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{file}:{number}: not UTF-8 at byte {error.start}; save the file as UTF-8"
            ) from error
        if text.strip():
            yield number, text


def parse_object(text: str, *, where: str) -> dict[str, Any]:
    """The JSON object in `text`, which stands at `where`, "FILE:LINE".

    Raises:
        UsageError: it is not JSON, not an object, or names a key twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not JSON ({error}); write one object on one line") from error
    if not isinstance(value, dict):
        raise UsageError(f'{where}: not a JSON object; write {{"id": ..., "question": ...}}')
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice")
    return values


def parse_line(text: str, *, where: str) -> Case:
    """The case of one line, which stands at `where`, "FILE:LINE".

    Raises:
        UsageError: it is no case; the text begins with `where` and says what is wrong and what is allowed.
    """
    return parse_case(parse_object(text, where=where), where=where)


def parse_case(fields: Mapping[str, Any], *, where: str) -> Case:
    """The case that `fields` describe, the keys of a line; otherwise as `parse_line`."""
    try:
        return Line.model_validate(dict(fields)).case(where)
    except ValidationError as error:
        raise UsageError(f"{where}: {'; '.join(faults_of(error).values())}; {_ALLOWED}") from error


def faults_of(error: ValidationError) -> dict[str, str]:
    """Every fault in words by the key it is found at ("expect.any.0"), "" for the line as a whole."""
    found = {}
    for fault in error.errors(include_url=False):
        key = ".".join(str(part) for part in fault["loc"])
        found[key] = _in_words(key, fault["type"], fault["msg"])
    return found


def _in_words(key: str, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"{key} is no key of a case"
    if kind == "missing":
        return f"{key} is missing"
    if kind == "value_error":
        return f"{key} {message.removeprefix('Value error, ')}".strip()
    return f"{key}: {message}"


# -- checking


def check_cases(cases: Sequence[Case], documents: Sequence[Document]) -> list[str]:
    """Every fault of a gold set beside the documents it is about, as "FILE:LINE: what is wrong"; empty when sound.

    Faults: no document has the source URL; no version of the source holds any of the expected strings; a string of
    evidence stands in no version word for word, or is the second one of a version; a follow-up without history; a
    draft.
    """
    versions = _by_source(documents)
    return [
        f"{case.where}: {fault}"
        for case in cases
        for fault in (*_own_faults(case), *_source_faults(case, versions.get(case.source_url, [])))
    ]


def warn_cases(cases: Sequence[Case]) -> list[str]:
    """What may be right but deserves a look, as "FILE:LINE: ...": a question that holds its own answer."""
    return [
        f"{case.where}: the question holds its own answer, {expected!r}"
        for case in cases
        for expected in case.expected
        if contains(case.question, expected)
    ]


def _own_faults(case: Case) -> Iterator[str]:
    if FOLLOW_UP in case.tags and not case.history:
        yield f"tagged {FOLLOW_UP} but has no history; write the earlier turns or remove the tag"
    if DRAFT in case.tags:
        yield f"tagged {DRAFT}; check the expectation and the source, then remove the tag"


def _source_faults(case: Case, versions: Sequence[Document]) -> Iterator[str]:
    if case.stratum != "answerable":
        return
    if not versions:
        yield f"no document has the source_url {case.source_url}; copy it from `rag index` or the document"
        return
    if not any(contains(version.text, expected) for version in versions for expected in case.expected):
        yield f"no version of the source holds any of {', '.join(map(repr, case.expected))}"
    yield from _evidence_faults(case, versions)


def _evidence_faults(case: Case, versions: Sequence[Document]) -> Iterator[str]:
    taken: set[int] = set()
    for text in case.evidence:
        homes = [n for n, version in enumerate(versions) if find_evidence(version.text, text) is not None]
        if not homes:
            yield f"no version of the source holds the evidence {text[:60]!r} word for word"
        elif len(homes) == 1 and homes[0] in taken:
            yield f"the evidence {text[:60]!r} is the second of one version; give one string for each version"
        elif len(homes) == 1:
            taken.add(homes[0])


def find_evidence(text: str, evidence: str) -> tuple[int, int] | None:
    """Where evidence first stands in a normalised text, word for word: code points; None: nowhere."""
    wanted = normalise(evidence).strip()
    start = text.find(wanted)
    return None if start < 0 else (start, start + len(wanted))


# -- beside documents


def tasks(cases: Sequence[Case], documents: Sequence[Document]) -> list[Task]:
    """The cases beside indexed documents, in order: where each answer stands in every version of its source.

    With evidence: where its strings first stand, one place a version. Without: every sentence that holds one
    of the expected strings.

    Raises:
        UsageError: a source is not indexed, or nothing of the answer stands in it; the text names the case.
    """
    versions = _by_source(documents)
    return [_task(case, _places(case, versions.get(case.source_url, []))) for case in cases]


def _by_source(documents: Sequence[Document]) -> dict[str | None, list[Document]]:
    sources: dict[str | None, list[Document]] = {}
    for document in documents:
        sources.setdefault(document.source_url, []).append(document)
    return sources


def _task(case: Case, places: tuple[Place, ...]) -> Task:
    return Task(
        id=case.id,
        group=case.group,
        language=case.language,
        question=case.question,
        history=case.history,
        expected=case.expected,
        stratum=case.stratum,
        places=places,
        tags=case.tags,
    )


def _places(case: Case, versions: Sequence[Document]) -> tuple[Place, ...]:
    if case.stratum != "answerable":
        return ()
    if not versions:
        raise UsageError(
            f"{case.where}: {case.id}: its source {case.source_url} is not indexed; run `rag index` on the "
            "folder that holds it"
        )
    find = _evidence_places if case.evidence else _sentence_places
    places = tuple(place for version in versions for place in find(case, version))
    if not places:
        what = "evidence" if case.evidence else "expected strings"
        raise UsageError(
            f"{case.where}: {case.id}: none of its {what} stands in {case.source_url} as indexed"
        )
    return places


def _evidence_places(case: Case, version: Document) -> list[Place]:
    found = (find_evidence(version.text, text) for text in case.evidence)
    first = next((span for span in found if span is not None), None)
    return [Place(version.id, version.language, *first)] if first else []


def _sentence_places(case: Case, version: Document) -> list[Place]:
    return [
        Place(version.id, version.language, sentence.start, sentence.end)
        for sentence in split_sentences(version)
        if any(contains(sentence.text, expected) for expected in case.expected)
    ]
