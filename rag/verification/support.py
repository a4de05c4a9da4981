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
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder
from index.language.comparison import stands_in
from index.language.lexicon import languages, lexicon
from index.language.quantities import Habit, Quantity, digit_habit, find_quantities
from index.language.terms import fold
from index.types import Sentence
from rag.matching.lexical import TextTerms, Wanted, matched, text_terms, wanted
from rag.question import Question, analyse
from rag.reader.verdict import Verdict
from rag.verification.passage import Passage

# Whole numbers up to this are often written in words, which cannot be read in a language without a table.
# Chosen.
_IN_WORDS = 20
# Names and pairs of them that are left out one at a time, each costing one short text to embed. Chosen for
# time.
_NAMES_LEFT_OUT = 24

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
        unheld: how much nearer the claim comes to that sentence when one term is left out that is written as a name
            and stands in no cited passage, title or question, as a cosine; 0 when every such term draws it nearer.
            A name that is only translated draws it nearer, a wrong one pushes it away. 0 in scripts without capitals.
        rare: the same for words of such scripts that the vocabulary does not have whole, as most names; else 0.
        names: part of the words written as names that stand there; 1 when there are none.
        supported: log odds that a cited passage supports it, of the one that does most; None without a judge.
        contradicted: log odds that this passage contradicts it; None without a judge.
    """

    cosine: float
    same_language: float
    unheld: float
    rare: float
    names: float
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


def name_threshold() -> float:
    """How far a name that stands nowhere may push a claim away before it is called wrong, as a cosine."""
    return float(_models()["name_threshold"])


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

    def terms(self) -> list[TextTerms]:
        """The terms of its sentences and its title."""
        hit = self.passage.hit
        sentences = [text_terms(sentence.text, sentence.language) for sentence in self.sentences]
        return [text_terms(hit.title, hit.document_language), *sentences]


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
    """A claim, analysed and embedded: `vector` (dimension,) of unit length; `read_as`: what it means."""

    asked: Question
    read_as: str
    wanted: Wanted
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
    found = []
    for text, meaning, vector in zip(texts, meanings, vectors, strict=True):
        asked = analyse(text, language=language)
        found.append(Stated(asked, meaning, wanted(asked), vector, facts_in(text, language)))
    return found


def features_of(
    claim: Stated,
    cited: Sequence[Source],
    verdicts: Sequence[Verdict],
    known: Sequence[TextTerms],
    embedder: Embedder,
) -> tuple[Features, str]:
    """The features of a claim, and the name or rare word that pushes it away most, "" for none.

    Args:
        cited: the passages it is held against; they have at least one sentence.
        verdicts: what each of them says to it; none without a judge.
        known: terms of texts whose names a claim may repeat, such as the question's.
    """
    best, sentence, vector = max(
        (
            (float(row @ claim.vector), sentence, row)
            for source in cited
            for sentence, row in zip(source.sentences, source.vectors, strict=True)
        ),
        key=lambda each: each[0],
    )
    held = _held(claim, [*known, *(terms for source in cited for terms in source.terms())])
    push, name = _unheld(claim, held, vector, embedder)
    cased = is_cased(claim.asked.text)
    verdict = max(verdicts, default=None)
    features = Features(
        cosine=best,
        same_language=float(sentence.language == claim.asked.language),
        unheld=push if cased else 0.0,
        rare=0.0 if cased else push,
        names=_share_of_names(claim, held),
        supported=None if verdict is None else _log_odds(verdict.supported),
        contradicted=None if verdict is None else _log_odds(verdict.contradicted),
    )
    return features, name


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


def wrong_name(features: Features, *, least: float) -> bool:
    """Whether the name that stands nowhere is taken for a wrong one.

    In one language a name is written alike, so that any push tells; between languages it must be `least`. Without
    capitals, a word may look like a name and be none: there the score alone decides.
    """
    return features.unheld > 0 if features.same_language else features.unheld >= least


def is_cased(text: str) -> bool:
    """Whether most letters of a text are of a script with capitals."""
    letters = [character for character in text if character.isalpha()]
    return sum(c.islower() or c.isupper() for c in letters) * 2 > len(letters)


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


def _held(claim: Stated, texts: Sequence[TextTerms]) -> frozenset[int]:
    """Positions of the claim's words that stand in any of the texts, in any script."""
    return frozenset(
        position
        for text in texts
        for term in matched(claim.wanted, text)
        for position in range(term.first, term.last + 1)
    )


def _share_of_names(claim: Stated, held: frozenset[int]) -> float:
    names = [p for p in claim.wanted.names if not any(c.isnumeric() for c in claim.wanted.words[p])]
    return sum(position in held for position in names) / len(names) if names else 1.0


def _unheld(
    claim: Stated, held: frozenset[int], nearest: NDArray[np.float32], embedder: Embedder
) -> tuple[float, str]:
    """How far the worst name that stands nowhere pushes the claim from the sentence nearest to it."""
    names = _names(claim, held, embedder)
    if not names:
        return 0.0, ""
    words = claim.wanted.words
    without = [
        " ".join(word for position, word in enumerate(words) if position not in term) for term in names
    ]
    plain, *others = embedder.embed_passages([" ".join(words), *without])
    pushes = (np.stack(others) - plain) @ nearest
    worst = int(pushes.argmax())
    push = float(pushes[worst])
    return (push, " ".join(words[p] for p in _whole(names[worst], names))) if push > 0 else (0.0, "")


def _whole(name: range, names: Sequence[range]) -> range:
    """A name with the adjacent words that are names too."""
    positions = {position for other in names for position in other}
    first, last = name.start, name.stop
    while first - 1 in positions:
        first -= 1
    while last in positions:
        last += 1
    return range(first, last)


def _names(claim: Stated, held: frozenset[int], embedder: Embedder) -> list[range]:
    """Positions of the words, and of pairs of adjacent ones, that are written as names and held by nothing.

    Where capitals make a name of several words only, or where there are none, a word that the vocabulary does not
    have whole counts: most names are such words.
    """
    words = claim.wanted.words
    cased = is_cased(claim.asked.text)
    capitals = {word for name in claim.asked.names for word in name}
    stop = lexicon(claim.asked.language).stop
    found = []
    for position, pieces in enumerate(embedder.count_tokens(list(words))):
        word = words[position]
        rare = pieces > 1 and (word[:1].isupper() and position > 0 if cased else fold(word) not in stop)
        numeric = any(character.isnumeric() for character in word)
        if position not in held and not numeric and (rare or word in capitals):
            found.append(position)
    pairs = [range(left, right + 1) for left, right in pairwise(found) if right == left + 1]
    singles = [range(position, position + 1) for position in found]
    # Nothing is left of a claim that is one name.
    return [term for term in (*pairs, *singles) if len(term) < len(words)][:_NAMES_LEFT_OUT]
