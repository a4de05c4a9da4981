"""Questions made from statements: a sentence with one name, number or word taken out and asked for.

After Lewis, Denoyer and Riedel 2019, "Unsupervised question answering by cloze translation"
(https://arxiv.org/abs/1906.04980): a noisy cloze teaches where answers stand when real questions are few. What is
asked for stands in the window that is read; between two translations of a paragraph it is found by its sound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import regex
from anyascii import anyascii
from rapidfuzz.fuzz import ratio

from eval.learning.data import Place

NUMBER = regex.compile(r"(?<![\p{L}\d.,])\d[\d.,]*(?<![.,])(?![\p{Latin}\d])")
NAME = regex.compile(r"(?<=\w[,;]?\s)\p{Lu}[\p{L}\p{M}'’-]+(?:\s\p{Lu}[\p{L}\p{M}'’-]*)*")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}'’-]+")
# What asks for what was taken out, where it stood: a count, a year, a name or anything else.
_ASKING = {
    "en": ("how many", "what year", ("what", "who", "which", "what")),
    "hi": ("कितने", "किस वर्ष", ("क्या", "कौन", "किस", "कहाँ")),
    "sv": ("hur många", "vilket år", ("vad", "vem", "vilken", "vilket")),
    "vi": ("bao nhiêu", "năm nào", ("cái gì", "ai", "nào", "đâu")),
    "es": ("cuántos", "qué año", ("qué", "quién", "cuál", "qué")),
    "de": ("wie viele", "welches Jahr", ("was", "wer", "welche", "was")),
    "ro": ("câți", "ce an", ("ce", "cine", "care", "ce")),
    "tr": ("kaç", "hangi yıl", ("ne", "kim", "hangi", "ne")),
}
ASKED = frozenset(_ASKING)
_SAME_SOUND = 80  # of 100, when two words are one name in two scripts; by eye
_COMMON = 0.004  # a word with a larger share of all words is not asked for
_DROPPED = (0.0, 0.15, 0.3)


class Vocabulary:
    """Which words are rare enough to be asked for, counted over some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        for text in texts:
            self._counts.update(word.casefold() for word in _WORD.findall(text))
        self._total = max(sum(self._counts.values()), 1)

    def is_rare(self, word: str) -> bool:
        """Whether a word is worth asking for."""
        return len(word) > 2 and self._counts[word.casefold()] < _COMMON * self._total


def candidates(random: Random, text: str, start: int, end: int, vocabulary: Vocabulary) -> list[Place]:
    """What can be asked for in the sentence `start`..`end` of a text: its numbers and names, or else rare words."""
    sentence = text[start:end]
    found = [*NUMBER.finditer(sentence), *NAME.finditer(sentence)]
    if found:
        return [Place(start + m.start(), start + m.end()) for m in found]
    words = list(_WORD.finditer(sentence))
    rare = [i for i, word in enumerate(words) if vocabulary.is_rare(word.group())]
    if not rare:
        return []
    first = random.choice(rare)
    last = first
    while last + 1 in rare and last - first < 2 and random.random() < 0.6:
        last += 1
    return [Place(start + words[first].start(), start + words[last].end())]


def ask_for(random: Random, text: str, place: Place, sentence: Place, language: str) -> str:
    """The words round `place` in its sentence, some left out, with what stands there asked for."""
    before = text[sentence.start : place.start].split()[-random.randint(3, 10) :]
    after = text[place.end : sentence.end].split()[: random.randint(3, 10)]
    dropped = random.choice(_DROPPED)
    before = [word for word in before if random.random() >= dropped]
    after = [word for word in after if random.random() >= dropped]
    taken = text[place.start : place.end]
    count, year, others = _ASKING[language]
    asking = random.choice(others)
    if NUMBER.fullmatch(taken):
        is_year = len(taken) == 4 and taken.isdecimal() and 1000 <= int(taken) < 2100
        asking = year if is_year else count
    if random.random() < 0.5:
        words = [asking, *before, *after] if random.random() < 0.8 else [asking, *after, *before]
    else:
        words = [*before, asking, *after]
    return " ".join(words).rstrip(".।,;: ") + "?"


def same_in(name: str, text: str) -> Place | None:
    """Where a name of one language stands in a text of another, when it does so once; by its letters or its sound."""
    if text.count(name) == 1:
        start = text.index(name)
        return Place(start, start + len(name))
    places = []
    words = list(_WORD.finditer(text))
    sounds = [anyascii(word.group()).casefold() for word in words]
    for part in name.split():
        sound = anyascii(part).casefold()
        if len(sound) < 4:
            return None
        alike = [
            i
            for i, other in enumerate(sounds)
            if abs(len(other) - len(sound)) < 5 and ratio(sound, other) >= _SAME_SOUND
        ]
        if len(alike) != 1:
            return None
        places.append(alike[0])
    if not places or max(places) - min(places) != len(places) - 1:
        return None
    return Place(words[min(places)].start(), words[max(places)].end())
