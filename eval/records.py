"""The frozen types of an evaluation: Case -> Task -> Record -> Report.

A *case* is a line of a file, before anything is indexed. A *task* is a case beside one index: where its answer
stands there is known. A *record* is a task that was asked, with its value on every metric. A *report* is a
run: its settings, its records, and what they amount to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rag.answer import Turn

Stratum = Literal["answerable", "off-topic", "unanswered", "near-miss"]
"""What a question is to the documents: answered there; about something else; on their topic but not answered;
like something that is answered, with another place, year or thing."""

STRATA: tuple[Stratum, ...] = ("answerable", "off-topic", "unanswered", "near-miss")


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what must come back, as a line of a gold file says it.

    Attributes:
        group: cases of one group ask the same in different languages; they are resampled together.
        expected: strings of which one must stand in the answer; empty when it must be refused.
        source_url: the source that holds the answer; None when it must be refused.
        evidence: words of the documents, one string for each language version at most, that the answer rests on.
        where: "FILE:LINE", for messages.
    """

    id: str
    group: str
    language: str
    question: str
    history: tuple[Turn, ...] = ()
    expected: tuple[str, ...] = ()
    stratum: Stratum = "answerable"
    source_url: str | None = None
    evidence: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of an indexed document: code points `start` to `end` of its text."""

    document_id: str
    language: str
    start: int
    end: int

    def meets(self, document_id: str, start: int, end: int) -> bool:
        """Whether a stretch of a document overlaps this one."""
        return document_id == self.document_id and start < self.end and self.start < end


@dataclass(frozen=True, slots=True)
class Task:
    """A question ready to be asked of one index.

    Attributes:
        places: where the answer stands, one place for each language version; any of them is right. Empty when the
            question must be refused.
        documents: look only into these documents; None: all.
    """

    id: str
    group: str
    language: str
    question: str
    history: tuple[Turn, ...] = ()
    expected: tuple[str, ...] = ()
    stratum: Stratum = "answerable"
    places: tuple[Place, ...] = ()
    documents: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()

    @property
    def must_refuse(self) -> bool:
        """Whether the only right answer is that the documents do not hold it."""
        return self.stratum != "answerable"

    @property
    def document_languages(self) -> tuple[str, ...]:
        """The languages in which the answer stands, sorted."""
        return tuple(sorted({place.language for place in self.places}))

    @property
    def same_language(self) -> bool:
        """Whether the answer stands in the language of the question, among others maybe."""
        return self.language in self.document_languages


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage that retrieval brought; `right` when it overlaps a place of the answer. Ranks count from 1."""

    rank: int
    document_id: str
    language: str
    start: int
    end: int
    score: float
    right: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A question that was asked, what came back, and its value on every metric.

    Attributes:
        answer: the answer schema of the HTTP contract; empty when asking failed.
        error: why asking failed, else None.
        scores: metric -> value in [0, 1], larger is better; a metric that does not apply is not there.
        latency_ms: milliseconds of `ask` as the caller sees them.
    """

    task: Task
    answer: Mapping[str, Any]
    retrieved: tuple[Retrieved, ...]
    scores: Mapping[str, float]
    latency_ms: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over cases with its interval.

    Attributes:
        value: the mean, in [0, 1] unless the metric says otherwise.
        low: lower end of the 95 % interval, by bootstrap over groups; `high`: its upper end.
        cases: how many cases have the metric; `groups`: of how many groups.
    """

    value: float
    low: float
    high: float
    cases: int
    groups: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A mean in one cell of a matrix."""

    question_language: str
    document_language: str
    value: float
    cases: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric against a baseline, case by case: `difference` is this run minus the baseline.

    `p` is two-sided, by flipping the signs of the groups' differences; `win`, `tie`, `loss` count cases.
    """

    metric: str
    difference: float
    low: float
    high: float
    p: float
    win: int
    tie: int
    loss: int


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that must hold: `passed`, and in words what was measured and what was asked for."""

    name: str
    passed: bool
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """A run.

    Attributes:
        title: what was asked of what, e.g. "gold set over the shipped documents".
        created: UTC, ISO 8601.
        settings: everything that could move a score, flat and sorted: models with file hashes, data hashes,
            versions, seed.
        estimates: metric -> mean over the whole run, in the order in which they are shown.
        strata: stratum -> {"cases": n, "refused": n, "failed": n}.
        matrices: metric -> its cells; several document languages are joined by "+".
        parity: metric -> mean with the answer in the question's own language minus mean without.
        bias: share of first passages in the question's language, over questions whose answer stands in it and in
            another language; None when there is no such question.
        latency_ms: {"p50": ..., "p95": ..., "max": ...}; empty when every question failed.
        comparisons: against the baseline; empty without one. `gates`: empty unless asked for.
    """

    title: str
    created: str
    settings: Mapping[str, str]
    records: tuple[Record, ...]
    estimates: Mapping[str, Estimate]
    strata: Mapping[str, Mapping[str, int]]
    matrices: Mapping[str, tuple[Cell, ...]]
    parity: Mapping[str, float]
    bias: float | None
    latency_ms: Mapping[str, float]
    comparisons: tuple[Comparison, ...] = ()
    gates: tuple[Gate, ...] = field(default=())
