"""The words of documents that questions have met in this process, with what tells whether a word is another.

A word of a text is cut, folded and romanised once, not once a question: that took longer than all else of matching.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain

import regex

from index.language.sounds import Sound
from index.language.terms import is_function_word, may_be_name, split_words, word_forms, word_ways
from rag.matching.lexical import SHORTEST_STEM

RUNS_KEPT = 100_000
"""What stands between spaces, in all languages, that is remembered, about 95 MB; then it begins anew. Chosen."""

_NUMERAL = regex.compile(r"\p{N}")
# What is longer hardly comes again. Chosen.
_LONGEST_RUN = 64


@dataclass(slots=True, eq=False)  # frozen ones take a microsecond more to make
class Word:
    """A word as `split_words` gives it: equal only to itself.

    `forms` and `sounds` are those of `word_forms` and `word_ways`; `alone` are the sounds by which it is found alone,
    `consonants` are those of the first sound, which is the word's as it stands. `named`: it may be a name as it is
    written.
    """

    forms: tuple[str, ...]
    sounds: tuple[Sound, ...]
    alone: tuple[Sound, ...]
    consonants: str
    named: bool


class Vocabulary:
    """Words of one language. Safe to share between threads.

    Attributes:
        words: in the order in which they were met; only ever appended to.
        numerals: those with a digit or another sign for a number.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.words: list[Word] = []
        self.numerals: set[Word] = set()
        self._lock = threading.Lock()
        self._by_text: dict[str, Word] = {}
        self._runs: dict[str, tuple[Word, ...]] = {}
        self._by_form: defaultdict[str, list[Word]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[Word]] = defaultdict(list)
        self._by_key: defaultdict[str, list[Word]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._runs)

    def read(self, text: str) -> list[Word]:
        """The words of a text, in order."""
        runs = text.split()  # what stands between spaces repeats itself
        found = [
            self._learn(run) if words is None else words
            for run, words in zip(runs, map(self._runs.get, runs), strict=True)
        ]
        return list(chain.from_iterable(found))

    def with_form(self, form: str) -> list[Word]:
        """The words met so far of which this is a form."""
        return list(self._by_form.get(form, ()))

    def with_stem(self, stem: str) -> list[Word]:
        """The words met so far with a form that begins with the first `SHORTEST_STEM` letters of `stem`."""
        return list(self._by_stem.get(stem[:SHORTEST_STEM], ()))

    def with_key(self, key: str) -> list[Word]:
        """The words met so far that have this sound key."""
        return list(self._by_key.get(key, ()))

    def _learn(self, run: str) -> tuple[Word, ...]:
        with self._lock:
            words = tuple([self._by_text.get(text) or self._added(text) for text in split_words(run)])
            if len(run) <= _LONGEST_RUN:
                self._runs[run] = words
        return words

    def _added(self, text: str) -> Word:
        sounds = word_ways(text, self.language)
        alone = () if is_function_word(text, self.language) else sounds
        word = Word(word_forms(text), sounds, alone, sounds[0].consonants, may_be_name(text))
        for form in word.forms:
            self._by_form[form].append(word)
            if len(form) >= SHORTEST_STEM:
                self._by_stem[form[:SHORTEST_STEM]].append(word)
        for key in {sound.key for sound in alone}:
            self._by_key[key].append(word)
        if not text.isalpha() and _NUMERAL.search(text):
            self.numerals.add(word)
        self.words.append(word)
        self._by_text[text] = word
        return word


_lock = threading.Lock()
_vocabularies: dict[str, Vocabulary] = {}


def vocabulary(language: str) -> Vocabulary:
    """The vocabulary of a language that all questions share."""
    with _lock:
        if sum(map(len, _vocabularies.values())) > RUNS_KEPT:
            _vocabularies.clear()
        return _vocabularies.setdefault(language, Vocabulary(language))
