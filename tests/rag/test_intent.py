"""What messages want: held-out wordings in five languages, and what must stay a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.learning.intent_texts import HELD_OUT, wordings
from index.embedder import Embedder
from index.language.lexicon import languages
from rag.intent import QUESTION, UNCLEAR, Intents, examples, surface


@pytest.fixture(scope="module")
def intents(embedder: Embedder) -> Intents:
    return Intents(embedder)


class OfAnotherModel:
    """An embedder whose vectors the weights do not know."""

    revision = "another"

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError("the vectors of another model say nothing")


@pytest.mark.parametrize("language", languages())
def test_wordings_that_were_not_learnt_from_are_told(intents: Intents, language: str) -> None:
    held_out = [wording for wording in wordings(HELD_OUT) if wording.language == language]
    right = [intents.of(w.text).intent == w.kind.partition(".")[0] for w in held_out]
    assert len(held_out) >= 30
    assert sum(right) / len(right) >= 0.95


@pytest.mark.parametrize("language", languages())
def test_nothing_is_measured_on_what_was_learnt_from(language: str) -> None:
    def texts(kinds: Mapping[str, tuple[str, ...]]) -> set[str]:
        return {text.casefold().strip("?!.।” ") for each in kinds.values() for text in each}

    assert not texts(examples()[language]) & texts(examples(HELD_OUT)[language])


QUESTIONS = {
    "documents to hand in": "How many documents must an applicant hand in?",
    "what is said": "What is said about the new library?",
    "published": "How many maps did Rivermouth publish?",
    "follow-up": "And for children?",
    "follow-up vi": "Còn người cao tuổi thì sao?",
    "one word": "Why?",
    "keywords": "parental leave days",
    "a name": "Varnholt",
    "after a greeting": "Hello, when does the office open?",
    "after thanks": "Thanks! And how much does it cost?",
    "a help line": "When can the help line be called?",
    "a novel": "What is the novel about?",
    "romanised": "library kab khulti hai",
    "code": "Resolution 12/2019",
}


@pytest.mark.parametrize("text", QUESTIONS.values(), ids=QUESTIONS)
def test_questions_stay_questions(intents: Intents, text: str) -> None:
    assert intents.of(text).kind == QUESTION


KINDS = {
    "namaste": ("smalltalk.greeting", "hi"),
    "dhonnobad": ("smalltalk.thanks", "bn"),
    "cam on ban": ("smalltalk.thanks", "vi"),
    "tack": ("smalltalk.thanks", "sv"),
    "hi": ("smalltalk.greeting", "en"),
    "vem är du": ("smalltalk.identity", "sv"),
    "HELP": ("smalltalk.ability", "en"),
    "How many documents do you have?": ("collection.count", "en"),
    "নতুন কী আছে?": ("collection.newest", "bn"),
    "summarise the fire report": ("summary.document", "en"),
    "in English please": ("meta.translate", "en"),
    "dobara batao": ("meta.repeat", "hi"),
}


@pytest.mark.parametrize("text", KINDS)
def test_kind_and_language(intents: Intents, text: str) -> None:
    said = intents.of(text)
    assert (said.kind, said.language) == KINDS[text]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("summarise “{}”", "summary.document"),
        ("tóm tắt “{}”", "summary.document"),
        ("“{}” এর সারাংশ দিন", "summary.document"),
        ("What is said about “{}”?", QUESTION),
        ("Vad sägs om ”{}”?", QUESTION),
    ],
)
def test_a_title_in_quotes_says_nothing_of_what_is_wanted(intents: Intents, text: str, kind: str) -> None:
    assert (
        intents.of(text.format("A new hospital for Northfield opens its doors after seven years")).kind
        == kind
    )


@pytest.mark.parametrize("text", ["", "   ", "?", "...", "😀", "!!! 👍", "।"])
def test_without_a_letter_nothing_is_clear(intents: Intents, text: str) -> None:
    assert intents.of(text).kind == UNCLEAR


def test_long_messages_are_questions(intents: Intents) -> None:
    assert intents.of("thank you " * 40).kind == QUESTION


def test_beside_another_model_the_words_decide() -> None:
    intents = Intents(OfAnotherModel())  # type: ignore[arg-type]
    right = [intents.of(w.text).intent == w.kind.partition(".")[0] for w in wordings(HELD_OUT)]
    assert sum(right) / len(right) >= 0.8


@pytest.mark.parametrize("text", ["", "?", "a", "ক", "Cần Thơ", "x" * 10_000], ids=str)
def test_the_surface_of_any_text_has_the_same_size(text: str) -> None:
    values = surface(text[:300])
    assert values.shape == surface("hello").shape
    assert np.isfinite(values).all()
