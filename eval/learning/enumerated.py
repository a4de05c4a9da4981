"""Made enumerations: "2 bác sĩ, 5 điều dưỡng và 1 dược sĩ", "fredag 9.30–17, lördag 10–15", asked in another language.

Of several values of one kind the one that is asked for stands with the word of the question, in whichever language that
is. Public questions hardly ever need it: of most sentences, one thing alone is of the kind. Words come from
`eval.learning.word_pairs`, where each is the nearest of the other, and from CLDR's names of territories, languages and
days; values from `eval.learning.office`. What is said means nothing: it teaches to find the place, and no more.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random

from babel import Locale

from eval.learning.data import Place
from eval.learning.office import LANGUAGES, Scene, form_of
from eval.learning.windows import Example, Windows
from eval.learning.word_pairs import WordPairs

# Shares, set by judgement: questions in the text's own language, those that nothing answers, keys that are words, and
# windows with a sentence of another text before or after.
_ONE_LANGUAGE, _ABSENT, _WORDS, _BEFORE, _AFTER = 0.15, 0.2, 0.65, 0.5, 0.4
# Values before the word that they count, joints that end in "and", questions that begin with a capital.
_FIRST, _AND, _CAPITAL = 0.6, 0.6, 0.7
_KEYS = (2, 5)
_LONGEST_SENTENCE = 220  # code points
_BETWEEN = ("{w}: {v}", "{w} {v}", "{w} – {v}", "{w} ({v})", "{w} = {v}")
_VALUE_FIRST = ("{v} {w}",)
_JOINED = (", ", "; ", "\n", "\n- ", " / ")
# Kinds of values as office.toml names them, and which of its questions ask for one.
_KINDS = {
    "2..90": "many",
    "110..9800": "many",
    "money 20..900": "much",
    "percent 3..95": "much",
    "days 3..60": "much",
    "kilometres 2..90": "much",
    "opening": "when",
    "clock": "when",
    "date": "when",
    "person": "who",
    "phone": "much",
}


class Enumerated:
    """Draws made enumerations.

    Args:
        pairs: words and their translations.
        texts: any texts by language, of which sentences stand beside.
        windows: cuts them.
    """

    def __init__(self, pairs: WordPairs, texts: Mapping[str, Sequence[str]], windows: Windows) -> None:
        self._texts, self._windows = texts, windows
        self._words = {
            (asked, read): sorted(pairs.mutual(asked, read).items())
            for asked in LANGUAGES
            for read in LANGUAGES
            if asked != read
        }
        self._office = tomllib.loads(Path(__file__).with_name("office.toml").read_text(encoding="utf-8"))

    def draw(self, random: Random) -> Example | None:
        """The next example; None where a draw comes to nothing."""
        asked, read = random.sample(LANGUAGES, 2)
        names = random.random() >= _WORDS
        keys = _named(asked, read)[random.randrange(3)] if names else self._words[asked, read]
        if random.random() < _ONE_LANGUAGE:
            asked, keys = read, [(word, word) for _, word in keys]
        count = random.randint(*_KEYS) + 1
        if len(keys) < count:
            return None
        (question, wanted), *others = random.sample(keys, count)
        kind = random.choice(list(_KINDS))
        absent = random.random() < _ABSENT
        words = [word for _, word in others[: count - 1]] if absent else [wanted, *(w for _, w in others[1:])]
        folded = [word.casefold() for word in words]
        if any(wanted.casefold() in word for word in folded[0 if absent else 1 :]) or len({*folded}) < len(
            words
        ):
            return None
        random.shuffle(words)
        text, places = self._listed(random, read, kind, words)
        before, after = (self._sentence(random, read, share) for share in (_BEFORE, _AFTER))
        start = len(before) + 1 if before else 0
        window = " ".join(part for part in (before, text, after) if part)
        if absent and wanted.casefold() in window.casefold():
            return None
        place = None if absent else places[words.index(wanted)]
        answer = place and Place(start + place.start, start + place.end)
        wording = random.choice(self._office["enumerated"][_KINDS[kind]][asked]).format(w=question)
        wording = wording[:1].upper() + wording[1:] if random.random() < _CAPITAL else wording
        return Example("enumerated", wording, window, answer, asked, read)

    def _listed(self, random: Random, read: str, kind: str, words: Sequence[str]) -> tuple[str, list[Place]]:
        """The words with a value each, and where the values stand."""
        scene = Scene(random, self._office, random.choice(list(self._office["topic"])), read)
        forms = _VALUE_FIRST if _KINDS[kind] == "many" and random.random() < _FIRST else _BETWEEN
        form, joint = random.choice(forms), random.choice(_JOINED)
        plain = "\n" not in joint and random.random() < _AND
        text, places = "", list[Place]()
        for i, word in enumerate(words):
            value = scene.value(kind, {})
            said = form_of(value, "short", read)
            last = plain and i == len(words) - 1
            text += "" if not i else self._office["and"][read] if last else joint
            head, tail = form.format(w=word, v="\0").split("\0")
            text += head
            places.append(Place(len(text), len(text) + len(said)))
            text += said + tail
        end = {"hi": "।", "bn": "।"}.get(read, ".")
        return text + ("" if "\n" in joint else end), places

    def _sentence(self, random: Random, language: str, share: float) -> str:
        texts = self._texts.get(language)
        if not texts or random.random() >= share:
            return ""
        text = random.choice(texts)
        sentences = [
            (s, e)
            for s, e, _ in self._windows.sentences(text, language)
            if e - s < _LONGEST_SENTENCE and not text[s:e].rstrip().endswith("?")
        ]
        if not sentences:
            return ""
        start, end = random.choice(sentences)
        return text[start:end]


@cache
def _named(asked: str, read: str) -> tuple[list[tuple[str, str]], ...]:
    """CLDR's territories, languages and days in one language and another."""
    one, other = Locale(asked), Locale(read)
    tables = [
        (one.territories, other.territories),
        (one.languages, other.languages),
        (one.days["format"]["wide"], other.days["format"]["wide"]),
    ]
    return tuple(
        sorted(
            {
                (str(first[key]), str(second[key]))
                for key in {*first} & {*second}
                if not str(key).isdigit() or key in range(7)
            }
        )
        for first, second in tables
    )
