"""Examples made of passages that exist in several languages: one asks, another answers, or does not.

Nothing here knows the documents that are asked about later. The shares below are the recipe; what they are was set
by judgement, not fitted.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from itertools import accumulate
from random import Random
from typing import TypeVar

from eval.learning.augment import (
    DIGIT_SCRIPTS,
    ask_of_another,
    latin_names,
    names_in,
    to_bengali_script,
    with_digits,
)
from eval.learning.cloze import ASKED, NAME, NUMBER, Vocabulary, ask_for, candidates, same_in
from eval.learning.data import Corpus, Paragraph, ParallelQuestion, Place, Texts
from eval.learning.windows import Example, Windows

T = TypeVar("T")

# How often each kind of example is drawn. A kind that the drawn question does not allow gives
# way to the next draw. Not answered: some 30 of 100.
KINDS = {
    "answered": 56.0,
    "cloze": 10.0,  # a sentence of a plain text, with something asked for, and its passage
    "number": 6.0,  # a clause around a number, in another translation, with the number asked for
    "name": 10.0,  # the same with a name
    "impossible": 8.0,  # SQuAD 2.0: the passage looks as if it answered
    "swapped": 9.0,  # the right passage, the question about something else
    "similar": 9.0,  # another passage of the article, of those nearest to the question
    "elsewhere": 4.0,  # the right passage, sentences that do not hold the answer
    "foreign": 2.0,  # a passage of another article
    "judged": 4.0,  # passages that people judged not to answer
}
# Shares of the languages of questions and passages, where a translation exists; others have 1.
_ASKED = {"en": 3.0, "vi": 2.5, "hi": 2.5, "sv": 2.5}
_READ = {"hi": 4.0, "sv": 3.0, "en": 3.0, "vi": 3.0}
_OTHERS = 1.0
_BENGALI_PASSAGE, _BENGALI_QUESTION = 0.3, 0.35
_OTHER_DIGITS, _LATIN_NAMES, _LOWER_CASE, _NO_MARK = 0.12, 0.15, 0.08, 0.15
# Questions that exist in one language say less about reading across languages and are drawn less often; those that
# exist in the languages of many scripts are the fewest and say most.
_ONE_LANGUAGE, _MANY_LANGUAGES, _MANY = 0.35, 10.0, 8


class Examples:
    """Draws examples of a corpus.

    Args:
        corpus: what to learn from.
        windows: cuts the texts.
        similar: for a question id, passages (places in `corpus.passages`) of its article that do not answer it, the
            nearest first.
        seed: decides what `fixed` gives.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        windows: Windows,
        similar: dict[str, list[int]],
        seed: int,
    ) -> None:
        self._corpus, self._windows, self._similar, self._seed = corpus, windows, similar, seed
        pairs = [(place, ask) for place, p in enumerate(corpus.passages) for ask in p.asks.values()]
        self._answered = [(place, ask) for place, ask in pairs if ask.answers]
        self._impossible = [(place, ask) for place, ask in pairs if not ask.answers and ask.texts]
        self._impossible_weights = [self._share(place) for place, _ in self._impossible]
        self._place_weights = [self._share(place) for place in range(len(corpus.passages))]
        self._reach = list(accumulate(_weight(ask) for _, ask in self._answered))
        self._answer_texts = {
            (ask.id, language): corpus.passages[place]
            .contexts[language][answer.start : answer.end]
            .casefold()
            for place, ask in self._answered
            for language, answer in ask.answers.items()
        }
        self._parallel = [p for p in corpus.passages if len(p.contexts) > 1]
        self._texts = [*corpus.texts, *(Texts(u.language, u.passages) for u in corpus.unanswered)]
        self._vocabulary = Vocabulary(text for texts in self._texts for text in texts.passages)
        self._names: dict[str, list[str]] = {}
        for _, ask in pairs:
            for language in ask.texts:
                names = [name.text for name in names_in(ask.texts, language)]
                self._names.setdefault(language, []).extend(names)

    def draw(self, random: Random) -> Example | None:
        """An example; None where what was drawn does not allow it."""
        (kind,) = random.choices(list(KINDS), list(KINDS.values()))
        return self._make(random, kind)

    def fixed(self, asked: str, read: str, count: int) -> list[Example]:
        """Up to `count` answered questions of one pair of languages in large windows, always the same ones.

        "bn" is Hindi in Bengali letters and digits.
        """
        plain = {"bn": "hi"}
        possible = [
            (place, ask)
            for place, ask in self._answered
            if plain.get(asked, asked) in ask.texts and plain.get(read, read) in ask.answers
        ]
        possible.sort(key=lambda pair: pair[1].id)
        possible = [pair for pair in possible if len(pair[1].texts) > 1] or possible
        random = Random(f"{self._seed}:{asked}:{read}")  # noqa: S311 - no secret
        return [
            self._in_pair(place, ask, asked, read)
            for place, ask in random.sample(possible, min(count, len(possible)))
        ]

    def _in_pair(self, place: int, ask: ParallelQuestion, asked: str, read: str) -> Example:
        plain = {"bn": "hi"}
        language = plain.get(read, read)
        text, answer = self._corpus.passages[place].contexts[language], ask.answers[language]
        example = Example("answered", ask.texts[plain.get(asked, asked)], text, answer, asked, read)
        example = self._windows.cut(Random(ask.id), example, smallest=200)  # noqa: S311
        if asked == "bn":
            example = replace(example, question=to_bengali_script(example.question))
        return replace(example, window=to_bengali_script(example.window)) if read == "bn" else example

    def _make(self, random: Random, kind: str) -> Example | None:
        if kind == "judged":
            return self._judged(random)
        if kind == "cloze":
            return self._cloze(random)
        if kind in {"number", "name"}:
            return self._across(random, kind)
        if kind == "impossible":
            return self._not_answerable(random)
        if not self._answered:
            return None
        drawn = bisect(self._reach, random.random() * self._reach[-1], hi=len(self._answered) - 1)
        place, ask = self._answered[drawn]
        return self._of_answered(random, kind, place, ask)

    def _of_answered(self, random: Random, kind: str, place: int, ask: ParallelQuestion) -> Example | None:
        if kind == "swapped":
            return self._swapped(random, place, ask)
        if kind == "similar":
            return self._near(random, ask)
        if kind == "foreign":
            places = range(len(self._corpus.passages))
            return self._about(random, kind, random.choices(places, self._place_weights)[0], ask)
        return self._of_own(random, kind, self._corpus.passages[place], ask)

    def _not_answerable(self, random: Random) -> Example | None:
        if not self._impossible:
            return None
        ((place, ask),) = random.choices(self._impossible, self._impossible_weights)
        return self._about(random, "impossible", place, ask)

    def _of_own(self, random: Random, kind: str, passage: Paragraph, ask: ParallelQuestion) -> Example | None:
        """The question with its own passage: a window with the answer, or without it for kind `elsewhere`."""
        asked, read = _pick(random, ask.texts, _ASKED, _OTHERS), _pick(random, ask.answers, _READ, _OTHERS)
        text, answer = passage.contexts[read], ask.answers[read]
        example = Example(
            kind, _wording(random, ask, asked), text, answer, asked, read, ask.also.get(read, ())
        )
        if kind == "answered":
            return self._windows.cut(random, example)
        return self._without_answer(random, example, answer)

    def _without_answer(self, random: Random, example: Example, answer: Place) -> Example | None:
        """The sentences before or after the one that answers, where the answer's words do not occur again."""
        spans = self._windows.sentences(example.window, example.read)
        before = [s for s in spans if s[1] <= answer.start]
        after = [s for s in spans if s[0] >= answer.end]
        sides = [side for side in (before, after) if side]
        if not sides:
            return None
        side = random.choice(sides)
        rest = replace(example, window=example.window[side[0][0] : side[-1][1]], answer=None, also=())
        cut = self._windows.cut(random, rest)
        words = example.window[answer.start : answer.end].casefold()
        return None if words in cut.window.casefold() else cut

    def _near(self, random: Random, ask: ParallelQuestion) -> Example | None:
        """The question with one of the passages nearest to it, mostly one that exists in several languages."""
        near = self._similar.get(ask.id, [])
        if random.random() > _ONE_LANGUAGE:
            near = [place for place in near if len(self._corpus.passages[place].contexts) > 1]
        if not near:
            return None
        return self._about(random, "similar", near[min(int(random.expovariate(0.7)), len(near) - 1)], ask)

    def _share(self, place: int) -> float:
        return 1.0 if len(self._corpus.passages[place].contexts) > 1 else _ONE_LANGUAGE

    def _about(self, random: Random, kind: str, place: int, ask: ParallelQuestion) -> Example | None:
        """The question with a passage that does not answer it."""
        passage = self._corpus.passages[place]
        if kind == "foreign" and ask.id in passage.asks:
            return None
        asked, read = (
            _pick(random, ask.texts, _ASKED, _OTHERS),
            _pick(random, passage.contexts, _READ, _OTHERS),
        )
        text = passage.contexts[read]
        example = Example(kind, _wording(random, ask, asked), text, None, asked, read)
        own = self._answer_texts.get((ask.id, read), "")
        if own and own in text.casefold():  # the words of the answer are there: who knows whether they answer
            return None
        return self._windows.cut(random, example, smallest=90 if kind == "impossible" else 50)

    def _swapped(self, random: Random, place: int, ask: ParallelQuestion) -> Example | None:
        passage = self._corpus.passages[place]
        asked, read = _pick(random, ask.texts, _ASKED, _OTHERS), _pick(random, ask.answers, _READ, _OTHERS)
        others = self._names.get(asked, [])
        if random.random() < 0.5:  # a name that the same article speaks of is harder
            others = [
                name.text
                for p in self._corpus.passages
                if p.article == passage.article
                for other in p.asks.values()
                if asked in other.texts
                for name in names_in({asked: other.texts[asked]}, asked)
            ] or others
        question = ask_of_another(random, ask.texts, asked, others)
        if question is None:
            return None
        example = Example("swapped", question, passage.contexts[read], ask.answers[read], asked, read)
        return replace(self._windows.cut(random, example, smallest=90), answer=None)

    def _judged(self, random: Random) -> Example | None:
        if not self._corpus.unanswered:
            return None
        judged = random.choice(self._corpus.unanswered)
        example = Example(
            "judged",
            judged.question,
            random.choice(judged.passages).replace("\n", " "),
            None,
            judged.language,
            judged.language,
        )
        return self._windows.cut(random, example)

    def _across(self, random: Random, kind: str) -> Example | None:
        """A sentence of one translation with its number or name asked for, and the window of another that holds it."""
        if not self._parallel:
            return None
        passage = random.choice(self._parallel)
        asking = {language: "" for language in passage.contexts if language in ASKED}
        if not asking:
            return None
        asked, read = _pick(random, asking, _ASKED, _OTHERS), _pick(random, passage.contexts, _READ, _OTHERS)
        source, text = passage.contexts[asked], passage.contexts[read]
        taken = random.choice(list((NUMBER if kind == "number" else NAME).finditer(source)) or [None])
        if taken is None or source.count(taken.group()) > 1:
            return None
        place = same_in(taken.group(), text)
        spans = [
            s for s in self._windows.sentences(source, asked) if s[0] <= taken.start() and taken.end() <= s[1]
        ]
        if place is None or not spans:
            return None
        taken_out = Place(taken.start(), taken.end())
        question = ask_for(random, source, taken_out, Place(*spans[0][:2]), asked)
        return self._windows.cut(random, Example(kind, question, text, place, asked, read))

    def _cloze(self, random: Random) -> Example | None:
        """A sentence of a plain text with something asked for that its passage holds once."""
        texts = random.choice(self._texts) if self._texts else None
        if texts is None or texts.language not in ASKED:
            return None
        language, text = texts.language, random.choice(texts.passages).replace("\n", " ")
        spans = self._windows.sentences(text, language)
        if not spans:
            return None
        start, end, _ = random.choice(spans)
        places = candidates(random, text, start, end, self._vocabulary)
        if not places:
            return None
        place = random.choice(places)
        if text.count(text[place.start : place.end]) > 1:
            return None
        question = ask_for(random, text, place, Place(start, end), language)
        return self._windows.cut(random, Example("cloze", question, text, place, language, language))


def _weight(ask: ParallelQuestion) -> float:
    languages = len(ask.texts.keys() | ask.answers.keys())
    return _MANY_LANGUAGES if languages >= _MANY else 1.0 if languages > 1 else _ONE_LANGUAGE


def augmented(random: Random, example: Example) -> Example:
    """The example as people might write it: other digits, letters of another script, no capitals, no question mark."""
    question, window = example.question, example.window
    script = None
    if example.read == "hi" and random.random() < _BENGALI_PASSAGE:
        window, script = to_bengali_script(window), "bengali"
    if example.asked == "hi" and random.random() < (_BENGALI_QUESTION if script else _BENGALI_QUESTION / 2):
        question = to_bengali_script(question)
    if random.random() < _OTHER_DIGITS:
        window = with_digits(window, random.choice(list(DIGIT_SCRIPTS)))
    elif script and random.random() < 0.7:
        window = with_digits(window, script)
    if random.random() < _OTHER_DIGITS:
        question = with_digits(question, random.choice(list(DIGIT_SCRIPTS)))
    if random.random() < _LOWER_CASE and len(question.lower()) == len(question):
        question = question.lower()
    if random.random() < _NO_MARK:
        question = question.rstrip("?？؟; ")
    return replace(example, question=question, window=window)


def _wording(random: Random, ask: ParallelQuestion, language: str) -> str:
    if language not in {"en", "vi", "sv"} and "en" in ask.texts and random.random() < _LATIN_NAMES:
        return latin_names(ask.texts, language)
    return ask.texts[language]


def _pick(random: Random, languages: dict[str, T], shares: dict[str, float], other: float) -> str:
    names = sorted(languages)
    return random.choices(names, [shares.get(name, other) for name in names])[0]
