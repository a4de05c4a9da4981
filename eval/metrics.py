"""What a question scored: pure functions of what was asked and what came back. No files, no model.

Every score lies in [0, 1], larger is better; None says that a metric does not apply. Ranks count from 1.
Citations are dicts of the answer schema; `score` and `rank_records` put the functions together for a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ir_measures
import regex
from ir_measures import RR, R, nDCG

from eval.records import Place, Record, Retrieved, Task
from eval.text import contains, is_number, pieces, tokens, words
from index.language.detection import detect
from index.language.lexicon import lexicon
from index.language.terms import without_ending

Citations = Sequence[Mapping[str, Any]]

_RANKING = {
    R @ 1: "recall@1",
    R @ 5: "recall@5",
    R @ 10: "recall@10",
    RR @ 10: "mrr@10",
    nDCG @ 10: "ndcg@10",
}
RANKING_METRICS: tuple[str, ...] = tuple(_RANKING.values())

# The tag of a task whose answer is a number, a date or a name, so that a short answer is due.
SHORT_TAG = "short"
# What a question has one of, wherever it stands: passages that overlap any of its places are this one unit.
_ANSWER_UNIT = "answer"

_GRAM = 3
_MARKER = regex.compile(r"\[\d+\]")
_QUOTED = regex.compile(r"[“”„«\"][^“”„«»\"\n]+[”“»\"]")
_URL = regex.compile(r"(?:https?://|www\.)\S+")
_LETTER = regex.compile(r"[\p{L}\p{M}]")
_LETTERS = regex.compile(r"[\p{L}\p{M}]+")
# Fewer letters than this do not tell a language.
_FEWEST_LETTERS = 8


def ranking(
    relevant: Mapping[str, Collection[str]], ranked: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Question id -> `RANKING_METRICS`, computed by ir-measures (MacAvaney et al. 2022) after trec_eval.

    recall@k is the share of the relevant ids among the first k, mrr@10 is 1 / rank of the first relevant one
    (0 beyond rank 10), ndcg@10 discounts by log2(rank + 1) (Järvelin & Kekäläinen 2002).

    Args:
        relevant: question id -> ids that answer it. A question with none is left out.
        ranked: question id -> ids, best first; a repeated id counts at its first rank. A question that is missing
            or has no ids scores 0.
    """
    judged = {question: dict.fromkeys(ids, 1) for question, ids in relevant.items() if ids}
    if not judged:
        return {}
    run = {question: _by_rank(ranked.get(question, ())) for question in judged}
    scores: dict[str, dict[str, float]] = {question: {} for question in judged}
    for value in ir_measures.iter_calc(list(_RANKING), judged, run):
        scores[value.query_id][_RANKING[value.measure]] = float(value.value)
    return {question: {name: row[name] for name in RANKING_METRICS} for question, row in scores.items()}


def answer_match(answer: str, expected: Sequence[str]) -> float:
    """1 when one of the expected strings stands in the answer's text (`eval.text.contains`), else 0.

    Markers such as [1] are no part of what was said.
    """
    said = _MARKER.sub(" ", answer)
    return float(any(contains(said, text) for text in expected))


def short_answer_match(short: str | None, expected: Sequence[str], *, language: str) -> float:
    """1 when the short answer and one of the expected strings hold one another as whole words, else 0.

    Qualifiers ("540+", "~540", "<540") are dropped, and case endings of `language` where it has a table. A short
    answer that is only part of the expected string must have all its numbers: "3" is not "3 May 1999".
    """
    said = _stems(short or "", language)
    return float(any(_hold_one_another(said, _stems(text, language)) for text in expected))


def exact_match(prediction: str, expected: Sequence[str], language: str) -> float:
    """1 when the tokens of `prediction` equal those of one of the expected strings, else 0.

    Rajpurkar et al. 2016, with the tokens of MLQA (`eval.text.tokens`).
    """
    said = tokens(prediction, language)
    return float(any(said == tokens(text, language) for text in expected))


def f1(prediction: str, expected: Sequence[str], language: str) -> float:
    """The best F1 over the expected strings: 2 P R / (P + R) of the tokens in common, counted with repetition.

    Rajpurkar et al. 2016, with the tokens of MLQA (`eval.text.tokens`).
    """
    said = Counter(tokens(prediction, language))
    return max((_overlap_f1(said, Counter(tokens(text, language))) for text in expected), default=0.0)


def char3_recall(answer: str, expected: Sequence[str]) -> float:
    """The best share, over the expected strings, of their character 3-grams that the answer has too.

    3-grams lie inside words, are counted with repetition, and a shorter word counts whole: Chirkova et al. 2024,
    "Retrieval-augmented generation in multilingual settings", as computed by BERGEN (Rau et al. 2024). It
    forgives other endings and spellings of a name that a whole-word match does not.
    """
    said = _grams(_MARKER.sub(" ", answer))
    return max((_recall(said, _grams(text)) for text in expected), default=0.0)


def citation_exact(citations: Citations, texts: Mapping[str, str]) -> float | None:
    """The share of citations with quote == texts[document_id][start:end]; None without citations.

    A document that is not in `texts` (document id -> text) has no exact quote.
    """
    return _share(
        citations, lambda c: texts.get(c["document_id"], "")[c["start"] : c["end"]] == c["quote"] != ""
    )


def citation_precision(citations: Citations, places: Sequence[Place]) -> float | None:
    """The share of citations in a document that holds the answer, in any language; None without citations."""
    right = {place.document_id for place in places}
    return _share(citations, lambda c: c["document_id"] in right)


def citation_recall(citations: Citations, places: Sequence[Place]) -> float:
    """1 when a document that holds the answer is cited, whichever of its language versions; else 0."""
    return float(bool({c["document_id"] for c in citations} & {place.document_id for place in places}))


def evidence_first(citations: Citations, places: Sequence[Place]) -> float:
    """1 when the first citation overlaps a place of the answer, else 0; 0 without citations."""
    return evidence_any(citations[:1], places)


def evidence_any(citations: Citations, places: Sequence[Place]) -> float:
    """1 when any citation overlaps a place of the answer, else 0; 0 without citations."""
    return float(
        any(place.meets(c["document_id"], c["start"], c["end"]) for c in citations for place in places)
    )


def answer_language(answer: Mapping[str, Any]) -> str:
    """The language of what the assistant itself says, ISO 639-1, detected; `und` when words do not tell.

    Quotes, titles between quotation marks, markers, URLs and the short answer are the documents' words and are taken
    out first, and so is its gloss, which may be a name. With fewer than 8 letters and marks left nothing can be
    detected, and the answer's own `language` is returned.
    """
    text = answer["answer"]
    # Longest first: a quote may stand inside another.
    for quote in sorted({c["quote"] for c in answer["citations"]} - {""}, key=len, reverse=True):
        text = text.replace(quote, " ")
    if answer.get("short_gloss"):
        text = text.replace(f"({answer['short_gloss']})", " ")
    if answer["short_answer"]:
        own_words = (
            rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){regex.escape(answer['short_answer'])}(?![\p{{L}}\p{{M}}\p{{N}}])"
        )
        text = regex.sub(own_words, " ", text, count=1)
    text = _QUOTED.sub(" ", _URL.sub(" ", _MARKER.sub(" ", text)))
    if len(_LETTER.findall(text)) < _FEWEST_LETTERS:
        return str(answer["language"])
    # Words alone: the quotation marks and dashes of a short frame weigh as much as its letters and mislead.
    return detect(" ".join(_LETTERS.findall(text)))


def score(
    task: Task,
    answer: Mapping[str, Any],
    texts: Mapping[str, str],
) -> dict[str, float]:
    """Every metric of one answer that applies to it; the ranking metrics are `rank_records`'.

    "answered" (or "refused" where that is right) and "answer_language" always; "citation_exact" with citations.
    For an answerable question also, where its expected strings are known, "answer_match", "char3_recall", "f1" and
    (tag "short") "short_answer"; where its places are known, "evidence@1", "evidence", "citation_recall" and
    "citation_precision". An answerable question that was refused scores 0 on all of these: the citations of a
    refusal are only the nearest passages.

    Args:
        answer: the answer schema; empty when asking failed, which scores 0 throughout.
        texts: document id -> text, for at least the cited documents.
    """
    refused = bool(answer.get("refused"))
    if task.must_refuse:
        scores = {"refused": float(refused)}
    elif answer and not refused:
        scores = {"answered": 1.0, **_answer_scores(task, answer), **_citation_scores(task, answer)}
    else:
        scores = {"answered": 0.0} | dict.fromkeys(_due(task), 0.0)
    exact = citation_exact(answer.get("citations", ()), texts)
    if exact is not None:
        scores["citation_exact"] = exact
    scores["answer_language"] = float(bool(answer) and answer_language(answer) == task.language)
    return scores


def rank_records(records: Sequence[Record]) -> list[Record]:
    """The records in order, with `RANKING_METRICS` added where the task's places are known.

    A question has one relevant unit, its answer: the first passage that overlaps a place, in any language
    version, finds it. So recall@k is 1 when one of the first k passages is right.
    """
    due = [(str(n), record) for n, record in enumerate(records) if _has_places(record.task)]
    scores = ranking(
        {key: (_ANSWER_UNIT,) for key, _ in due},
        {key: [_unit(passage) for passage in _in_order(record.retrieved)] for key, record in due},
    )
    return [
        replace(record, scores={**record.scores, **scores.get(str(n), {})})
        for n, record in enumerate(records)
    ]


def _answer_scores(task: Task, answer: Mapping[str, Any]) -> dict[str, float]:
    if not task.expected:
        return {}
    citations, short = answer["citations"], answer["short_answer"]
    # The short answer and the quote are words of the cited document, in its language.
    language = citations[0]["language"] if citations else task.language
    said = short or (citations[0]["quote"] if citations else answer["answer"])
    scores = {
        "answer_match": answer_match(answer["answer"], task.expected),
        "char3_recall": char3_recall(answer["answer"], task.expected),
        "f1": f1(said, task.expected, language),
    }
    if SHORT_TAG in task.tags:
        scores["short_answer"] = short_answer_match(short, task.expected, language=language)
    return scores


def _citation_scores(task: Task, answer: Mapping[str, Any]) -> dict[str, float]:
    if not task.places:
        return {}
    citations = answer["citations"]
    scores = {
        "evidence@1": evidence_first(citations, task.places),
        "evidence": evidence_any(citations, task.places),
        "citation_recall": citation_recall(citations, task.places),
    }
    precision = citation_precision(citations, task.places)
    return scores if precision is None else scores | {"citation_precision": precision}


def _due(task: Task) -> list[str]:
    """The metrics that an answer to an answerable task would have had."""
    said = ["answer_match", "char3_recall", "f1"] + ["short_answer"] * (SHORT_TAG in task.tags)
    cited = ["evidence@1", "evidence", "citation_precision", "citation_recall"]
    return said * bool(task.expected) + cited * bool(task.places)


def _has_places(task: Task) -> bool:
    return bool(task.places) and not task.must_refuse


def _in_order(retrieved: Sequence[Retrieved]) -> list[Retrieved]:
    return sorted(retrieved, key=lambda passage: passage.rank)


def _unit(passage: Retrieved) -> str:
    return _ANSWER_UNIT if passage.right else f"{passage.document_id}:{passage.start}"


def _by_rank(ids: Sequence[str]) -> dict[str, float]:
    """Ids with a score that falls with the rank: trec_eval orders by score."""
    unique = list(dict.fromkeys(ids))
    return {name: float(len(unique) - place) for place, name in enumerate(unique)}


def _stems(text: str, language: str) -> list[str]:
    endings = lexicon(language).endings
    return [without_ending(piece, endings) for word in words(text) for piece in pieces(word)]


def _hold_one_another(said: Sequence[str], expected: Sequence[str]) -> bool:
    if not said or not expected:
        return False
    if _stands_in(expected, said):
        return True
    return _stands_in(said, expected) and {word for word in expected if is_number(word)} <= set(said)


def _stands_in(part: Sequence[str], whole: Sequence[str]) -> bool:
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def _overlap_f1(said: Counter[str], expected: Counter[str]) -> float:
    common = (said & expected).total()
    return _harmonic(common / said.total(), common / expected.total()) if common else 0.0


def _grams(text: str) -> Counter[str]:
    return Counter(word[i : i + _GRAM] for word in words(text) for i in range(max(1, len(word) - _GRAM + 1)))


def _recall(said: Counter[str], expected: Counter[str]) -> float:
    return (said & expected).total() / expected.total() if expected else 0.0


def _share(citations: Citations, holds: Callable[[Mapping[str, Any]], bool]) -> float | None:
    return _ratio(sum(holds(citation) for citation in citations), len(citations))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _harmonic(left: float, right: float) -> float:
    return 2 * left * right / (left + right) if left + right else 0.0
