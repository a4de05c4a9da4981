"""Made questions of the kind that people ask offices: fees, deadlines, opening hours, who is responsible, what is not.

Public question sets ask encyclopaedias; they hardly ever ask for one of three numbers of a sentence, a cell of a table,
a whole list, or "at least 5 years" with its bound. What is said and asked is in office.toml, parallel in five
languages, so that a question in one meets a passage in another; that file explains its marks and kinds of values.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from anyascii import anyascii

from eval.learning.augment import with_digits
from eval.learning.data import Place
from eval.learning.windows import Example

LANGUAGES = ("en", "hi", "bn", "vi", "sv")
# Words by language; under other keys further forms of them, by language again.
Value = Mapping[str, Any]
# Shares, set by judgement. Reading in the question's own language is what the public sets teach already.
_ONE_LANGUAGE, _OTHER, _ABSENT = 0.2, 0.2, 0.18
_OWN_DIGITS, _LOWER_CASE, _NO_MARK, _HEADED, _IN_LINES, _ELSEWHERE = 0.5, 0.25, 0.2, 0.3, 0.1, 0.3
_LONGEST = 600  # code points of a window: fewer than the 230 tokens of the other kinds
_SCRIPTS = {"hi": "devanagari", "bn": "bengali"}
_CELLS = (" | ", " | ", "; ", " – ", " / ", "\t")  # what may stand between the cells of a row
_LIST = (3, 5)  # nouns of an enumeration
_BULLETS = ("\n- ", "\n- ", "\n• ", "\n* ")
_START = re.compile(r"(?:^|(?<=[.!?] ))\w", re.MULTILINE)
_MARK = re.compile(r"\{([a-z]+)(\d?)(?:\.([a-z]+))?\}|\[([a-z]+\d?):|\]")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that offices say, in several wordings, and what can be asked about it.

    Attributes:
        about: what it tells; facts that share one of these may answer the same question.
        topics: whose offices say it.
        kinds: the kind of value of each slot.
        each: the slots with a value per row, whose marks end in the row's digit: {fee1}, {fee2}.
        say: wordings of the statement by language.
        ask: wordings of the questions by what they ask for and by language; {fee} is that of the row in question.
        keyed: whether every question names a noun, so that the fact can be said of other nouns beside it.
    """

    about: frozenset[str]
    topics: tuple[str, ...]
    kinds: Mapping[str, str]
    each: frozenset[str]
    say: Mapping[str, Sequence[str]]
    ask: Mapping[str, Mapping[str, Sequence[str]]]
    keyed: bool


@dataclass(frozen=True, slots=True)
class Said:
    """A statement: its text, the places of its slots and brackets, their values, and the digits of its rows."""

    text: str
    places: Mapping[str, Place]
    values: Mapping[str, Value]
    rows: str


class Office:
    """Draws made examples.

    Raises:
        ValueError: a fact of office.toml has no topic that holds its nouns.
    """

    def __init__(self) -> None:
        self._data = tomllib.loads(Path(__file__).with_name("office.toml").read_text(encoding="utf-8"))
        self.facts = tuple(self._fact(entry) for entry in self._data["fact"])

    def _fact(self, entry: dict[str, Any]) -> Fact:
        topics, ask, each = self._data["topic"], entry["ask"], entry.get("each", {})
        kinds = {"site": "site", **entry.get("slots", {}), **each}
        tables = {table for topic in topics.values() for table in topic} - {"site"}
        needed = {kind.split()[-1] for kind in kinds.values()} & tables
        found = tuple(name for name in entry.get("topics", topics) if needed <= set(topics[name]))
        if not found:
            raise ValueError(f"a fact needs a topic with its nouns; the one about {entry['about']} has none")
        nouns = {slot for slot, kind in kinds.items() if kind in {*tables, *self._data["noun"], "year"}}
        wordings = [wording for asked in ask.values() for some in asked.values() for wording in some]
        keyed = all(nouns & set(slots_of(wording)) for wording in wordings)
        return Fact(frozenset(entry["about"]), found, kinds, frozenset(each), entry["say"], ask, keyed)

    def draw(self, random: Random) -> Example:
        """The next example; it depends on the state of `random` alone."""
        while True:
            example = self._try(random)
            if example is not None:
                return example

    def _try(self, random: Random) -> Example | None:
        """An example; None when a question cannot be changed, or should have no answer and turns out to have one."""
        fact = random.choice(self.facts)
        asked, read = _languages(random)
        scene = Scene(random, self._data, random.choice(fact.topics), read)
        said = scene.say(fact)
        row, target = random.choice(said.rows or ("",)), random.choice(list(fact.ask))
        place = said.places.get(target + row) or said.places[target]
        wording = random.choice(fact.ask[target][asked])
        values = {**said.values, **{slot: said.values[slot + row] for slot in fact.each}}
        named = [slot for slot in slots_of(wording) if scene.is_noun(fact.kinds[slot])]
        mode = random.choices(["", "other", "absent"], [1 - _OTHER - _ABSENT, _OTHER, _ABSENT])[0]
        texts, unwanted, headed, reused = [said.text], "", random.random() < _HEADED, set[str]()
        if mode == "other":
            if not named:
                return None
            slot = random.choice(named)
            values[slot] = scene.another(fact.kinds[slot])
            unwanted, headed = values[slot][read], headed or slot == "site"
        elif mode == "absent":
            texts, unwanted = [], said.text[place.start : place.end]
            for slot in [slot for slot in named if slot != "site"]:
                scene.keep(fact.kinds[slot], values[slot])
                reused.add(fact.kinds[slot])
        elif named == ["site"] and not fact.keyed and "site" in said.places and random.random() < _ELSEWHERE:
            elsewhere = scene.say(fact, scene.another("site"))
            texts += [elsewhere.text] if "site" in elsewhere.places else []
        texts += self._beside(scene, fact, texts, reused)
        if not texts:
            return None
        random.shuffle(texts)
        window = _joined(random, [scene.heading, *texts] if headed else texts)
        if unwanted and unwanted.casefold() in window.casefold():
            return None
        start = window.find(said.text)
        answer = None if mode else Place(start + place.start, start + place.end)
        if read in _SCRIPTS and random.random() < _OWN_DIGITS:
            window = _own_digits(window, read)
        question = _typed(random, fill(wording, asked, values)[0], asked)
        return Example("office", question, window, answer, asked, read)

    def _beside(self, scene: Scene, fact: Fact, texts: Sequence[str], reused: set[str]) -> list[str]:
        """One to six statements of the same office beside `texts` that do not answer what is asked about `fact`.

        Nothing is said twice but of different nouns; without texts the fact is absent, and nothing like it is said at
        all. Statements about nouns of the kinds `reused` come first.
        """
        others = [f for f in self.facts if scene.topic in f.topics]
        scene.random.shuffle(others)
        others.sort(key=lambda f: not reused & set(f.kinds.values()))
        told, once = set(fact.about), set(fact.about) if not texts or not fact.keyed else set()
        beside, count, room = list[str](), scene.random.randint(1, 6), _LONGEST - sum(map(len, texts))
        for other in others:
            again = other.about & (once if other.keyed else told)
            if len(beside) < count and not again and scene.can_say(other):
                text = scene.say(other).text
                if len(text) < room:
                    beside.append(text)
                    room -= len(text)
                    told |= other.about
                    once |= set() if other.keyed else other.about
        return beside


class Scene:
    """One office, and what it has not named yet: no noun is drawn twice, so what is said of one is said once."""

    def __init__(self, random: Random, data: Mapping[str, Any], topic: str, language: str) -> None:
        self.random, self.topic, self._data, self._language = random, topic, data, language
        self._style = random.randrange(60)
        town, sites = random.choice(data["town"]), data["topic"][topic]["site"]
        self._town, self._money = town["en"], data["money"][town["money"]]
        self._site = phrase(0, sites, town=town)
        self._left: dict[str, list[Value]] = {**data["noun"], **data["topic"][topic]}
        self._left["site"] = [phrase(0, sites, town=other) for other in data["town"] if other is not town]
        self._left["year"] = [dict.fromkeys(LANGUAGES, str(year)) for year in range(2011, 2028)]
        self._left = {name: random.sample(nouns, len(nouns)) for name, nouns in self._left.items()}
        self.heading = fill("{site}", language, {"site": self._site})[0]

    def is_noun(self, kind: str) -> bool:
        """Whether values of a kind are things that a question names, each told of once."""
        return kind in self._left

    def another(self, kind: str) -> Value:
        """A noun that is not drawn again."""
        return self._left[kind].pop()

    def keep(self, kind: str, noun: Value) -> None:
        """Let `noun` be the next that is drawn of its kind."""
        self._left[kind].append(noun)

    def can_say(self, fact: Fact) -> bool:
        """Whether there are nouns left for the longest of the fact's statements, and one to ask about in vain."""
        rows = max(len(_rows(template)) for template in fact.say[self._language])
        needed = Counter[str]()
        for slot, kind in fact.kinds.items():
            nouns = _LIST[1] if kind.startswith("list ") else 1
            needed[kind.split()[-1]] += nouns * (rows if slot in fact.each else 1)
        return all(len(self._left[kind]) > count for kind, count in needed.items() if self.is_noun(kind))

    def say(self, fact: Fact, site: Value | None = None) -> Said:
        """One of the fact's statements with new values, at `site` or else at the scene's own."""
        template = _arranged(self.random, self.random.choice(fact.say[self._language]))
        rows = _rows(template)
        values: dict[str, Value] = {"site": site or self._site}
        for slot in [slot for slot in fact.kinds if slot not in values and slot not in fact.each]:
            values[slot] = self.value(fact.kinds[slot], values)
        for row in rows:
            own = dict[str, Value]()
            for slot in [slot for slot in fact.kinds if slot in fact.each]:
                own[slot] = self.value(fact.kinds[slot], {**values, **own})
            values |= {slot + row: value for slot, value in own.items()}
        text, places = fill(template, self._language, values)
        return Said(text.replace("\n- ", self.random.choice(_BULLETS)), places, values, rows)

    def value(self, kind: str, values: Mapping[str, Value]) -> Value:
        """A new value; office.toml lists the kinds."""
        name, *bounds = kind.split()
        if kind in self._left:
            return self.another(kind)
        if name == "list":
            return self._list(bounds[0])
        if name in {"money", "sum"}:
            return self._amount(*bounds)
        if name == "count":
            return self._number(values[bounds[0]]["range"])
        return self._number(name) if ".." in name else self._in_words(name, *bounds)

    def _in_words(self, name: str, bound: str = "", *more: str) -> Value:
        """A quantity with its unit, the same with a bound before or after it, or a date and the like."""
        patterns = self._data["pattern"]
        if name in patterns["bound"]:
            quantity = self._in_words(bound, *more)
            genitive = {language: form_of(quantity, "of", language) for language in LANGUAGES}
            return phrase(self._style, patterns["bound"][name], q=quantity, of=genitive)
        if name in patterns["unit"]:
            return phrase(self._style, patterns["unit"][name], n=self._number(bound))
        return phrase(self._style, patterns[name], **self._fields())

    def _number(self, bounds: str) -> Value:
        """A number within "3..90", or with a decimal within "35..90/10"."""
        bounds, tenths, _ = bounds.partition("/10")
        return number(self.random.randint(*map(int, bounds.split(".."))), tenths=bool(tenths))

    def _amount(self, bounds: str = "") -> Value:
        """A sum of money of two digits that are not zero; without bounds, of lakhs, crores or millions."""
        if not bounds:
            lakhs = self.random.randint(11, 95)
            parts = {"lakh": number(lakhs), "crore": number(lakhs * 10), "tenth": number(lakhs, tenths=True)}
            return phrase(self._style, self._money["large"], **parts)
        amount = self.random.randint(*map(int, bounds.split("..")))
        unit = 10 ** max(len(str(amount)) - 2, 0)
        amount = amount // unit * unit * self._money["times"]
        return phrase(self._style, self._money["small"], n=number(amount, indian=self._money["indian"]))

    def _fields(self) -> dict[str, Value | str]:
        """What dates, hours and codes are made of: see [pattern]."""
        random = self.random
        month, day, hour = random.randrange(12), random.randint(2, 14), random.randint(4, 6)
        minutes = random.choice(("00", "15", "30", "45"))
        return {
            "month": self._data["month"][month],
            "m": str(month + 1),
            "d": str(day),
            "e": str(day + random.randint(3, 14)),
            "y": str(random.randint(2019, 2027)),
            "am": f"{random.randint(7, 11)}:{random.choice(('00', '15', '30', '45'))}",
            "pm": f"{hour}:{minutes}",
            "late": f"{hour + 12}:{minutes}",
            "letters": "".join(random.choices("ABCDEFGHKLMNPRSTV", k=2)),
            "abc": str(random.randint(102, 989)),
            "defg": str(random.randint(2001, 9899)),
            "xyz": str(random.randint(102, 989)),
            "town": re.sub("[^a-z]", "", anyascii(self._town).lower()),
        }

    def _list(self, table: str) -> Value:
        """Three to five nouns as an enumeration, and in the form `lines` one a line."""
        nouns = [self.another(table) for _ in range(self.random.randint(*_LIST))]
        *first, last = nouns
        joined = {x: ", ".join(noun[x] for noun in first) + self._data["and"][x] + last[x] for x in LANGUAGES}
        return {**joined, "lines": {x: "\n- ".join(noun[x] for noun in nouns) for x in LANGUAGES}}


def phrase(style: int, patterns: Mapping[str, Any], **fields: Value | str) -> Value:
    """One of each language's patterns with its fields; one of those under `any` is the same in all languages.

    `style` decides which, so that one office writes its dates and amounts alike.
    """
    if "any" in patterns:
        return dict.fromkeys(LANGUAGES, _styled(style, patterns["any"]).format(**fields))
    return {
        key: phrase(style, found, **fields)
        if isinstance(found, Mapping)
        else _styled(style, found).format(
            **{f: v if isinstance(v, str) else v[key] for f, v in fields.items()}
        )
        for key, found in patterns.items()
    }


def _styled(style: int, patterns: Sequence[str]) -> str:
    return patterns[style % len(patterns)]


def form_of(value: Value, form: str, language: str) -> str:
    """A value's words in a form, or plainly where the language has no such form of it."""
    return str(value.get(form, {}).get(language, value[language]))


@cache
def slots_of(template: str) -> tuple[str, ...]:
    """The slots of a template, without their rows, in the order of their first marks."""
    return tuple(dict.fromkeys(mark[1] for mark in _MARK.finditer(template) if mark[1]))


@cache
def _rows(template: str) -> str:
    """The digits of a template's rows."""
    return "".join(sorted({mark[2] for mark in _MARK.finditer(template) if mark[2]}))


def fill(template: str, language: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Place]]:
    """A template with its values, its first letter a capital, and the places of its slots and brackets."""
    text, last, places, opened = "", 0, dict[str, Place](), list[tuple[str, int]]()
    for mark in _MARK.finditer(template):
        text, last = text + template[last : mark.start()], mark.end()
        slot, row, form, bracket = mark.groups(default="")
        if slot:
            start, text = len(text), text + form_of(values[slot + row], form, language)
            places[slot + row] = Place(start, len(text))
        elif bracket:
            opened.append((bracket, len(text)))
        else:
            bracket, start = opened.pop()
            places[bracket] = Place(start, len(text))
    text += template[last:]
    return _START.sub(lambda m: m[0].upper(), text), places


def number(value: int, *, indian: bool = False, tenths: bool = False) -> Value:
    """A number as each language writes it: with lakhs in Hindi and Bengali, in English for sums in rupees and taka."""
    if tenths:
        point, comma = f"{value / 10:.1f}", f"{value / 10:.1f}".replace(".", ",")
        return {"en": point, "hi": point, "bn": point, "vi": comma, "sv": comma}
    western, lakhs = f"{value:,}", re.sub(r"(?<=\d)(?=(\d\d)*\d{3}$)", ",", str(value))
    english, dots, spaces = lakhs if indian else western, western.replace(",", "."), western.replace(",", " ")
    return {"en": english, "hi": lakhs, "bn": lakhs, "vi": dots, "sv": spaces}


def _languages(random: Random) -> tuple[str, str]:
    """Of the question and of the passage."""
    if random.random() < _ONE_LANGUAGE:
        language = random.choice(LANGUAGES)
        return language, language
    asked, read = random.sample(LANGUAGES, 2)
    return asked, read


def _arranged(random: Random, template: str) -> str:
    """A template whose table, where it is one, may have fewer rows or other marks between its cells."""
    head, *rows = template.split("\n")
    if len(rows) > 2 and all(map(_rows, rows)):
        rows = rows[: random.randint(2, len(rows))]
    return "\n".join([head, *rows]).replace(" | ", random.choice(_CELLS))


def _joined(random: Random, texts: Sequence[str]) -> str:
    """Statements one after the other, those of several lines on lines of their own."""
    in_lines, window = random.random() < _IN_LINES, texts[0]
    for before, text in pairwise(texts):
        window += "\n" if in_lines or "\n" in before + text or not before.endswith((".", "।", "]")) else " "
        window += text
    return window


def _own_digits(text: str, language: str) -> str:
    """The text with the digits of its script, but in words of Latin letters, such as codes."""
    words = re.split(r"(\s+)", text)
    return "".join(w if re.search("[A-Za-z]", w) else with_digits(w, _SCRIPTS[language]) for w in words)


def _typed(random: Random, question: str, language: str) -> str:
    """The question as people type it: with the digits of its script, in small letters, without its mark, or not."""
    if language in _SCRIPTS and random.random() < _OWN_DIGITS:
        question = _own_digits(question, language)
    if random.random() < _LOWER_CASE:
        question = question.lower()
    return question.rstrip("?") if random.random() < _NO_MARK else question
