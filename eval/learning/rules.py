"""Made claims and yes/no questions about what offices allow, require and offer: in one language, on a text in another.

Public data asks hardly any of it, and in few languages: whether something is allowed where the text forbids it, whether
three years are enough where five are needed, whether Saturday is open where Monday to Friday are. rules.toml holds the
wordings.
"""

from __future__ import annotations

import operator
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from eval.learning.windows import Example
from rag.reader.verdict import CONTRADICTED, NEITHER, SUPPORTED

LANGUAGES = ("en", "hi", "bn", "vi", "sv")
Wordings = Mapping[str, Sequence[str]]
_COMPARED = {">=": operator.ge, "<=": operator.le}
# Shares, set by judgement: of the kinds; of claims about what the text does not speak of; of questions among claims;
# of claims that are denied; of one language for both.
_KINDS = {"rule": 5.0, "bound": 2.5, "days": 2.5}
_ABSENT, _ASKED, _DENIED, _ONE_LANGUAGE = 0.2, 0.55, 0.08, 0.2
# Of questions without their mark; of numbers near the bound; of days that are the closed one; of bounds beside.
_NO_MARK, _NEAR, _CLOSED, _BOUND_BESIDE = 0.2, 0.7, 0.4, 0.25
_BESIDE = (1, 5)  # statements beside the one that is meant
_TABLE = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))


class Rules:
    """Draws made claims."""

    def draw(self, random: Random) -> Example:
        """An example; it depends on the state of `random` alone."""
        asked, read = (
            [random.choice(LANGUAGES)] * 2 if random.random() < _ONE_LANGUAGE else random.sample(LANGUAGES, 2)
        )
        (kind,) = random.choices(list(_KINDS), list(_KINDS.values()))
        made: _Made = getattr(self, f"_{kind}")(random, asked, read)
        texts, taken = [made.said] if made.said else [], set(made.about)
        for _ in range(random.randint(*_BESIDE)):
            about, text = _statement(random, read)
            if about not in taken:
                taken.add(about)
                texts.append(text)
        random.shuffle(texts)
        stop = "।" if read in {"hi", "bn"} else "."
        window = " ".join(text[:1].upper() + text[1:] + stop for text in texts) or stop
        claim = made.claim[:1].upper() + made.claim[1:]
        return Example("rules", claim, window, None, asked, read, verdicts=(made.verdict,))

    def _rule(self, random: Random, asked: str, read: str) -> _Made:
        number = random.randrange(len(_TABLE["rule"]))
        rule = _TABLE["rule"][number]
        one, other = random.sample(_TABLE["thing"][rule["thing"]], 2)
        way = random.choice(("yes", "no"))
        said = random.choice(rule[way][read]).format(x=one[read])
        about = [("rule", number, one["en"]), ("rule", number, other["en"])]
        if random.random() < _ABSENT:
            return _Made(said, _claim(random, rule, asked, True, x=other[asked])[0], NEITHER, about)
        return _Made(said, *_claim(random, rule, asked, way == "yes", x=one[asked]), about)

    def _bound(self, random: Random, asked: str, read: str) -> _Made:
        number = random.randrange(len(_TABLE["bound"]))
        bound = _TABLE["bound"][number]
        low, high = map(int, bound["numbers"].split(".."))
        n = random.randint(low, high)
        said, about = random.choice(bound["say"][read]).format(n=n), [("bound", number, "")]
        if bound["holds"] == ">":  # nothing is compared: the bound itself is turned round
            return _Made(said, *_claim(random, bound, asked, True, n=n), about)
        near = range(max(low, n - 6), min(high, n + 6) + 1)
        m = random.choice(near) if random.random() < _NEAR else random.randint(low, high)
        claim, verdict = _claim(random, bound, asked, _COMPARED[bound["holds"]](m, n), m=m)
        return (
            _Made("", claim, NEITHER, about)
            if random.random() < _ABSENT / 2
            else _Made(said, claim, verdict, about)
        )

    def _days(self, random: Random, asked: str, read: str) -> _Made:
        days, place = _TABLE["days"], random.choice(_TABLE["thing"]["place"])
        names, day = days["names"], random.randrange(7)
        kind = random.choice(("range", "range", "except", "closed"))
        if kind == "range":
            first = random.choice((0, 0, 0, 1, 2))
            last = random.randint(first + 2, 6)
            fields = {"a": names[first][read], "b": names[last][read]}
            is_open = first <= day <= last
        else:
            out = random.randrange(7)
            # "Closed on Sundays" alone says nothing of Tuesdays.
            day = out if kind == "closed" or random.random() < _CLOSED else day
            fields = {"a": names[out][read]}
            is_open = day != out
        said = random.choice(days[kind][read]).format(x=place[read], **fields)
        claim, verdict = _claim(random, days, asked, is_open, x=place[asked], d=names[day][asked])
        return _Made(said, claim, verdict, [])


class _Made(NamedTuple):
    """What a text says, what is claimed of it and the verdict, and what the text must not speak of besides."""

    said: str
    claim: str
    verdict: int
    about: Sequence[tuple[str, int, str]]


def _claim(
    random: Random, rule: Mapping[str, Wordings], language: str, holds: bool, **fields: object
) -> tuple[str, int]:
    """A question about a rule, or a claim, now and then denied, and its verdict where its "yes" holds or does not."""
    if random.random() < _ASKED:
        question = random.choice(rule["ask"][language]).format(**fields)
        question = question.rstrip("?") if random.random() < _NO_MARK else question
        return question, SUPPORTED if holds else CONTRADICTED
    way = random.choice(("yes", "no"))
    claim = random.choice(rule[way][language]).format(**fields)
    right = (way == "yes") == holds
    if random.random() < _DENIED:
        claim, right = wrapped(random, claim, language, "denied"), not right
    return claim, SUPPORTED if right else CONTRADICTED


def _statement(random: Random, language: str) -> tuple[tuple[str, int, str], str]:
    """A statement of any rule about anything, and what it speaks of."""
    kind = "bound" if random.random() < _BOUND_BESIDE else "rule"
    number = random.randrange(len(_TABLE[kind]))
    rule = _TABLE[kind][number]
    if kind == "bound":
        low, high = map(int, rule["numbers"].split(".."))
        return (kind, number, ""), str(random.choice(rule["say"][language])).format(
            n=random.randint(low, high)
        )
    thing = random.choice(_TABLE["thing"][rule["thing"]])
    said = random.choice(rule[random.choice(("yes", "no"))][language])
    return (kind, number, thing["en"]), str(said).format(x=thing[language])


def wrapped(random: Random, statement: str, language: str, how: str) -> str:
    """A statement denied ("it is not true that ...") or asked ("is it true that ...?"); `how`: of [wrapped]."""
    return str(random.choice(_TABLE["wrapped"][how][language])).format(s=statement.strip().rstrip(".।?! "))


def idle(random: Random, language: str) -> str:
    """What claims nothing that a text could hold."""
    talk = random.choice(_TABLE["idle"]["say"][language])
    return talk * random.choice((1, 1, 1, 2, 20)) if talk.isalpha() else str(talk)


def turned(statement: str, language: str) -> str | None:
    """A statement with a negation taken out or put in; None where the language's words for it do not stand there."""
    table = _TABLE["negation"]
    for word in table["drop"].get(language, ()):
        place = statement.find(word)
        if place > 0 and not statement[place + len(word) :][:1].isalpha():
            return statement[:place] + statement[place + len(word) :]
    put = str(table["put"].get(language, ""))
    if language == "bn":
        end = len(statement.rstrip("।. "))
        return f"{statement[:end]}{put}{statement[end:]}"
    for where, words in (
        ("after", table["after"].get(language, ())),
        ("before", table["before"].get(language, ())),
    ):
        found = [
            (at, word)
            for word in words
            if (at := statement.find(word + (" " if where == "after" else ""))) > 0
        ]
        if found:
            at, word = min(found) if where == "after" else max(found)
            cut = at + len(word) if where == "after" else at
            if where == "before" and statement[at + len(word) :][:1].isalpha():
                continue
            return f"{statement[:cut]}{put}{statement[cut:]}"
    return None
