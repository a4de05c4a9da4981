"""Words of one language with their nearest in another, found by the bundled encoder alone, and texts that mix the two.

Of most pairs of languages no questions exist: nothing asks in Swedish what a Bengali text answers. A question whose
words are exchanged for their pairs in another language is read much like one in that language (Qin et al. 2020,
"CoSDA-ML", https://arxiv.org/abs/2006.06402). The pairs come from the vectors of single words, by cross-domain
similarity local scaling (Conneau et al. 2018, "Word translation without parallel data",
https://arxiv.org/abs/1710.04087, section 2.3): no dictionary is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import numpy.typing as npt
import regex
from anyascii import anyascii

from eval.learning.data import Corpus, Place
from eval.learning.pool import Item
from eval.learning.windows import Example
from index.language.lexicon import lexicon

Float32 = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Float32]

# Languages that are mixed, and how often each is put in the place of another.
_INTO = {"en": 3.0, "bn": 3.0, "hi": 2.0, "vi": 2.0, "sv": 2.0}
# Words of each language, the most frequent; one that stands once may be a misprint.
_WORDS, _LEAST = 12_000, 2
# Neighbours that tell how crowded the place of a vector is, and what a pair must reach. Chosen by eye on 200
# pairs: most above 0.25 are translations, most below 0.1 are none.
_NEIGHBOURS, _NEAR = 10, 0.18
# How often words are exchanged: of a question whose text is Bengali, of which no others exist; of a claim, which public
# data has in two of the languages; of any other question; of a text.
_BENGALI, _CLAIM, _QUESTION, _TEXT = 0.6, 0.3, 0.12, 0.1
# The share of the words that have a pair of which some are exchanged: drawn between.
_FEWEST, _MOST = 0.5, 1.0
# How often a frequent word without a pair is left out of a question: it would be found in the text letter by letter.
_LEFT_OUT = 0.5
_WORD = regex.compile(r"[\p{L}\p{M}]+")
# A consonant before another letter, without a vowel sign or the sign that it has no vowel.
_UNWRITTEN = regex.compile(r"[\u0915-\u0939\u0995-\u09b9]\u09bc?\u093c?(?=\p{L})")


class WordPairs:
    """Words and their pairs, by language and language.

    Args:
        texts: of each language, any that it is written in.
        embed: vectors of words: (texts, dimension) float32 of length 1.
    """

    def __init__(self, texts: Mapping[str, Iterable[str]], embed: Embed) -> None:
        words = {language: _frequent(texts[language], language) for language in _INTO if language in texts}
        self._frequent = {language: frozenset(found) for language, found in words.items()}
        vectors = {language: _centred(embed(found)) for language, found in words.items() if found}
        self._pairs = {
            (one, other): _nearest(words[one], vectors[one], words[other], vectors[other])
            for one in vectors
            for other in vectors
            if one != other
        }

    def mutual(self, language: str, into: str) -> dict[str, str]:
        """Words of one language with those of another that are each other's nearest."""
        back = self._pairs.get((into, language), {})
        found = self._pairs.get((language, into), {})
        return {word: other for word, other in found.items() if back.get(other) == word}

    def mixed(self, random: Random, example: Example) -> Example:
        """The example, now and then with words of its question, or of its text, in another language."""
        share = (
            _BENGALI if example.read == example.asked == "bn" else _CLAIM if example.verdicts else _QUESTION
        )
        if random.random() < share:
            example = self._question(random, example)
        if random.random() < _TEXT and example.read in _INTO:
            example = self._window(random, example)
        return example

    def _question(self, random: Random, example: Example) -> Example:
        into = self._into(random, example.asked)
        if into is None:
            return example
        # A word left out of a claim may turn it round.
        names = not example.verdicts
        text, _ = self._exchanged(random, example.question, example.asked, into, names=names)
        return replace(example, question=" ".join(text.split()), asked=into)

    def _window(self, random: Random, example: Example) -> Example:
        into = self._into(random, example.read)
        if into is None:
            return example
        text, moved = self._exchanged(random, example.window, example.read, into, names=False)
        places = [
            Place(moved(place.start), moved(place.end))
            for place in (example.answer, *example.also)
            if place is not None
        ]
        answer, also = (places[0], tuple(places[1:])) if places else (None, ())
        return replace(example, window=text, answer=answer, also=also)

    def _into(self, random: Random, language: str) -> str | None:
        """The language whose words take the place of a language's; None where there are no pairs of it."""
        others = [other for other in _INTO if (language, other) in self._pairs]
        return random.choices(others, [_INTO[other] for other in others])[0] if others else None

    def _exchanged(
        self, random: Random, text: str, language: str, into: str, *, names: bool
    ) -> tuple[str, Callable[[int], int]]:
        """The text with some of its words exchanged, and where each boundary of a word is now.

        With `names`, rare words without a pair, names mostly, are written in Latin letters where the other language is,
        and some of the frequent ones without a pair are left out.
        """
        pairs, share = self._pairs[language, into], random.uniform(_FEWEST, _MOST)
        latin = names and into in {"en", "vi", "sv"} and language in {"bn", "hi"}
        pieces, moved, at, grown = [], {0: 0}, 0, 0
        for match in _WORD.finditer(text):
            word = match.group()
            plain = word.casefold()
            other = pairs.get(plain)
            if other is not None:
                other = other.capitalize() if word[:1].isupper() else other
                chosen = other if random.random() < share else word
            elif names and plain in self._frequent[language]:
                chosen = "" if random.random() < _LEFT_OUT else word
            else:
                chosen = _in_latin(word) if latin else word
            moved[match.start()] = match.start() + grown
            pieces += [text[at : match.start()], chosen]
            grown += len(chosen) - len(word)
            at = match.end()
            moved[at] = at + grown
        pieces.append(text[at:])
        starts = sorted(moved)
        starts_array = np.array(starts)

        def place(position: int) -> int:
            known = starts[int(np.searchsorted(starts_array, position, side="right")) - 1]
            return moved[known] + position - known

        return "".join(pieces), place


def texts_of(corpus: Corpus, items: Iterable[Item]) -> dict[str, list[str]]:
    """Every text and question that is learnt from, once, by language."""
    found: dict[str, dict[str, None]] = {}
    for passage in corpus.passages:
        for wordings in (passage.contexts, *(ask.texts for ask in passage.asks.values())):
            for language, text in wordings.items():
                found.setdefault(language, {})[text] = None
    for texts in corpus.texts:
        found.setdefault(texts.language, {}).update(dict.fromkeys(texts.passages))
    for judged in corpus.unanswered:
        found.setdefault(judged.language, {}).update(dict.fromkeys([judged.question, *judged.passages]))
    for item in items:
        found.setdefault(item.asked, {})[item.question] = None
        found.setdefault(item.read, {})[item.text] = None
    return {language: list(texts) for language, texts in found.items()}


def _frequent(texts: Iterable[str], language: str) -> list[str]:
    """The most frequent words; of a language that writes syllables apart, pairs of them too."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = [word.casefold() for word in _WORD.findall(text)]
        counts.update(words)
        if lexicon(language).syllabic:
            counts.update(" ".join(pair) for pair in pairwise(words))
    return [word for word, count in counts.most_common(_WORDS) if count >= _LEAST and len(word) > 1]


def _in_latin(word: str) -> str:
    """A Bengali or Hindi name in Latin letters: anyascii leaves out the vowel that consonants have unwritten."""
    return anyascii(_UNWRITTEN.sub(r"\g<0>a", word)).capitalize()


def _centred(vectors: Float32) -> Float32:
    """Vectors of one language without what all of them share, of length 1."""
    vectors = vectors - vectors.mean(axis=0)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _nearest(
    words: Sequence[str], vectors: Float32, others: Sequence[str], other_vectors: Float32
) -> dict[str, str]:
    """For each word the nearest of the others, where it is near enough."""
    cosines = vectors @ other_vectors.T
    count = min(_NEIGHBOURS, len(words), len(others))
    around = np.partition(cosines, -count, axis=1)[:, -count:].mean(axis=1)
    around_others = np.partition(cosines, -count, axis=0)[-count:].mean(axis=0)
    scaled = 2 * cosines - around[:, None] - around_others[None]
    best = scaled.argmax(axis=1)
    return {
        word: others[place]
        for word, place, score in zip(words, best, scaled.max(axis=1), strict=True)
        if score >= _NEAR
    }
