"""The engine of a language model: an answer written from passages of the evidence, then checked claim by claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event, Semaphore
from typing import Literal

from index.catalogue import Reader
from index.embedder import Embedder
from index.language.comparison import stands_in
from index.language.detection import detect
from index.language.lexicon import languages
from rag import extractive
from rag.answer import Grounding, Token
from rag.evidence import Evidence
from rag.extractive import Draft
from rag.llm.client import LanguageModel
from rag.llm.prompting import select_passages
from rag.llm.writing import write_answer
from rag.settings import RagSettings
from rag.verification.support import facts_in
from rag.verification.verify import verify

# Passages that the model is shown, and tokens of each: enough for what stands around a sentence to be clear.
_PASSAGES, _PASSAGE_TOKENS = 6, 300
# A text with fewer letters does not show its language.
_LETTERS = 60

Rejection = Literal["llm_unsupported", "llm_language"]
"""Why an answer cannot be shown: the notice that says so."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished answer. `draft` is None where the model found that the passages do not answer, and where
    `rejected` says why what it wrote cannot be shown."""

    draft: Draft | None
    grounding: Grounding = "none"
    rejected: Rejection | None = None


def answer(
    model: LanguageModel,
    evidence: Evidence,
    *,
    rows: Reader,
    embedder: Embedder,
    settings: RagSettings,
    at_work: Semaphore,
    stop: Event | None = None,
) -> Iterator[Token | Written]:
    """Yield the answer's text as it is written, and last what came of it; nothing last when `stop` was set.

    `at_work` is held while this machine works on it, not while the server does.

    Raises:
        LanguageModelError: the model gave no answer, or not all of it; pieces may have come before.
    """
    question = evidence.question
    passages = select_passages(
        evidence, rows, count=_PASSAGES, tokens=settings.llm_context_tokens, each=_PASSAGE_TOKENS
    )
    writing = write_answer(model, question, passages, settings=settings, stop=stop)
    try:
        for piece in writing:
            yield Token(piece)
    finally:
        writing.close()
    if stop is not None and stop.is_set():
        return
    if writing.not_in_documents:
        yield Written(None)
        return
    if not _is_in(question.language, writing.text):
        yield Written(None, rejected="llm_language")
        return
    with at_work:
        checked = verify(
            writing.text,
            writing.order,
            passages,
            question=question,
            embedder=embedder,
            reads=evidence.reads,
        )
    if checked.grounding == "none":
        yield Written(None, rejected="llm_unsupported")
        return
    short = _short(evidence, checked.text)
    yield Written(Draft(checked.text, short, checked.citations), checked.grounding)


def _is_in(language: str, text: str) -> bool:
    """Whether a text is in a language, as far as one can tell: only languages with a table are told apart."""
    if language not in languages() or sum(character.isalpha() for character in text) < _LETTERS:
        return True
    found = detect(text)
    return found == language or found not in languages()


def _short(evidence: Evidence, text: str) -> str | None:
    """The short answer that the evidence gives, where the model's text says the same."""
    draft = extractive.answer(evidence)
    short = draft.short
    if short is None:
        return None
    facts = facts_in(short, draft.citations[0].language)
    said = facts_in(text, evidence.question.language)
    agrees = all(stands_in(fact, said) for fact in facts) if facts else short.casefold() in text.casefold()
    return short if agrees else None
