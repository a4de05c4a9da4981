"""Answers, tasks and passages to be scored: `from scored import answer, task`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.records import Place, Retrieved, Stratum, Task
from rag.notices import notices_in

TEXTS = {
    "bn1": "ক্যান থো শহর ৫৪০ টিরও বেশি ডেটা সেট প্রকাশ করেছে।",
    "sv1": "Staden Can Tho har publicerat mer än 540 dataset.",
    "other": "Göteborg har en stor hamn.",
}
PLACES = (Place("bn1", "bn", 14, 17), Place("sv1", "sv", 37, 40))
EXPECTED = ("540",)
ALL = ("answered", "answer_match", "char3_recall", "f1", "short_answer")
CITED = ("evidence@1", "evidence", "citation_recall", "citation_precision")


def citation(document_id: str, start: int, end: int, **changes: Any) -> dict[str, Any]:
    return {
        "marker": 1,
        "document_id": document_id,
        "language": document_id[:2],
        "quote": TEXTS.get(document_id, "")[start:end],
        "start": start,
        "end": end,
    } | changes


RIGHT = citation("sv1", 0, len(TEXTS["sv1"]))
WRONG = citation("other", 0, len(TEXTS["other"]))
ELSEWHERE = citation("sv1", 0, 14)


def answer(citations: Sequence[Mapping[str, Any]] = (RIGHT,), **changes: Any) -> dict[str, Any]:
    quote = citations[0]["quote"] if citations else ""
    return {
        "answer": f"540+ — the source says: “{quote}” [1]",
        "short_answer": "540+",
        "language": "en",
        "refused": False,
        "citations": list(citations),
    } | changes


def refused(**changes: Any) -> dict[str, Any]:
    text = notices_in("en")["refusal"]
    return answer((WRONG,), answer=text, short_answer=None, refused=True) | changes


def task(stratum: Stratum = "answerable", **changes: Any) -> Task:
    options: dict[str, Any] = {"places": PLACES, "expected": EXPECTED, "tags": ("short",)}
    if stratum != "answerable":
        options = {"places": (), "expected": (), "tags": ()}
    return Task("t1", "g1", "en", "How many data sets?", stratum=stratum, **(options | changes))


def passages(*right: bool) -> tuple[Retrieved, ...]:
    return tuple(
        Retrieved(rank, f"d{rank}", "sv", 0, 10, 1 / rank, good) for rank, good in enumerate(right, start=1)
    )
