"""The look: what one question learns from one moment of the corpus. Engines answer from it and read nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from index.language.dates import Day
from rag.asking import Ask
from rag.evidence import Evidence
from rag.question import Question
from rag.tabled import Tabled


@dataclass(frozen=True, slots=True)
class Declined:
    """An engine's word that it does not answer, and why: `notice` is a name of `rag.notices`."""

    engine: str
    notice: str


@dataclass(frozen=True, slots=True)
class Look:
    """What is known when an answer begins.

    Attributes:
        ask: as it was asked.
        question: as it is answered: a follow-up is completed.
        evidence: for that question: passages, what was read in them, and how likely they answer.
        retrieved: when the passages were found, in seconds of `time.perf_counter`.
        declined: an engine that gave up before the look, when it was to complete a follow-up; it is not asked again.
        tabled: what the rows of a table answer together; None for most questions.
        days: of when the documents are that may answer differently, by id; those that do not tell are left out.
    """

    ask: Ask
    question: Question
    evidence: Evidence
    retrieved: float
    declined: Declined | None = None
    tabled: Tabled | None = None
    days: Mapping[str, Day] = field(default_factory=dict)
