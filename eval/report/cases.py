"""What became of a case, in words, and which cases are the worst."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Literal

from eval.records import Record, Report

Verdict = Literal["failed", "wrongly answered", "wrongly refused", "wrong", "right"]
"""Asking failed; answered though the documents do not hold it; refused though they do; the answer does not hold
what was expected; none of these."""

VERDICTS: tuple[Verdict, ...] = ("failed", "wrongly answered", "wrongly refused", "wrong", "right")


def verdict(record: Record) -> Verdict:
    """What became of a case. An answer without the metric `answer_match` is not called wrong."""
    if record.error is not None:
        return "failed"
    refused = bool(record.answer.get("refused"))
    if record.task.must_refuse:
        return "right" if refused else "wrongly answered"
    if refused:
        return "wrongly refused"
    return "right" if record.scores.get("answer_match", 1.0) >= 1.0 else "wrong"


def worst(report: Report, n: int) -> list[Record]:
    """At most `n` cases that went wrong: failed ones first, then by their mean score, lowest first, then by id."""
    return sorted((r for r in report.records if verdict(r) != "right"), key=_badness)[: max(n, 0)]


def _badness(record: Record) -> tuple[bool, float, str]:
    return record.error is None, fmean(record.scores.values()) if record.scores else 0.0, record.task.id


def expected(record: Record) -> str:
    """What had to come back: "a refusal", or the strings of which one had to stand in the answer."""
    return "a refusal" if record.task.must_refuse else " / ".join(record.task.expected) or "an answer"


def came(record: Record) -> str:
    """What came back: the answer, "refused" with its reason, or the error."""
    if record.error is not None:
        return f"error: {record.error}"
    if record.answer.get("refused"):
        reason = record.answer.get("refusal_reason")
        return f"refused ({reason})" if reason else "refused"
    return str(record.answer.get("short_answer") or record.answer.get("answer") or "nothing")


def by_question_language(report: Report) -> dict[str, list[Record]]:
    """The cases of each question language; what went wrong first, then by id."""
    groups: dict[str, list[Record]] = {}
    for record in sorted(report.records, key=lambda each: (VERDICTS.index(verdict(each)), each.task.id)):
        groups.setdefault(record.task.language, []).append(record)
    return dict(sorted(groups.items()))


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 case", "2 cases"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def failures(records: Sequence[Record]) -> int:
    """How many of the cases could not be asked."""
    return sum(record.error is not None for record in records)
