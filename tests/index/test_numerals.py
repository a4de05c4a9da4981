"""Numbers in words, and the facts that are compared across languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import HOSTILE, by_id

from index.language.comparison import stands_in
from index.language.lexicon import languages, lexicon
from index.language.numerals import numerals
from index.language.quantities import Quantity, find_quantities
from index.language.terms import fold_digits


def facts_in(text: str, language: str) -> list[Quantity]:
    return find_quantities(text, language, weak=True)


WORDS = {
    "en-compound": ("en", "twenty-one villages", [21]),
    "en-and": ("en", "one hundred and five boats", [105]),
    "en-long": ("en", "one hundred and twenty-three thousand four hundred and fifty-six", [123_456]),
    "en-hundreds": ("en", "nineteen hundred ships", [1900]),
    "en-two": ("en", "five and six", [5, 6]),
    "en-scale": ("en", "1.2 million and 5 hundred and 1 crore 25 lakh", [1_200_000, 500, 12_500_000]),
    "sv-compound": ("sv", "tjugoen byar", [21]),
    "sv-hundreds": ("sv", "tvåhundratrettiofyra", [234]),
    "sv-long": ("sv", "etthundratjugotretusen fyrahundrafemtiosex", [123_456]),
    "sv-scale": ("sv", "1,2 miljoner ton", [1_200_000]),
    "sv-looks-like-one": ("sv", "entre och sextonåring", []),
    "vi-unit": ("vi", "hai mươi mốt xã", [21]),
    "vi-five": ("vi", "mười lăm xã trong mười năm", [15, 10]),
    "vi-odd": ("vi", "một trăm linh năm", [105]),
    "vi-year": ("vi", "năm hai nghìn không trăm hai mươi lăm", [2025]),
    "vi-scale": ("vi", "5 nghìn tỷ và 1,2 triệu", [5e12, 1_200_000]),
    "hi-long": ("hi", "एक लाख तेईस हज़ार चार सौ छप्पन", [123_456]),
    "hi-halves": ("hi", "डेढ़ सौ, साढ़े तीन लाख, ढाई करोड़", [150, 350_000, 25_000_000]),
    "hi-scale": ("hi", "5 लाख 25 हज़ार", [525_000]),
    "bn-long": ("bn", "এক লাখ তেইশ হাজার চারশত ছাপ্পান্ন", [123_456]),
    "bn-glued": ("bn", "দুটি, পাঁচশো, একুশজন", [2, 500, 21]),
    "bn-halves": ("bn", "সাড়ে তিন লাখ", [350_000]),
    "bn-not-a-number": ("bn", "১৯৯০-এর দশকে", [1990]),
}
DIGITS = {
    "comma": ("12,500", 12_500),
    "two-points": ("1.012.500", 1_012_500),
    "space": ("12 500", 12_500),
    "narrow-space": ("12\u202f500", 12_500),
    "apostrophe": ("12’500", 12_500),
    "devanagari": ("१२,५००", 12_500),
    "indian": ("1,25,000", 125_000),
    "crores": ("12,34,56,789", 123_456_789),
    "decimal": ("12.5", 12.5),
    "decimal-comma": ("12,5", 12.5),
    "below-one": ("0.125", 0.125),
    "both": ("1.234,5", 1234.5),
    "fullwidth": ("５４０", 540),
}
HELD = {
    "million": ("en", "1.2 million people", "sv", "1 200 000 personer"),
    "qualifier": ("en", "more than 540 villages", "en", "540+ villages"),
    "year-in-a-date": ("en", "in 2025", "bn", "২৯ অক্টোবর ২০২৫"),
    "date-bn": ("en", "29 October 2025", "bn", "২৯ অক্টোবর ২০২৫"),
    "date-digits": ("vi", "29/10/2025", "en", "October 29, 2025"),
    "date-iso": ("sv", "den 29 oktober 2025", "en", "2025-10-29"),
    "date-hi": ("hi", "29 अक्टूबर 2025", "vi", "ngày 29 tháng 10 năm 2025"),
    "date-without-year": ("vi", "ngày 29/10", "hi", "29 अक्टूबर 2025"),
    "month-and-year": ("vi", "tháng 10/2025", "sv", "oktober 2025"),
    "date-in-parts": ("en", "29 October 2025", "en", "In 2025 it was held on 29 October."),
    "percent": ("en", "25 percent", "bn", "শতকরা ২৫ ভাগ"),
    "percent-sign": ("hi", "25%", "sv", "25 procent"),
    "range": ("en", "3 to 5 million", "vi", "3-5 triệu"),
    "percent-range": ("en", "20–25%", "sv", "20 till 25 procent"),
    "ratio": ("en", "84/167 communes", "vi", "84 trên 167 xã"),
    "ratio-in-words": ("en", "84 of 167 communes", "hi", "84/167 कम्यून"),
    "code": ("en", "57-NQ/TW", "vi", "Nghị quyết số 57-NQ/TW"),
    "code-spelt-otherwise": ("en", "57-NQ/TW", "bn", "৫৭-এনকিউ/টিডব্লিউ"),
    "short-for-a-code": ("en", "Resolution 57", "vi", "Nghị quyết 57-NQ/TW"),
    "code-name": ("en", "COVID-19", "hi", "कोविड-19"),
    "words-for-digits": ("bn", "একুশটি", "en", "21"),
    "digits-for-words": ("hi", "21", "sv", "tjugoen"),
    "about": ("en", "about 1.2 million", "en", "1,234,567"),
    "century": ("en", "19th century", "sv", "1800-talet"),
    "one-is-an-article": ("en", "one of them", "sv", "ingen siffra"),
    "ordinal": ("en", "the third and the twenty-first time", "sv", "ingen siffra"),
    "roman": ("en", "19th century", "vi", "thế kỷ XIX"),
}
NOT_HELD = {
    "longer": ("en", "84", "en", "840"),
    "no-decimals": ("en", "12.5", "en", "125"),
    "thousand": ("en", "1.2 million", "en", "1.2 thousand"),
    "other-day": ("en", "28 October 2025", "bn", "২৯ অক্টোবর ২০২৫"),
    "other-month": ("en", "29 November 2025", "bn", "২৯ অক্টোবর ২০২৫"),
    "other-year": ("en", "29 October 2024", "bn", "২৯ অক্টোবর ২০২৫"),
    "other-code": ("en", "58-NQ/TW", "vi", "57-NQ/TW"),
    "other-letters": ("en", "57-NQ/TW", "vi", "57-QD/TW"),
    "share-is-no-count": ("en", "25%", "en", "25 people"),
    "bound": ("en", "less than 540", "en", "more than 540"),
    "not-rounded": ("en", "1.2 million", "en", "1,234,567"),
    "word": ("bn", "বাইশটি", "en", "21"),
    "nothing": ("en", "540", "en", "no number"),
}


@pytest.mark.parametrize(("language", "text", "values"), WORDS.values(), ids=WORDS)
def test_numbers_are_read_from_words(language: str, text: str, values: list[float]) -> None:
    found = numerals(fold_digits(text), language)
    assert [number.value for number in found if not number.weak] == values


@pytest.mark.parametrize(("text", "value"), DIGITS.values(), ids=DIGITS)
def test_digits_are_read_in_every_habit(text: str, value: float) -> None:
    assert [fact.values for fact in facts_in(f"x {text} y", "en")] == [(value,)]


@pytest.mark.parametrize("language", ["bn", "hi"])
def test_every_number_below_a_hundred_has_a_word_of_its_own(language: str) -> None:
    units = lexicon(language).numbers.units
    assert set(range(100)) <= {int(value) for value in units.values()}


@pytest.mark.parametrize("language", languages())
def test_every_word_of_a_table_is_read_as_its_value(language: str) -> None:
    words = lexicon(language).numbers
    for word, value in words.units.items():
        assert [number.value for number in numerals(word, language)] == [value], word


def missing(claim: tuple[str, str], source: tuple[str, str]) -> list[Quantity]:
    held = facts_in(source[1], source[0])
    return [fact for fact in facts_in(claim[1], claim[0]) if not stands_in(fact, held)]


@pytest.mark.parametrize(("language", "claim", "other", "source"), HELD.values(), ids=HELD)
def test_what_says_the_same_is_held(language: str, claim: str, other: str, source: str) -> None:
    assert missing((language, claim), (other, source)) == []


@pytest.mark.parametrize(("language", "claim", "other", "source"), NOT_HELD.values(), ids=NOT_HELD)
def test_what_says_something_else_is_not_held(language: str, claim: str, other: str, source: str) -> None:
    assert missing((language, claim), (other, source))


@given(st.integers(min_value=0, max_value=999_999), st.sampled_from(["०", "০", "0", "๐", "０"]))
def test_digits_of_every_script_are_the_same_number(number: int, zero: str) -> None:
    written = "".join(chr(ord(zero) + int(digit)) for digit in str(number))
    assert stands_in(facts_in(str(number), "en")[0], facts_in(f"x {written} y", "hi"))


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_facts_of_any_text_stand_where_they_say(text: str) -> None:
    for fact in facts_in(text, "sv"):
        assert text[fact.start : fact.end] == fact.text


@given(st.text(max_size=60), st.sampled_from(languages()))
def test_a_text_holds_its_own_facts(text: str, language: str) -> None:
    facts = facts_in(text, language)
    assert all(stands_in(fact, facts) for fact in facts)
