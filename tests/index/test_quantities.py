"""Numbers in sentences: digits of every script, bounds, kinds."""

from __future__ import annotations

import pytest

from index.language.lexicon import all_lexicons, languages, lexicon
from index.language.quantities import find_quantities, numbers_in


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        pytest.param("bn", "শহরটি ৫৪০ টিরও বেশি ডেটা সেট প্রকাশ করেছে", [("540+", "count")], id="bn more than"),
        pytest.param("bn", "৮৪/১৬৭টি কাজ এবং ৮৩টি কাজ", [("84/167", "count"), ("83", "count")], id="bn ratio"),
        pytest.param("bn", "রেজোলিউশন নং 57-NQ/TW", [("57", "code")], id="a code"),
        pytest.param("bn", "২০২১-২০২৫ সময়কালে", [("2021-2025", "date")], id="years"),
        pytest.param("hi", "५४० से अधिक डेटासेट", [("540+", "count")], id="hi more than"),
        pytest.param("hi", "लगभग 35 लाख रुपये", [("~35 लाख", "money")], id="hi scale and money"),
        pytest.param("hi", "१५ अगस्त १९४७", [("15 अगस्त 1947", "date")], id="hi date"),
        pytest.param("sv", "drygt 1 200 personer", [("1 200+", "count")], id="sv thousands by a space"),
        pytest.param("sv", "den 3 maj 1999", [("3 maj 1999", "date")], id="sv date"),
        pytest.param("vi", "hơn 540 bộ dữ liệu", [("540+", "count")], id="vi more than"),
        pytest.param("vi", "ngày 3 tháng 5 năm 2020", [("3 tháng 5 năm 2020", "date")], id="vi date"),
        pytest.param("en", "more than $3.5 million", [("$3.5 million+", "money")], id="en money"),
        pytest.param(
            "en", "at least 25 percent of 1,200", [(">=25%", "share"), ("1,200", "count")], id="en share"
        ),
        pytest.param("zh", "该市发布了540个数据集", [("540", "count")], id="no spaces"),
        pytest.param("ar", "٥٤٠ مجموعة بيانات", [("540", "count")], id="arabic digits"),
        pytest.param("en", "the F16 and x540", [], id="not inside words"),
        pytest.param("en", "", [], id="empty"),
    ],
)
def test_quantities(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert [(quantity.short, quantity.kind) for quantity in find_quantities(text, language)] == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200 ships", 1200.0),
        ("1.200.000 ships", 1_200_000.0),
        ("3.14 metres", 3.14),
        ("2 billion stars", 2e9),
    ],
)
def test_value(text: str, value: float) -> None:
    assert find_quantities(text, "en")[0].value == value


def test_offsets_are_those_of_the_text_as_given() -> None:
    text = "শহরটি ৫৪০ টিরও বেশি"
    (quantity,) = find_quantities(text, "bn")
    assert text[quantity.start : quantity.end] == "৫৪০"


def test_numbers_of_every_script_are_equal() -> None:
    assert numbers_in("৫৪০") == numbers_in("५४०") == numbers_in("540") == {"540"}
    assert "1200" in numbers_in("1,200")


@pytest.mark.parametrize("language", languages())
def test_every_language_table_has_the_same_keys_and_placeholders(language: str) -> None:
    table, english = lexicon(language), lexicon("en")
    assert table.notices.keys() == english.notices.keys()
    assert table.question.keys() == english.question.keys()
    assert table.quantity.keys() == english.quantity.keys()
    for name, text in table.notices.items():
        for placeholder in ("{short}", "{quote}", "{marker}", "{name}"):
            assert (placeholder in text) == (placeholder in english.notices[name]), (name, placeholder)


def test_languages_without_a_table_read_english() -> None:
    assert lexicon("fi").language == "en"
    assert {table.language for table in all_lexicons()} == set(languages())
