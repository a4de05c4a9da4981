"""Finds the terms of one question in many texts.

The same answer as `rag.matching.lexical.matched` over `text_terms`, which make all terms of a text. Here a question
first finds the words of the vocabulary that meet its terms, and a text is only asked which of these it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import regex

from index.language.sounds import Sound, joined, one_name
from index.language.terms import joined_terms
from rag.matching.lexical import Term, Wanted, is_stem
from rag.matching.vocabulary import Word, vocabulary

_NUMERAL = regex.compile(r"\p{N}")
_CAPITALS = regex.compile(r"\p{Lu}{3}[-/]?\p{N}")


class Matcher:
    """Looks for the terms of a question. For one question and one thread."""

    def __init__(self, asked: Wanted) -> None:
        self.asked = asked
        # What is heard of the terms with a key, and their places.
        self._keys: dict[str, list[tuple[str, int]]] = {}
        for place, term in enumerate(asked.terms):
            for way in term.sounds:
                self._keys.setdefault(way.key, []).append((way.heard, place))
        # The consonants of a first word, and of what second words they make a key that is looked for.
        tails: dict[str, set[str]] = {}
        for consonants in {way.consonants for term in asked.terms for way in term.sounds}:
            for end in range(len(consonants) + 1):
                tails.setdefault(consonants[:end], set()).add(consonants[end:])
        self._tails = {head: frozenset(found) for head, found in tails.items()}
        self._languages: dict[str, _Language] = {}
        self._looked: dict[tuple[str, str], tuple[int, int]] = {}

    def matched(self, text: str, language: str) -> dict[Term, bool]:
        """The terms that stand in the text: True as they are written, False by their sound."""
        exact, heard = self._look([text], language)
        return {
            term: bool(exact >> place & 1)
            for place, term in enumerate(self.asked.terms)
            if (exact | heard) >> place & 1
        }

    def positions(self, texts: Sequence[str], language: str) -> set[int]:
        """Positions of the question's words that stand in any of the texts."""
        exact, heard = self._look(texts, language)
        return {
            position
            for place, term in enumerate(self.asked.terms)
            if (exact | heard) >> place & 1
            for position in range(term.first, term.last + 1)
        }

    def _look(self, texts: Sequence[str], language: str) -> tuple[int, int]:
        alone = (texts[0], language) if len(texts) == 1 else None
        if alone is not None and alone in self._looked:  # a passage is looked at for several ends
            return self._looked[alone]
        if language not in self._languages:
            self._languages[language] = _Language(self.asked, language, self._keys, self._tails)
        found = self._languages[language].look(texts)
        if alone is not None:
            self._looked[alone] = found
        return found


class _Language:
    """What the question's terms are met by in texts of one language. Sets of terms are the bits of a number."""

    def __init__(
        self,
        asked: Wanted,
        language: str,
        keys: Mapping[str, Sequence[tuple[str, int]]],
        tails: Mapping[str, frozenset[str]],
    ) -> None:
        self._terms = asked.terms
        self._keys = keys
        self._tails = tails
        self._forms: dict[str, int] = {}
        self._stems: list[tuple[str, int]] = []
        self._not_names = 0
        for place, term in enumerate(asked.terms):
            is_name = asked.is_name(term)
            if not is_name:
                self._not_names |= 1 << place
            if is_name or language == asked.language:
                for form in term.forms:
                    self._forms[form] = self._forms.get(form, 0) | 1 << place
            if is_name:
                # Longer words count that begin with a name: compounds and case endings ("Lumenmuseet").
                self._stems += [(form, 1 << place) for form in term.forms if is_stem(form)]
        self._any_stem = tuple(form for form, _ in self._stems)
        # Joined terms hold a digit. One that begins with a name without a digit begins with capitals before digits.
        numeric = any(_NUMERAL.search(form) for form in self._forms)
        self._may_be_joined = _NUMERAL if numeric else _CAPITALS if self._stems else None
        # The words that meet a term: as it is written, and by their sound.
        self._met: dict[Word, tuple[int, int]] = {}
        self._vocabulary = vocabulary(language)
        self._known = len(self._vocabulary.words)
        self._meet_known()

    def look(self, texts: Sequence[str]) -> tuple[int, int]:
        """The terms that stand in any of the texts as written, and those that sound like something in one of them."""
        read = [self._vocabulary.read(text) for text in texts]
        if self._known < len(self._vocabulary.words):
            for word in self._vocabulary.words[self._known :]:
                self._known += 1
                self._meet(word)
        exact = heard = 0
        for text, words in zip(texts, read, strict=True):
            distinct = set(words)
            for word in distinct.intersection(self._met):
                written, sounding = self._met[word]
                exact |= written
                heard |= sounding
            joined = self._may_be_joined
            if (
                joined is not None
                and not self._vocabulary.numerals.isdisjoint(distinct)
                and joined.search(text)
            ):
                exact |= self._written(joined_terms(text))
            heard |= self._pairs(words)
        return exact, heard

    def _meet_known(self) -> None:
        """Look at the words of the vocabulary that may meet a term."""
        known = self._vocabulary
        for form in self._forms:
            self._meet(*known.with_form(form))
        for stem in self._any_stem:
            self._meet(*known.with_stem(stem))
        for key in self._keys:
            self._meet(*known.with_key(key))

    def _meet(self, *words: Word) -> None:
        for word in words:
            exact = self._written(word.forms) if self._forms else 0
            heard = self._sounding(word.alone, named=word.named)
            if exact or heard:
                self._met[word] = exact, heard

    def _written(self, forms: Iterable[str]) -> int:
        found = 0
        for form in forms:
            found |= self._forms.get(form, 0)
            if self._any_stem and form.startswith(self._any_stem):
                for stem, places in self._stems:
                    if form.startswith(stem):
                        found |= places
        return found

    def _sounding(self, sounds: Iterable[Sound], *, named: bool) -> int:
        """The terms that any of the sounds is heard as; only what is `named` is heard as a name."""
        found = 0
        for sound in sounds:
            for asked, place in self._keys.get(sound.key, ()):
                if one_name(asked, sound.heard):
                    found |= 1 << place
        return found if named else found & self._not_names

    def _pairs(self, words: Sequence[Word]) -> int:
        """Adjacent words that together sound like a term."""
        found, tails = 0, self._tails
        for left, right in pairwise(words):
            if left.consonants in tails:
                head = left.sounds[0]
                for tail in right.sounds:
                    if tail.inner in tails[left.consonants]:
                        found |= self._sounding([joined(head, tail)], named=left.named)
        return found
