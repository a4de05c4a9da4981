"""Folding, containment and tokens, over the scripts that documents and questions are written in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT, by_id

from eval.text import contains, fold, pieces, tokens, words

NBSP, NARROW, THIN = "\u00a0", "\u202f", "\u2009"

# Letters, marks, digits, separators and signs that meet each other in numbers and words.
HARD = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("0123456789,.'’ \u00a0\u202f\u200d০৫५٥٬٫ß়ািİ"))
)
SPACED = ["Göteborg", "ক্যান", "শহরটি", "शहर", "Đà", "Nẵng", "540+", "1.5", "2025", "مدينة", "город", "x=1"]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("", "", id="empty"),
        pytest.param(" \t\n\u3000", "", id="white space only"),
        pytest.param("1540", "1540", id="plain"),
        pytest.param("1,540", "1540", id="comma"),
        pytest.param("1.540", "1540", id="dot"),
        pytest.param("১,৫৪০", "1540", id="bengali digits"),
        pytest.param("१,५४०", "1540", id="devanagari digits"),
        pytest.param("١٬٥٤٠", "1540", id="arabic digits and separator"),
        pytest.param(f"1{NBSP}540", "1540", id="no-break space"),
        pytest.param(f"1{NARROW}540{NARROW}000", "1540000", id="narrow no-break space"),
        pytest.param(f"1{THIN}540", "1540", id="thin space"),
        pytest.param("1’540", "1540", id="swiss apostrophe"),
        pytest.param("১,০০,০০০", "100000", id="indian groups"),
        pytest.param("1,23,45,678", "12345678", id="indian groups, ten million"),
        pytest.param("1,540.25", "1540.25", id="groups and decimals"),
        pytest.param("1.540,25", "1540,25", id="groups and a decimal comma"),
        pytest.param("３．５", "3．5", id="full-width digits"),
        pytest.param("٣٫٥", "3.5", id="arabic decimal separator"),
        pytest.param("0,125", "0,125", id="leading zero is a decimal"),
        pytest.param("3,14", "3,14", id="two decimals"),
        pytest.param("1.5000", "1.5000", id="four decimals"),
        pytest.param("3, 4", "3, 4", id="a list"),
        pytest.param("100, 200", "100, 200", id="a list of hundreds"),
        pytest.param("1 540", "1 540", id="a plain space is left"),
        pytest.param("2020 540", "2020 540", id="a year and a number"),
        pytest.param("12.05.2021", "12.05.2021", id="a date"),
        pytest.param("1.234.56", "1.234.56", id="a section number"),
        pytest.param("192.168.001.1", "192.168.001.1", id="an address"),
        pytest.param("১২%", "12%", id="percent"),
        pytest.param("٪٥", "%5", id="arabic percent"),
        pytest.param("“a” «b» ‘c’ „d”", '"a" "b" \'c\' "d"', id="quotation marks"),
        pytest.param("2021–2025 — −5", "2021-2025 - -5", id="dashes"),
        pytest.param("STRASSE Straße", "strasse strasse", id="case"),
        pytest.param("ÖLAND O\u0308land", "öland öland", id="composed and decomposed"),
        pytest.param("Cần Thơ", "cần thơ", id="diacritics stay"),
        pytest.param("ক্\u200dষ", "ক্ষ", id="joiners"),
        pytest.param("a \n b\u00a0\u00a0c", "a b c", id="one line"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == unicodedata.normalize("NFC", folded)


@given(HARD)
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("text", by_id(MULTI_SCRIPT) + by_id(HOSTILE))
def test_fold_is_idempotent_on_real_text(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "expected", "holds"),
    [
        pytest.param("", "", False, id="nothing in nothing"),
        pytest.param("text", "", False, id="nothing expected"),
        pytest.param("text", " ", False, id="white space expected"),
        pytest.param("", "text", False, id="empty text"),
        pytest.param("শহরটি ৫৪০ টিরও বেশি", "540", True, id="bengali digits"),
        pytest.param("शहर ने ५४० डेटासेट", "540", True, id="devanagari digits"),
        pytest.param("٥٤٠ مجموعة", "540", True, id="arabic digits"),
        pytest.param("540+ data sets", "540", True, id="with a qualifier"),
        pytest.param("540টি", "540", True, id="with a classifier"),
        pytest.param("54%", "54", True, id="with a percent sign"),
        pytest.param("in 540.", "540", True, id="end of a sentence"),
        pytest.param("540, 541", "540", True, id="in a list"),
        pytest.param("84/167", "167", True, id="part of a ratio"),
        pytest.param("2021–2025", "2025", True, id="end of a range"),
        pytest.param("540", "54", False, id="goes on right"),
        pytest.param("1540", "540", False, id="goes on left"),
        pytest.param("1,540", "540", False, id="last group"),
        pytest.param("1.5", "5", False, id="decimals"),
        pytest.param("1.5", "1", False, id="before decimals"),
        pytest.param("1,5", "5", False, id="decimals by a comma"),
        pytest.param("2025", "5", False, id="end of a year"),
        pytest.param("10:30", "30", False, id="minutes"),
        pytest.param("15 and 5", "5", True, id="a later place is free"),
        pytest.param("1.540 båtar", "1,540", True, id="other separator"),
        pytest.param("ক্যান থোর মানুষ", "ক্যান থো", True, id="bengali ending"),
        pytest.param("লন্ডনে", "লন্ডন", True, id="bengali vowel sign as an ending"),
        pytest.param("Göteborgs hamn", "göteborg", True, id="swedish genitive"),
        pytest.param("Sundsvall", "vall", False, id="inside a swedish word"),
        pytest.param("कानपुर", "पुर", False, id="inside a hindi word"),
        pytest.param("Öland", "oland", False, id="another letter"),
        pytest.param("l'eau", "eau", True, id="after an apostrophe"),
        pytest.param("40km", "km", True, id="a unit after its number"),
        pytest.param("位于芹苴市的数据", "芹苴", True, id="chinese has no edges"),
        pytest.param("เมืองเกิ่นเทอ", "เกิ่นเทอ", True, id="thai has no edges"),
        pytest.param("在Can Tho市", "Can Tho", True, id="latin within chinese"),
        pytest.param("وفي باريس", "باريس", True, id="arabic word"),
        pytest.param("بباريس", "باريس", True, id="arabic preposition written on"),
        pytest.param("والمدينة", "مدينة", True, id="arabic article written on"),
        pytest.param("سباريس", "باريس", False, id="inside an arabic word"),
        pytest.param("“Smart City”", '"smart city"', True, id="quotation marks"),
    ],
)
def test_contains(text: str, expected: str, holds: bool) -> None:
    assert contains(text, expected) is holds


@given(st.lists(st.sampled_from(SPACED), min_size=1, max_size=8), st.data())
def test_whole_words_of_a_text_stand_in_it(parts: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(parts) - 1))
    end = data.draw(st.integers(start + 1, len(parts)))
    assert contains(" ".join(parts), " ".join(parts[start:end]))


@given(HARD)
def test_a_text_stands_in_itself(text: str) -> None:
    assert contains(text, text) is (fold(text) != "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("!? …", [], id="signs only"),
        pytest.param("540+ ~1,540 >=25%", ["540", "1540", "25"], id="qualifiers"),
        pytest.param("1.5 at 10:30", ["1.5", "at", "10:30"], id="inner separators"),
        pytest.param("84/167, 2021-2025", ["84", "167", "2021", "2025"], id="ratio and range"),
        pytest.param("৫৪০টি", ["540", "টি"], id="number and classifier"),
        pytest.param("F16", ["f16"], id="a code"),
        pytest.param("শহরটি ক্যান", ["শহরটি", "ক্যান"], id="marks stay"),
        pytest.param("芹苴市", ["芹苴市"], id="a run without spaces"),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("শহরটি", ["শহরটি"], id="bengali is whole"),
        pytest.param("हिन्दी", ["हिन्दी"], id="hindi is whole"),
        pytest.param("橋は3つ", ["橋", "は", "3", "つ"], id="japanese"),
        pytest.param("สะพานกี่", ["ส", "ะ", "พ", "า", "น", "กี่"], id="thai marks stay on their letters"),
        pytest.param("pm2市", ["pm2", "市"], id="mixed"),
    ],
)
def test_pieces(word: str, expected: list[str]) -> None:
    assert pieces(word) == expected


@given(HARD)
def test_pieces_lose_nothing(text: str) -> None:
    assert all("".join(pieces(word)) == word for word in words(text))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        pytest.param("en", "", [], id="empty"),
        pytest.param("en", "The answer, a 25% share!", ["answer", "25", "share"], id="en"),
        pytest.param("en", "well-known 1.5", ["wellknown", "15"], id="removed signs join, as in MLQA"),
        pytest.param("en", "€5 ± 1°", ["5", "1"], id="symbols"),
        pytest.param("sv", "Det är en stad på Öland", ["är", "stad", "på", "öland"], id="sv"),
        pytest.param("vi", "Những cây cầu của Đà Nẵng", ["cây", "cầu", "đà", "nẵng"], id="vi"),
        pytest.param("de", "Die Brücke des Kaisers", ["brücke", "kaisers"], id="de"),
        pytest.param("es", "¿El año 1999?", ["año", "1999"], id="es"),
        pytest.param("ar", "المدينة ٥٤٠", ["مدينة", "540"], id="ar"),
        pytest.param("bn", "শহরটি ৫৪০ ক্যান থোর।", ["শহরটি", "540", "ক্যান", "থোর"], id="bn"),
        pytest.param("hi", "हिन्दी में ५४० पुलों।", ["हिन्दी", "में", "540", "पुलों"], id="hi"),
        pytest.param("zh", "修复了540座桥。", ["修", "复", "了", "540", "座", "桥"], id="zh"),
        pytest.param("ja", "橋は、3つ", ["橋", "は", "3", "つ"], id="ja"),
        pytest.param("th", "กี่แห่ง", ["กี่", "แ", "ห่", "ง"], id="th"),
        pytest.param("en", "the city of 芹苴", ["city", "of", "芹", "苴"], id="mixed scripts"),
        pytest.param("fi", "the the", ["the", "the"], id="no articles of other languages"),
    ],
)
def test_tokens(language: str, text: str, expected: list[str]) -> None:
    assert tokens(text, language) == [unicodedata.normalize("NFC", token) for token in expected]
