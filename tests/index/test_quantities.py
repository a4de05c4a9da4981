"""One grammar of numbers: what stands in a text is shown whole, with its unit, its bound and its kind."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise
from typing import Literal

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import HOSTILE, by_id

from index.language.lexicon import all_lexicons, languages, lexicon
from index.language.quantities import digit_habit, find_quantities, numbers_held, numbers_in

SHOWN = {
    # Digits of every script, grouped in every habit.
    "bn-more-than": ("bn", "শহরটি ৫৪০ টিরও বেশি ডেটা সেট প্রকাশ করেছে", ["540+"]),
    "hi-more-than": ("hi", "५४० से अधिक डेटासेट", ["540+"]),
    "vi-more-than": ("vi", "hơn 540 bộ dữ liệu", ["540+"]),
    "sv-space": ("sv", "drygt 1 200 personer", ["1 200+"]),
    "en-indian": ("en", "Rs. 3,45,600 were spent", ["Rs. 3,45,600"]),
    "hi-indian": ("hi", "₹2,40,000 दिए गए", ["₹2,40,000"]),
    "bn-indian": ("bn", "৪,২০,০০০ টাকা", ["4,20,000 টাকা"]),
    "en-swiss": ("en", "1'234'567 of them", ["1'234'567"]),
    "zh": ("zh", "该市发布了540个数据集", ["540"]),
    "ar": ("ar", "٥٤٠ مجموعة بيانات", ["540"]),
    "list": ("en", "in 1,2,3 steps", ["1", "2", "3"]),
    # Amounts as one, with their unit.
    "en-dozen": ("en", "over a dozen ferries", ["12+"]),
    "en-a-thousand": ("en", "about a thousand tickets", ["~1000"]),
    "en-half-hour": ("en", "half an hour", ["1/2 hour"]),
    "hi-half-unit": ("hi", "आधा लीटर दूध", ["1/2 लीटर"]),
    "en-mixed-fraction": ("en", "3 1/4 miles", ["3 1/4 miles"]),
    "vi-half-unit": ("vi", "ba năm rưỡi", ["3.5 năm"]),
    "en-dollars-of": ("en", "HK$ 900 each", ["HK$ 900"]),
    # Many, and how many nobody says.
    "bn-many": ("bn", "শত শত নৌকা, হাজার হাজার মানুষ", []),
    "hi-many": ("hi", "लाखों लोग", []),
    "vi-many": ("vi", "hàng nghìn người", []),
    "en-many": ("en", "thousands of birds", []),
    "bn-compound": ("bn", "পাবেন ৪ লক্ষ ৭০ হাজার টাকা।", ["4 লক্ষ 70 হাজার টাকা"]),
    "vi-compound": ("vi", "3 tỷ 400 triệu đồng", ["3 tỷ 400 triệu đồng"]),
    "en-lakh-crore": ("en", "1.5 lakh crore", ["1.5 lakh crore"]),
    "hi-half-more": ("hi", "ढाई लाख रुपये", ["250000 रुपये"]),
    "bn-half-more": ("bn", "সাড়ে চার লক্ষ টাকা", ["450000 টাকা"]),
    "vi-half": ("vi", "hai tỷ rưỡi đồng", ["2500000000 đồng"]),
    "en-half": ("en", "two and a half years", ["2.5 years"]),
    "sv-half-million": ("sv", "en och en halv miljon kronor", ["1500000 kronor"]),
    "en-letter-scale": ("en", "£5m a year", ["£5m"]),
    "en-hyphen": ("en", "a 5-day trip", ["5 day"]),
    "en-half-million": ("en", "half a million trees", ["500000"]),
    "en-money": ("en", "more than $3.5 million", ["$3.5 million+"]),
    "vi-glued": ("vi", "giá 500.000đ", ["500.000đ"]),
    "en-unit": ("en", "it is 24 days or 45 km off", ["24 days", "45 km"]),
    "en-word-between": ("en", "up to 4 consecutive nights", ["≤4 consecutive nights"]),
    "hi-scale": ("hi", "लगभग 35 लाख रुपये", ["~35 लाख रुपये"]),
    "en-negative": ("en", "it was -18 °C outside", ["-18 °C"]),
    "sv-minus": ("sv", "minus 12,5 grader", ["-12,5 grader"]),
    "vi-minus": ("vi", "âm 5 độ C", ["-5 độ C"]),
    "hi-below-zero": ("hi", "तापमान शून्य से 7 डिग्री नीचे", ["-7 डिग्री"]),
    # Hours with a point, and in words.
    "sv-hours": ("sv", "öppet 08.30-17.00", ["08.30-17.00"]),
    "sv-weekdays": ("sv", "tis–tors 9–15.30", ["9–15.30"]),
    "hi-half-past": ("hi", "साढ़े सात बजे", ["7:30"]),
    "bn-half-past": ("bn", "সাড়ে আটটায়", ["8:30"]),
    "en-isbn": ("en", "ISBN 91-7-028831-6", ["91-7-028831-6"]),
    "en-in-words": ("en", "two in seven farms", ["2/7"]),
    # Words alone.
    "en-words": ("en", "seven people were hurt by twelve boats", ["7", "12"]),
    "bn-words": ("bn", "দু'জন আহত, ছয়টি নৌকা", ["2", "6"]),
    "hi-words": ("hi", "पाँच किस्तों में", ["5"]),
    "sv-words": ("sv", "tolv båtar", ["12"]),
    "vi-words": ("vi", "hai mươi ba người", ["23"]),
    "en-fraction": ("en", "two thirds of the members", ["2/3"]),
    "bn-fraction": ("bn", "এক-তৃতীয়াংশ মানুষ", ["1/3"]),
    "sv-half": ("sv", "hälften av eleverna", ["1/2"]),
    "article-en": ("en", "one of them is a boat", []),
    "article-sv": ("sv", "en bil och ett hus", []),
    "article-bn": ("bn", "একটি শহর", []),
    "article-hi": ("hi", "एक शहर", []),
    "article-vi": ("vi", "một thành phố", []),
    "one-with-a-unit": ("vi", "một năm", ["1 năm"]),
    "ordinal": ("en", "the 3rd and the fourth", []),
    # Bounds.
    "en-not-more": ("en", "no more than 10", ["≤10"]),
    "en-not-fewer": ("en", "not fewer than 14 days", ["≥14 days"]),
    "en-fewer": ("en", "fewer than 12 members", ["<12"]),
    "en-or-fewer": ("en", "30 or fewer pupils", ["≤30"]),
    "en-at-least": ("en", "at least 25 percent of 1,200", ["≥25%", "1,200"]),
    "sv-most": ("sv", "högst 90 000 kronor", ["≤90 000 kronor"]),
    "sv-not-more": ("sv", "inte fler än 25 elever", ["≤25"]),
    "sv-least": ("sv", "minst tre år", ["≥3 år"]),
    "sv-during": ("sv", "under 3 dagar", ["3 dagar"]),
    "bn-most": ("bn", "সর্বোচ্চ ৭ জন", ["≤7"]),
    "bn-not-more": ("bn", "১০ জনের বেশি নয়", ["≤10"]),
    "bn-not-more-than-it": ("bn", "১০-এর বেশি নয়", ["≤10"]),
    "bn-may-not-be-more": ("bn", "আয় ২ লক্ষ টাকার বেশি হওয়া চলবে না", ["≤2 লক্ষ টাকা"]),
    "bn-if-it-is-more": ("bn", "১০ জনের বেশি হলে পাওয়া যাবে না", ["10+"]),
    "en-may-not-be-more": ("en", "It may not weigh more than 8 kg.", ["≤8 kg"]),
    "en-must-not-exceed": ("en", "must not exceed 40 pages", ["≤40"]),
    "en-not-under": ("en", "may not be under 18 years", ["≥18 years"]),
    "en-not-only-more": ("en", "not only more than 10", ["10+"]),
    "sv-may-not-be-more": ("sv", "får inte väga mer än 8 kg", ["≤8 kg"]),
    "sv-does-not-exceed": ("sv", "överstiger inte 30 dagar", ["≤30 dagar"]),
    "vi-may-not-be-more": ("vi", "không được nặng hơn 8 kg", ["≤8 kg"]),
    "hi-may-not-be-less": ("hi", "आयु 18 वर्ष से कम नहीं होनी चाहिए", ["≥18 वर्ष"]),
    "bn-scale-that-ends-like-one": ("bn", "দেড় কোটি টাকা", ["15000000 টাকা"]),
    "bn-counted": ("bn", "পঁচিশটি গ্রাম", ["25"]),
    "bn-not-less": ("bn", "৫০০টির কম নয়", ["≥500"]),
    "vi-not-over": ("vi", "không quá 6 ngày", ["≤6 ngày"]),
    "vi-not-under": ("vi", "không dưới 18 tuổi", ["≥18 tuổi"]),
    "vi-under": ("vi", "dưới 18 tuổi", ["<18 tuổi"]),
    "hi-not-more": ("hi", "15 दिनों से अधिक नहीं", ["≤15 दिनों"]),
    "hi-least": ("hi", "कम से कम 5 वर्ष", ["≥5 वर्ष"]),
    # Ranges and parts as one.
    "en-range": ("en", "from 300,000 to 800,000 dong", ["300,000 to 800,000 dong"]),
    "vi-range": ("vi", "từ 300.000 đồng đến 800.000 đồng", ["300.000 đồng đến 800.000 đồng"]),
    "en-between": ("en", "between 12 and 15 boats", ["12-15"]),
    "hi-range": ("hi", "3 से 5 दिन", ["3 से 5 दिन"]),
    "bn-range": ("bn", "৫ থেকে ৭ দিন", ["5 থেকে 7 দিন"]),
    "percent-range": ("sv", "20–25 procent", ["20–25%"]),
    "sv-part": ("sv", "42 av 97 sökande", ["42/97"]),
    "bn-part": ("bn", "৩৪টির মধ্যে ৯টি", ["9/34"]),
    "bn-part-noun": ("bn", "৪৮টি গ্রামের মধ্যে ১১টি", ["11/48"]),
    "bn-ratio": ("bn", "৮৪/১৬৭টি কাজ এবং ৮৩টি কাজ", ["84/167", "83"]),
    "hi-part": ("hi", "88 में से 51 आवेदन", ["51/88"]),
    "vi-part": ("vi", "42 trong số 97 hộ", ["42/97"]),
    "en-part-words": ("en", "nine of the thirty-four villages", ["9/34"]),
    # Dates and times.
    "iso": ("en", "on 2025-08-12 at noon", ["2025-08-12"]),
    "en-ordinal-day": ("en", "March 3rd, 2019", ["March 3rd, 2019"]),
    "hi-date": ("hi", "१५ अगस्त १९४७", ["15 अगस्त 1947"]),
    "vi-date": ("vi", "ngày 3 tháng 5 năm 2020", ["3 tháng 5 năm 2020"]),
    "en-days": ("en", "from 4 to 19 March", ["4 to 19 March"]),
    "years": ("bn", "২০২১-২০২৫ সময়কালে", ["2021-2025"]),
    "fiscal": ("en", "the budget for 2024-25", ["2024-25"]),
    "times": ("en", "open 9:30-16:45", ["9:30-16:45"]),
    "sv-time": ("sv", "klockan 16.00", ["klockan 16.00"]),
    "bn-times": ("bn", "সকাল ৯টা থেকে বিকেল ৫টা", ["সকাল 9টা থেকে বিকেল 5টা"]),
    "vi-moments": (
        "vi", "từ 20 giờ ngày 3 tháng 5 đến 6 giờ ngày 4 tháng 5 năm 2026",
        ["20 giờ ngày 3 tháng 5 đến 6 giờ ngày 4 tháng 5 năm 2026"],
    ),
    "empty": ("en", "", []),
}  # fmt: skip
KINDS = {
    "code": ("bn", "রেজোলিউশন নং 57-NQ/TW", [("57-NQ/TW", "code")]),
    "article": ("en", "Article 57-NQ/TW and room 6B", [("57-NQ/TW", "code"), ("6B", "code")]),
    "version": ("en", "version 2.1.4", [("2.1.4", "code")]),
    "not-inside-words": ("en", "the F16 and x540", [("F16", "code")]),
    "house-before": ("sv", "Storgatan 12", [("12", "code")]),
    "house-after": ("en", "12 Baker Street", [("12", "code")]),
    "number-after": ("bn", "১২ নং ওয়ার্ড", [("12", "code")]),
    "count-of": ("hi", "की संख्या 540 है", [("540", "count")]),
    "subsection": ("en", "Section 12(3)", [("12(3)", "code")]),
    "score": ("en", "they won 3-1", [("3-1", "code")]),
    "telephone-told": ("en", "hotline 66 31 50 72", [("66 31 50 72", "telephone")]),
    "telephone-toll-free": ("en", "call 1800-222-7788", [("1800-222-7788", "telephone")]),
    "telephone-sv": ("sv", "telefon 0740-333 18", [("0740-333 18", "telephone")]),
    "telephone-valid": ("vi", "gặp chị Lan (0292 3812 345)", [("0292 3812 345", "telephone")]),
    "no-telephone": ("sv", "1 540 000 000 kronor", [("1 540 000 000 kronor", "money")]),
    "money": ("vi", "45.000 đồng", [("45.000 đồng", "money")]),
    "duration": ("vi", "ba năm", [("3 năm", "duration")]),
    "measure": ("sv", "45 mil", [("45 mil", "measure")]),
    "share": ("hi", "25 प्रतिशत", [("25%", "share")]),
    "points": ("vi", "tăng 2 điểm phần trăm", [("2 điểm phần trăm", "share")]),
    "year": ("en", "In 1788 the well was dug", [("1788", "date")]),
    "no-year": ("en", "1200 people came", [("1200", "count")]),
    "day-and-month": ("vi", "ngày 29/10", [("29/10", "date")]),
    "time-and-date": ("sv", "den 3 maj kl 18.30", [("3 maj kl 18.30", "time")]),
}
VALUES = {
    "en-thousands": ("en", "1,200 ships", 1200.0),
    "en-points": ("en", "1.200.000 ships", 1_200_000.0),
    "en-decimal": ("en", "3.14 metres", 3.14),
    "en-scale": ("en", "2 billion stars", 2e9),
    "en-undecided": ("en", "1.540 ships", None),
    "en-decided-by-another": ("en", "0.5 and 2.5 and 1.540", 0.5),
    "vi-thousands": ("vi", "1.540 xã", 1540.0),
    "sv-thousands": ("sv", "12.500 kronor", 12_500.0),
    "vi-decimal": ("vi", "1,5 tỷ đồng", 1.5e9),
    "indian": ("en", "12,34,56,789 rupees", 123_456_789.0),
    "lakh-crore": ("en", "2.5 lakh crore", 2.5e12),
    "hi-crore": ("hi", "कुल 3 करोड़ 15 लाख रुपये", 31_500_000.0),
    "part": ("sv", "42 av 97 sökande", 42.0),
    "negative": ("en", "-18 °C", -18.0),
    "vulgar": ("en", "3½ hours", 3.5),
}


@pytest.mark.parametrize(("language", "text", "shown"), SHOWN.values(), ids=SHOWN)
def test_what_stands_there_is_shown_whole(language: str, text: str, shown: list[str]) -> None:
    assert [quantity.short for quantity in find_quantities(text, language)] == shown


@pytest.mark.parametrize(("language", "text", "expected"), KINDS.values(), ids=KINDS)
def test_kinds(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert [(quantity.short, quantity.kind) for quantity in find_quantities(text, language)] == expected


@pytest.mark.parametrize(("language", "text", "value"), VALUES.values(), ids=VALUES)
def test_value(language: str, text: str, value: float | None) -> None:
    assert find_quantities(text, language)[0].value == value


@pytest.mark.parametrize("text", ["৫১", "51"])
def test_a_part_knows_its_whole(text: str) -> None:
    (quantity,) = find_quantities(f"{text} of 88 applicants", "en")
    assert (quantity.value, quantity.whole) == (51.0, 88.0)


def test_the_rest_of_a_document_decides_how_digits_are_grouped() -> None:
    habit = digit_habit("1.200.000 ships and 1.540 boats", "en")
    assert find_quantities("1.540 boats", "en", habit=habit)[0].value == 1540
    assert find_quantities("1.540 boats", "en")[0].values == (1540, 1.54)


def test_offsets_are_those_of_the_text_as_given() -> None:
    text = "শহরটি ৫৪০ টিরও বেশি"
    (quantity,) = find_quantities(text, "bn")
    assert text[quantity.start : quantity.end] == "৫৪০"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_offsets_are_those_of_a_text_that_is_not_composed(form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(form, "Đà Nẵng có ba trăm người và 540 xã; \u09df")
    assert [text[q.start : q.end] for q in find_quantities(text, "vi")] == [
        unicodedata.normalize(form, "ba trăm"), "540",
    ]  # fmt: skip


def test_numbers_of_every_script_are_equal() -> None:
    assert numbers_in("৫৪০") == numbers_in("५४०") == numbers_in("540") == {"540"}
    assert numbers_in("1,200", "en") == {"1200"} == numbers_in("1 200", "sv")
    assert numbers_in("1.2 million on 3 May 2020", "en") == {"1200000", "3", "2020"}
    assert numbers_in("1.2 million", "en") <= numbers_held("1 200 000 personer", "sv")
    assert numbers_in("3 May 2020", "en") <= numbers_held("২০২০-০৫-০৩", "bn")
    assert numbers_in("7 boats", "en") <= numbers_held("sju båtar", "sv")


GROUPS = {"en": ",", "vi": ".", "sv": "\u00a0", "hi": ",", "bn": ","}
DECIMALS = {"en": ".", "vi": ",", "sv": ",", "hi": ".", "bn": "."}
ZEROS = {"ascii": "0", "bengali": "০", "devanagari": "०", "arabic": "٠", "thai": "๐", "fullwidth": "０"}


@given(
    number=st.integers(0, 10**12), part=st.integers(0, 99), language=st.sampled_from(sorted(GROUPS)),
    zero=st.sampled_from(sorted(ZEROS.values())), indian=st.booleans(), grouped=st.booleans(),
)  # fmt: skip
def test_what_is_written_as_a_number_reads_back_as_its_value(  # noqa: PLR0917
    number: int, part: int, language: str, zero: str, indian: bool, grouped: bool
) -> None:
    written = str(number)
    if grouped and indian and GROUPS[language] == ",":
        head, tail = written[:-3], written[-3:]
        written = ",".join([*regex.findall(r"(?r)\d{1,2}", head)[::-1], tail]) if head else tail
    elif grouped:
        written = f"{number:,}".replace(",", GROUPS[language])
    if part and part % 10:
        written += DECIMALS[language] + f"{part:02}"
    script = "".join(chr(ord(zero) + int(c)) if c in "0123456789" else c for c in written)
    (quantity,) = find_quantities(f"= {script} ;", language)
    assert quantity.text == script
    if quantity.kind != "date":
        expected = float(f"{number}.{part:02}") if part and part % 10 else float(number)
        assert quantity.value == expected


PIECES = st.sampled_from([
    "1", "54", "540", "2025", "1.540", "12,5", "৫৪০", "/", "-", ".", ",", ":", " ", " to ", " of ", "%", " đồng", "টি",
    "kl ", " maj ", " lakh ", "million", "two", " hundred ", "½", "+", "$", "no. ", "'", "x", "A", "°C", "\n",
])  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from((*languages(), "und", "zh")))
def test_no_short_answer_is_a_fragment_of_a_number(text: str, language: str) -> None:
    found = find_quantities(text, language)
    assert all(a.end <= b.start for a, b in pairwise(found))
    for quantity in found:
        assert text[quantity.start : quantity.end] == quantity.text
        assert quantity.short.strip()
        assert not (quantity.text[0].isdecimal() and text[: quantity.start][-1:].isdecimal())
        assert not (quantity.text[-1].isdecimal() and text[quantity.end : quantity.end + 1].isdecimal())


@pytest.mark.parametrize("text", by_id(HOSTILE))
@pytest.mark.parametrize("language", [*languages(), "und"])
def test_any_text_is_read(text: str, language: str) -> None:
    for quantity in find_quantities(text, language, weak=True):
        assert text[quantity.start : quantity.end] == quantity.text


@pytest.mark.parametrize("text", ["9" * 300_000, "১" * 300_000, "a" * 300_000, "ক" * 300_000, "-" * 300_000])
def test_the_longest_number_takes_a_moment(text: str) -> None:
    started = time.perf_counter()
    assert len(find_quantities(text, "bn", weak=True)) <= 1
    assert time.perf_counter() - started < 20  # quadratic time would take hours


@pytest.mark.parametrize("language", languages())
def test_every_language_table_has_the_same_keys(language: str) -> None:
    table, english = lexicon(language), lexicon("en")
    assert table.question.keys() == english.question.keys()
    assert table.quantity.keys() == english.quantity.keys()


def test_languages_without_a_table_read_english() -> None:
    assert lexicon("fi").language == "en"
    assert {table.language for table in all_lexicons()} == set(languages())
