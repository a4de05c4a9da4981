"""How well a claim is supported by passages: a logistic model over features, fitted by `eval.learning.fit_support`.

The judge's word (`rag.reader.verdict`) weighs most. Without a judge nearness and names alone decide, and what they let
pass is not called verified.

The coefficients and the threshold lie beside this file with the recipe that made them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder
from index.language.comparison import stands_in
from index.language.lexicon import languages
from index.language.quantities import Habit, Quantity, digit_habit, find_quantities
from index.types import Sentence
from rag.reader.verdict import Verdict
from rag.verification.passage import Passage

# Whole numbers up to this are often written in words, which cannot be read in a language without a table.
# Chosen.
_IN_WORDS = 20

# What is judged: code points of a passage around the sentence nearest to the claim. Chosen: as long as the windows that
# the judge was taught with.
_WINDOW = 400
# A passage with fewer sentences, such as a caption, does not support a claim that does not cite it. Chosen.
_FEW = 4

MODEL_FILE = Path(__file__).with_name("support.json")


@dataclass(frozen=True, slots=True)
class Features:
    """What the score of support rests on.

    Attributes:
        cosine: of the claim to the sentence nearest to it.
        same_language: 1 when that sentence is in the claim's language.
        supported: log odds that a cited passage supports it, of the one that does most; None without a judge.
        contradicted: log odds that this passage contradicts it; None without a judge.
    """

    cosine: float
    same_language: float
    supported: float | None = None
    contradicted: float | None = None


def probability(features: Features) -> float:
    """The probability, in [0, 1], that the sentences support the claim."""
    model = _model_for(features)
    values = asdict(features)
    score = model["intercept"] + sum(
        weight * (values[name] or 0.0) for name, weight in model["weights"].items()
    )
    return 1 / (1 + math.exp(-score))


def threshold(features: Features, *, cited: bool) -> float:
    """The probability below which a claim with such features is not supported; one that cites nothing needs more."""
    return float(_model_for(features)["threshold" if cited else "uncited"])


def contradicted(features: Features) -> bool:
    """Whether the cited passage says the opposite of a claim that it does not support."""
    return features.contradicted is not None and features.contradicted >= float(_models()["contradicted"])


def _model_for(features: Features) -> dict[str, Any]:
    model: dict[str, Any] = _models()["near" if features.supported is None else "judged"]
    return model


@cache
def _models() -> dict[str, Any]:
    models: dict[str, Any] = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return models


@dataclass(frozen=True, slots=True)
class Source:
    """A passage with its sentences' vectors (sentences, dimension), facts and terms, and those of its title."""

    passage: Passage
    vectors: NDArray[np.float32]
    facts: tuple[tuple[Quantity, ...], ...]
    titled: tuple[Quantity, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The passage's sentences."""
        return self.passage.sentences

    @property
    def language(self) -> str:
        """The language of its chunk."""
        return self.passage.hit.chunk.language

    def all_facts(self) -> tuple[Quantity, ...]:
        """The facts of its sentences and its title."""
        return tuple(fact for facts in (*self.facts, self.titled) for fact in facts)


def sources_of(passages: Sequence[Passage], embedder: Embedder) -> list[Source]:
    """The passages, their sentences embedded in one call."""
    texts = list(dict.fromkeys(sentence.text for passage in passages for sentence in passage.sentences))
    rows = {text: row for row, text in enumerate(texts)}
    vectors = embedder.embed_passages(texts)
    found = []
    for passage in passages:
        own = [rows[sentence.text] for sentence in passage.sentences]
        found.append(
            Source(
                passage,
                vectors[own],
                tuple(facts_in(s.text, s.language, habit=_habit(passage, s)) for s in passage.sentences),
                facts_in(passage.hit.title, passage.hit.document_language),
            )
        )
    return found


def facts_in(text: str, language: str, *, habit: Habit | None = None) -> tuple[Quantity, ...]:
    """The numbers, dates and codes of a text, those included that may be none."""
    return tuple(find_quantities(text, language, weak=True, habit=habit))


def _habit(passage: Passage, sentence: Sentence) -> Habit:
    return digit_habit(passage.text, sentence.language)


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim, read and embedded: `vector` (dimension,) of unit length; `read_as`: what it means."""

    language: str
    read_as: str
    vector: NDArray[np.float32]
    facts: tuple[Quantity, ...]


def stated(
    texts: Sequence[str], language: str, embedder: Embedder, *, read_as: Sequence[str] | None = None
) -> list[Stated]:
    """Claims as they are compared with passages, embedded in one call.

    `read_as`: for each what it means, where its own words say too little; None: its words.
    """
    meanings = texts if read_as is None else read_as
    if not meanings:
        return []
    vectors = embedder.embed_passages(meanings)
    return [
        Stated(language, meaning, vector, facts_in(text, language))
        for text, meaning, vector in zip(texts, meanings, vectors, strict=True)
    ]


def features_of(claim: Stated, cited: Sequence[Source], verdicts: Sequence[Verdict]) -> Features:
    """The features of a claim.

    Args:
        cited: the passages it is held against; they have at least one sentence.
        verdicts: what each of them says to it; none without a judge.
    """
    best, sentence = max(
        (
            (float(row @ claim.vector), sentence)
            for source in cited
            for sentence, row in zip(source.sentences, source.vectors, strict=True)
        ),
        key=lambda each: each[0],
    )
    verdict = max(verdicts, default=None)
    return Features(
        cosine=best,
        same_language=float(sentence.language == claim.language),
        supported=None if verdict is None else _log_odds(verdict.supported),
        contradicted=None if verdict is None else _log_odds(verdict.contradicted),
    )


def window_of(claim: Stated, source: Source) -> str:
    """What of a passage is judged: its sentences around the one nearest to the claim."""
    passage, sentences = source.passage, source.sentences
    first = last = int((source.vectors @ claim.vector).argmax())
    while True:
        size = sentences[last].end - sentences[first].start
        before = first > 0 and size + len(sentences[first - 1].text) < _WINDOW
        after = last + 1 < len(sentences) and size + len(sentences[last + 1].text) < _WINDOW
        if not before and not after:
            break
        first, last = first - before, last + after
    return passage.text[sentences[first].start - passage.start : sentences[last].end - passage.start]


def stands_alone(source: Source) -> bool:
    """Whether a passage may support a claim that does not cite it."""
    return sum(sentence.kind == "body" for sentence in source.sentences) >= _FEW


def _log_odds(probability: float) -> float:
    """Within -8 to 8: beyond, a network's word is no surer."""
    return math.log(probability + 3e-4) - math.log(1 - probability + 3e-4)


def missing_facts(claim: Stated, cited: Sequence[Source], repeated: Sequence[Quantity]) -> list[Quantity]:
    """The facts of a claim that stand neither in the passages, their titles included, nor among the `repeated`."""
    held = [*repeated, *(fact for source in cited for fact in source.all_facts())]
    readable = all(sentence.language in languages() for source in cited for sentence in source.sentences)
    return [
        fact
        for fact in claim.facts
        if not fact.weak and (readable or not _may_be_in_words(fact)) and not stands_in(fact, held)
    ]


def _may_be_in_words(fact: Quantity) -> bool:
    small = all(value <= _IN_WORDS and value.is_integer() for value in fact.values)
    number = bool(fact.values) and not (fact.code or fact.days or fact.minutes)
    return number and (fact.in_words or (small and fact.kind != "share"))
