"""Runs of an evaluation that never were: `from made_runs import make_report, record, answer, EMPTY`."""

from __future__ import annotations

from typing import Any

from texts import HOSTILE, MULTI_SCRIPT

from eval.records import (
    Cell,
    Comparison,
    Estimate,
    Gate,
    Place,
    Record,
    Report,
    Retrieved,
    Stratum,
    Task,
)
from eval.report.labels import LABELS
from rag.answer import Turn

LANGUAGES = ("ar", "bn", "en", "hi", "sv")
LONG = "Ett mycket långt citat om broar på Öland. " * 60
QUESTIONS = {
    "ar": MULTI_SCRIPT["arabic"],
    "bn": MULTI_SCRIPT["bengali"],
    "en": HOSTILE["script"] + " | how\nmany bridges?",
    "hi": MULTI_SCRIPT["hindi"],
    "sv": MULTI_SCRIPT["swedish"],
}


def answer(
    text: str, *, language: str = "en", refused: bool = False, quote: str = "", **more: Any
) -> dict[str, Any]:
    citation = {
        "marker": 1,
        "document_id": "d1",
        "source_url": "https://news.example/1?a=1&b=2",
        "title": "Broar",
        "language": "sv",
        "quote": quote or LONG,
        "start": 0,
        "end": len(quote or LONG),
        "score": 0.9,
        "parallel": [{"document_id": "d2", "language": "hi"}],
    }
    return {
        "answer": text,
        "short_answer": None,
        "language": language,
        "refused": refused,
        "refusal_reason": "unanswered" if refused else None,
        "citations": [citation],
        **more,
    }


def record(
    name: str,
    *,
    language: str = "en",
    stratum: Stratum = "answerable",
    said: dict[str, Any] | None = None,
    scores: dict[str, float] | None = None,
    error: str | None = None,
    question: str | None = None,
    latency_ms: float = 50.0,
) -> Record:
    answerable = stratum == "answerable"
    return Record(
        task=Task(
            id=name,
            group=name[:2],
            language=language,
            question=QUESTIONS.get(language, "?") if question is None else question,
            history=(Turn("user", "Which island?"), Turn("assistant", "Öland.")),
            expected=("14", "fourteen") if answerable else (),
            stratum=stratum,
            places=(Place("d1", "sv", 10, 20), Place("d2", "hi", 12, 25)) if answerable else (),
            tags=("bridges",),
        ),
        answer={} if error else said if said is not None else answer("14 broar [1]", language=language),
        retrieved=tuple(
            Retrieved(rank, f"d{rank}", "sv", 0, 100 * rank, 1 / rank, right=rank == 1) for rank in (1, 2, 3)
        ),
        scores={"answer_match": 1.0, "evidence@1": 1.0} if scores is None else scores,
        latency_ms=latency_ms,
        error=error,
    )


def make_records() -> tuple[Record, ...]:
    """31 cases: six for each of five languages (one wrong, one refused wrongly, one answered wrongly), one failed."""
    found = []
    for number, language in enumerate(LANGUAGES):
        common: dict[str, Any] = {"language": language}
        found += [
            record(f"{language}-0", **common, latency_ms=30.0 + 7 * number),
            record(f"{language}-1", **common, latency_ms=45.0 + 11 * number),
            record(
                f"{language}-2",
                **common,
                said=answer(HOSTILE["attribute_break"], language=language, quote=HOSTILE["comment"]),
                scores={"answer_match": 0.0, "evidence@1": 0.0},
            ),
            record(
                f"{language}-3",
                **common,
                said=answer("The documents do not say.", refused=True, language=language),
                scores={"answer_match": 0.0, "answered": 0.0},
            ),
            record(
                f"{language}-4",
                **common,
                stratum="off-topic",
                said=answer("No.", refused=True),
                scores={"refused": 1.0},
            ),
            record(f"{language}-5", **common, stratum="near-miss", scores={"refused": 0.0}, latency_ms=180.0),
        ]
    return (*found, record("xx-0", error="server said 500\n" + HOSTILE["nul_and_controls"], scores={}))


def make_report(**changes: Any) -> Report:
    """A run over five languages with everything that a report can hold."""
    cells = tuple(
        Cell(question, document, 0.5 + 0.1 * LANGUAGES.index(question) - 0.03 * number, 12 + number)
        for question in LANGUAGES
        for number, document in enumerate(("hi", "sv", "bn+hi+sv"))
    )
    values: dict[str, Any] = {
        "title": "gold set over the shipped documents",
        "created": "2026-11-22T10:00:00Z",
        "settings": {"RAG_TOP_K": "8", "model": "e5 sha256:" + "0" * 64, "seed": "7"},
        "records": make_records(),
        "estimates": {
            metric: Estimate(
                0.9 - 0.03 * number, 0.85 - 0.03 * number, 0.95 - 0.03 * number, 120 - number, 30
            )
            for number, metric in enumerate((*LABELS, "own|metric"))
        },
        "strata": {
            "answerable": {"cases": 21, "refused": 5, "failed": 1},
            "off-topic": {"cases": 5, "refused": 5, "failed": 0},
            "near-miss": {"cases": 5, "refused": 0, "failed": 0},
            "unanswered": {"cases": 0, "refused": 0, "failed": 0},
        },
        "matrices": {"answer_match": cells, "evidence@1": cells[:9]},
        "parity": {"answer_match": 0.043, "evidence@1": -0.012},
        "bias": 0.125,
        "latency_ms": {"p50": 50.0, "p95": 180.0, "max": 1180.4},
        "comparisons": (
            Comparison("answer_match", -0.051, -0.09, -0.012, 0.012, 3, 100, 9),
            Comparison("evidence@1", 0.02, -0.01, 0.05, 0.21, 9, 100, 5),
        ),
        "gates": (
            Gate("answer_match", True, "0.810, asked for at least 0.700"),
            Gate("p95", False, "180 ms, asked for at most 100 ms <b>&"),
        ),
    }
    return Report(**{**values, **changes})


EMPTY = Report(
    title="nothing",
    created="",
    settings={},
    records=(),
    estimates={},
    strata={},
    matrices={},
    parity={},
    bias=None,
    latency_ms={},
)
