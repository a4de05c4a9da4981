"""Metrics in words: a short label and one line of meaning for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A metric's name for a column and what it measures, in one line; the line may be empty."""

    text: str
    meaning: str


LABELS: dict[str, Label] = {
    "recall@1": Label("Passage first", "the first passage holds the answer"),
    "recall@5": Label("Passage in first 5", "one of the first five passages holds the answer"),
    "recall@10": Label("Passage in first 10", "one of the first ten passages holds the answer"),
    "mrr@10": Label("Reciprocal rank", "1 / rank of the first passage that holds the answer, 0 beyond 10"),
    "ndcg@10": Label("nDCG", "gain of the right passages among the first ten, less the later they come"),
    "evidence@1": Label("Evidence first", "the first citation lies where the answer stands"),
    "evidence": Label("Evidence cited", "one of the citations lies where the answer stands"),
    "answer_match": Label("Answer holds it", "an expected string stands in the answer"),
    "short_answer": Label("Short answer", "the short answer holds an expected string"),
    "char3_recall": Label(
        "Letters in common", "share of the expected answer's runs of three letters in the answer"
    ),
    "f1": Label("Word F1", "words in common with the expected answer, precision and recall in one"),
    "citation_exact": Label("Quotes exact", "every quote is the document's text at its offsets"),
    "citation_precision": Label(
        "Citation precision", "share of the citations that are of a document with the answer"
    ),
    "citation_recall": Label("Citation recall", "a document with the answer is cited"),
    "answered": Label("Answered", "questions that the documents answer and that were answered"),
    "refused": Label("Refused", "questions that the documents do not answer and that were refused"),
    "refusal_precision": Label("Refusal precision", "share of the refusals that were right"),
    "refusal_recall": Label("Refusal recall", "share of the questions to be refused that were refused"),
    "refusal_recall.off-topic": Label(
        "Refused off-topic", "share of refusals where a question has nothing to do with the documents"
    ),
    "refusal_recall.unanswered": Label(
        "Refused unanswered", "the same where it is on their topic and they do not say"
    ),
    "refusal_recall.near-miss": Label(
        "Refused near misses", "the same where it asks about another place, year or thing"
    ),
    "turns_right": Label("Turns right", "turns of conversations that came out right"),
    "turns_right.mend": Label("Turns right, mended by", "the same of those that were read to find faults"),
    "turns_right.score": Label("Turns right, score", "the same of those that were not"),
    "answer_language": Label("Answer's language", "the answer is in the question's language"),
}


def label(metric: str) -> Label:
    """The label of a metric; one that is not known goes by its own name, without a meaning."""
    return LABELS.get(metric, Label(metric, ""))
