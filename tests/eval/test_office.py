"""Made questions of the kind that people ask offices."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

import eval.learning.office as module
from eval.learning.augment import with_digits
from eval.learning.office import LANGUAGES, Fact, Office, fill, number, slots_of
from eval.learning.windows import Example

DRAWS = 1500
DATA = tomllib.loads(Path(module.__file__).with_name("office.toml").read_text(encoding="utf-8"))
MARK = re.compile(r"\{([a-z]+)(\d?)[^}]*\}|\[[a-z]+\d?:|\]")


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


@pytest.fixture(scope="module")
def drawn(office: Office) -> list[Example]:
    random = Random(7)
    return [office.draw(random) for _ in range(DRAWS)]


def plain(text: str) -> str:
    """The text in small letters and with ASCII digits."""
    return with_digits(text, "latin").casefold()


@cache
def pattern(template: str) -> re.Pattern[str]:
    """What a wording can have become; each slot is a group of its name, where it comes last."""
    marks = {mark[1] + mark[2]: mark.start() for mark in MARK.finditer(template) if mark[1]}
    found, last = "", 0
    for mark in MARK.finditer(template):
        found += re.escape(plain(template[last : mark.start()]))
        last, name = mark.end(), mark[1] and mark[1] + mark[2]
        if name:
            found += f"(?P<{name}>.+?)" if marks[name] == mark.start() else ".+?"
    return re.compile(found + re.escape(plain(template[last:]).rstrip("?")) + r"\??\Z")


def tables(data: Any) -> Iterator[Mapping[str, Any]]:
    """Everything in the data that is given by language, further forms apart."""
    if isinstance(data, list):
        for entry in data:
            yield from tables(entry)
    elif isinstance(data, dict) and "en" in data:
        yield data
    elif isinstance(data, dict):
        for key, entry in data.items():
            if key not in {"in", "of", "how", "was", "many", "by", "unit", "short"}:
                yield from tables(entry)


def test_everything_is_given_in_all_languages() -> None:
    found = list(tables(DATA))
    assert len(found) > 500
    for table in found:
        assert set(LANGUAGES) <= set(table), table


def test_the_languages_say_and_ask_the_same(office: Office) -> None:
    for fact in office.facts:
        for language, template in ((x, t) for x in LANGUAGES for t in fact.say[x]):
            marks = [mark for mark in MARK.finditer(template) if mark[1]]
            assert all(bool(mark[2]) == (mark[1] in fact.each) for mark in marks), template
            assert len(fact.say[language]) == len(fact.say["en"])
        for wordings in fact.ask.values():
            named = [{slot for t in wordings[x] for slot in slots_of(t)} - {"site"} for x in LANGUAGES]
            assert all(slots == named[0] for slots in named), wordings
            assert all(len(wordings[language]) >= 3 for language in LANGUAGES)


def test_it_is_rich_enough() -> None:
    nouns = [
        noun
        for topic in DATA["topic"].values()
        for name, table in topic.items()
        if name != "site"
        for noun in table
    ]
    assert len(DATA["topic"]) >= 12
    assert len(nouns) >= 60
    for language in LANGUAGES:
        assert sum(len(fact["say"][language]) for fact in DATA["fact"]) >= 60


def test_the_same_seed_draws_the_same(office: Office) -> None:
    other, first, second = Office(), Random("3:14"), Random("3:14")
    assert [office.draw(first) for _ in range(50)] == [other.draw(second) for _ in range(50)]


def test_an_answer_stands_in_its_window(drawn: list[Example]) -> None:
    for example in drawn:
        assert not re.search(r"[{}\[\]]", example.question + example.window)
        if example.answer is not None:
            answer = example.window[example.answer.start : example.answer.end]
            assert answer
            assert answer == answer.strip()


def test_every_language_asks_about_every_other(drawn: list[Example]) -> None:
    pairs = Counter((example.asked, example.read) for example in drawn)
    assert set(pairs) == set(product(LANGUAGES, LANGUAGES))
    assert min(pairs.values()) > DRAWS / 60


def test_a_quarter_to_a_third_is_not_answered(drawn: list[Example]) -> None:
    assert 0.25 < sum(example.answer is None for example in drawn) / DRAWS < 0.34


def test_every_fact_is_asked_about(office: Office, drawn: list[Example]) -> None:
    for fact in office.facts:
        assert any(True for example in drawn for _ in asked_of(fact, example)), fact.about


def test_what_is_not_answered_is_not_said(office: Office, drawn: list[Example]) -> None:
    """Where a window says what is asked, it says it of something else. Looked at in the questions' own language."""
    for example in drawn:
        if example.answer is None and example.asked == example.read:
            window = plain(example.window)
            for fact in office.facts:
                for named in asked_of(fact, example):
                    held = all(word in window for word in named)
                    assert not held or not says(fact, window, example.read), example


def asked_of(fact: Fact, example: Example) -> Iterator[list[str]]:
    """What the question names, for each wording of the fact that it can be."""
    for wording in (t for wordings in fact.ask.values() for t in wordings[example.asked]):
        found = pattern(wording).match(plain(example.question))
        if found:
            yield list(found.groupdict().values())


def says(fact: Fact, window: str, language: str) -> bool:
    """Whether a line of the window holds the fixed words of one of the fact's statements, in their order."""
    for template in fact.say[language]:
        fixed = [plain(words) for words in MARK.sub("\0", template).split("\0")]
        for line in window.splitlines():
            rest = line
            for words in fixed:
                _, held, rest = rest.partition(words) if words else ("", "held", rest)
                if not held:
                    break
            else:
                return True
    return False


@pytest.mark.parametrize(
    ("value", "indian", "expected"),
    [
        pytest.param(950, False, ("950", "950", "950", "950", "950"), id="below-a-thousand"),
        pytest.param(12500, False, ("12,500", "12,500", "12,500", "12.500", "12 500"), id="thousands"),
        pytest.param(
            1250000, True, ("12,50,000", "12,50,000", "12,50,000", "1.250.000", "1 250 000"), id="lakhs"
        ),
        pytest.param(
            1250000, False, ("1,250,000", "12,50,000", "12,50,000", "1.250.000", "1 250 000"), id="million"
        ),
    ],
)
def test_each_language_groups_numbers_its_own_way(
    value: int, indian: bool, expected: tuple[str, ...]
) -> None:
    found = number(value, indian=indian)
    assert tuple(found[language] for language in LANGUAGES) == expected


def test_a_bracket_holds_more_than_its_value() -> None:
    text, places = fill("ask for [b:at least {n} days].", "en", {"n": {"en": "5"}})
    assert text == "Ask for at least 5 days."
    assert [text[p.start : p.end] for p in (places["b"], places["n"])] == ["at least 5 days", "5"]
