"""A fragment that names something else ("And for children?") in the place of its like in the question before.

A number takes the place of the one number as long, a name that of the one name, words behind the same postposition or
case ending the place of those; for any other the words of the question that are nearest in meaning are its like, where
they stand out among the others. Where nothing is its like, it is added at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from index.language.exonyms import is_calendar_word
from index.language.lexicon import CAPITAL_NOUNS, lexicon
from index.language.terms import fold
from rag.question import Question

Near = Callable[[str, Sequence[str]], Sequence[float]]
"""How near in meaning each of some words is to others: cosines."""

MARKS = " \t\n?？!.।,:;…"
# How much nearer than any words beside them the nearest words must be to be the fragment's like: chosen on 20
# fragments made up in five languages (ages, seasons, kinds of tickets). Where the nearest stand out less they are tried
# too, and the evidence decides; below `_TRIED` they are not.
_STANDS_OUT, _TRIED = 0.02, 0.01
# What words as many as the fragment's may be less near than the nearest of them. Chosen on the same.
_AS_LONG = 0.025
# Words that a like may have more than the fragment. Chosen: an adjective, or an article.
_LONGER = 1


def asks(word: str, language: str) -> bool:
    """Whether a word is one that asks."""
    return fold(word) in lexicon(language).conversation.get("asking", ())


def first_asking(words: Sequence[str], language: str) -> int:
    """The position of the first word that asks; the number of words when none does."""
    return next((i for i, word in enumerate(words) if asks(word.strip(MARKS), language)), len(words))


def shows_names(question: Question) -> bool:
    """Whether a name in the question would be seen by its capital."""
    return question.text.lower() != question.text.upper() and question.language not in CAPITAL_NOUNS


def core(rest: str, language: str) -> str:
    """A fragment without the words around it that carry no content ("in Hanoi" -> "Hanoi")."""
    stop = lexicon(language).stop
    words = rest.strip(MARKS).split()
    while words and fold(words[0].strip(MARKS)) in stop:
        words.pop(0)
    while words and fold(words[-1].strip(MARKS)) in stop:
        words.pop()
    return " ".join(words).strip(MARKS)


def put_in(rest: str, language: str, topic: Question, near: Near | None) -> list[str]:
    """The question before with a fragment in it, the likeliest reading first; [] where the fragment has no content.

    Args:
        rest: the fragment without an opening that goes on from before.
        language: of the fragment.
        topic: the question before.
        near: tells words of like meaning; None: nothing does.
    """
    named = core(rest, language)
    if not named:
        return []
    text = topic.text.strip(MARKS)
    added = lexicon(language).completed["added"].format(question=text, more=rest.strip(MARKS))
    if named.isdecimal():
        alike = [run for run in regex.findall(r"\p{Nd}+", text) if len(run) == len(named)]
        return [_with(text, alike[0], named) if len(alike) == 1 else added]
    like = _like_by_form(rest, named, language, topic)
    if like is not None:
        found = [_with(text, like, named), added]
        elsewhere = all(is_calendar_word(word, language) for word in named.split())
        return found[::-1] if elsewhere and not _stands_alike(rest, named, like, text) else found[:1]
    like, ahead = _like_by_meaning(named, topic, near) if near is not None else (None, 0.0)
    if like is None or ahead < _TRIED:
        return [added]
    found = [_with(text, like, named), added]
    return found if ahead >= _STANDS_OUT else found[::-1]


def _like_by_form(rest: str, named: str, language: str, topic: Question) -> str | None:
    if any(character.isupper() for character in named):
        return _like_name(rest, named, topic)
    if named.lower() != named.upper() or not _has_case(rest, named, language):
        return None
    return _like_name("", named, topic) if shows_names(topic) else _like_words(rest, named, topic)


def _stands_alike(rest: str, named: str, like: str, text: str) -> bool:
    """Whether a fragment's words are put as their like is: alone, or beside the same small word ("on Sundays" is no
    like of "of Hanoi")."""
    before = rest.strip(MARKS).partition(named)[0].split()
    if not before:
        return True
    behind = rf"(?i)(?<!\p{{L}}){regex.escape(before[-1])}\s+{regex.escape(like)}"
    return regex.search(behind, text) is not None


def _like_name(rest: str, named: str, topic: Question) -> str | None:
    """The name of the earlier question that stands where the fragment's does: the only one, or the one behind the
    same word."""
    names = [" ".join(name) for name in topic.names] or _capitals(topic)
    before = rest.strip(MARKS).removesuffix(named).split()
    if len(names) > 1 and before:
        behind = rf"(?i)(?<!\p{{L}}){regex.escape(before[-1])}\s+"
        names = [name for name in names if regex.search(behind + regex.escape(name), topic.text)]
    return names[0] if len(names) == 1 and names[0] in topic.text else None


def _capitals(topic: Question) -> list[str]:
    """Words with a capital that are too short for names ("Huế"); the first only where the question asks right after."""
    words = [word.strip(MARKS) for word in topic.text.split()]
    return [
        word
        for i, word in enumerate(words)
        if word[:1].isupper() and (i > 0 or (len(words) > 1 and asks(words[1], topic.language)))
    ]


def _like_words(rest: str, named: str, topic: Question) -> str | None:
    """The same where no capitals show names: the words that the same postposition or case ending follows, before the
    word that asks."""
    words = topic.text.strip(MARKS).split()
    words = words[: first_asking(words, topic.language)]
    stop = lexicon(topic.language).stop
    bare = [fold(word) not in stop and not any(map(str.isdecimal, word)) for word in words]
    behind = rest.strip(MARKS).removeprefix(named).split()
    found = [
        i
        for i, word in enumerate(words)
        if bare[i] and (words[i + 1 : i + 2] == behind[:1] if behind else word[-1] == named[-1])
    ]
    if len(found) != 1:
        return None
    first = found[0]
    while first and bare[first - 1]:
        first -= 1
    return " ".join(words[first : found[0] + 1])


def _has_case(rest: str, named: str, language: str) -> bool:
    """Whether a postposition follows the words of a fragment, or a case ending is glued to them."""
    return not rest.strip(MARKS).endswith(named) or named.endswith(lexicon(language).endings)


def _replaced(text: str, old: str, new: str) -> str:
    return str(regex.sub(rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){regex.escape(old)}", lambda _: new, text, count=1))


def _with(text: str, old: str, new: str) -> str:
    return f"{_replaced(text, old, new)}?"


def _like_by_meaning(named: str, topic: Question, near: Near) -> tuple[str | None, float]:
    """The words of a question that are nearest to others in meaning, and by how much no words beside them are."""
    spans = _spans(topic, longest=len(named.split()) + _LONGER)
    if not spans:
        return None, 0.0
    cosines = near(named, [text for _, _, text in spans])
    best = max(range(len(spans)), key=lambda i: cosines[i])
    # "sick leave" is nearest to "leave" and stands for all of "annual leave".
    size = len(named.split())
    as_long = [
        i
        for i, (first, last, _) in enumerate(spans)
        if last - first + 1 == size and first <= spans[best][1] and spans[best][0] <= last
    ]
    whole = max(as_long, key=lambda i: cosines[i], default=best)
    whole = whole if cosines[best] - cosines[whole] <= _AS_LONG else best
    first, last, text = spans[whole]
    beside = [
        cosine for cosine, (start, end, _) in zip(cosines, spans, strict=True) if end < first or last < start
    ]
    return text, cosines[best] - max(beside, default=cosines[best])


def _spans(topic: Question, *, longest: int) -> list[tuple[int, int, str]]:
    """Runs of words that begin and end with content and do not ask: first and last position, and the words."""
    words = topic.text.strip(MARKS).split()
    table = lexicon(topic.language)
    weak = table.stop | {fold(word) for word in table.shape.get("yes_no_first", ())}
    plain = [fold(word.strip(MARKS)) for word in words]
    asking = [asks(word, topic.language) for word in plain]
    return [
        (start, end - 1, " ".join(words[start:end]).strip(MARKS))
        for start in range(len(words))
        for end in range(start + 1, min(start + longest, len(words)) + 1)
        if not any(asking[start:end]) and plain[start] not in weak and plain[end - 1] not in weak
    ]
