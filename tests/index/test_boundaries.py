"""Where sentences end: what a point does not end, in every script."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT, by_id

from index.language.boundaries import enumerated, sentence_spans
from index.language.lexicon import languages, lexicon
from index.language.sentences import split_sentences
from index.types import Document

DIGITS = ["0123456789", "০১২৩৪৫৬৭৮৯", "०१२३४५६७८९", "٠١٢٣٤٥٦٧٨٩", "๐๑๒๓๔๕๖๗๘๙"]


def cut(text: str, language: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentence_spans(text, language)]


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        pytest.param("bn", ["দৈর্ঘ্য ৩.৭ কিমি।", "প্রস্থ ২ মিটার।"], id="decimal point"),
        pytest.param("hi", ["नियम ४.२.९ देखें।", "वह लागू है।"], id="section number"),
        pytest.param("mr", ["उंची १२.५ मीटर आहे."], id="language without a table"),
        pytest.param("bn", ["দুপুর ২.৪৫ থেকে ৩.১৫ পর্যন্ত খোলা।"], id="time of day"),
        pytest.param("bn", ["মো. করিম ও ডা. সেন এলেন।", "তাঁরা বসলেন।"], id="titles"),
        pytest.param("hi", ["प्रो. वर्मा ने रु. 900 दिए।", "फिर वे गए।"], id="title and currency"),
        pytest.param("vi", ["PGS. Lê C sống ở TP. Đà Nẵng.", "Ông dạy toán."], id="vietnamese titles"),
        pytest.param(
            "sv",
            ["Det öppnar kl. 9 den 4 maj.", "Det är gratis."],
            id="hour, and a month like an abbreviation",
        ),
        pytest.param("sv", ["Här finns bl.a. Lund m.m.", "Det är allt."], id="abbreviation that ends"),
        pytest.param("en", ["Pay Rs. 40 to Dr. Rao.", "Keep the slip."], id="english"),
        pytest.param("en", ["I met J. R. Ek.", "He left."], id="initials"),
        pytest.param("bn", ["এ. কে. দাস এলেন।", "সবাই বসল।"], id="names of letters"),
        pytest.param("hi", ["ए.पी. सिंह आए।", "सब बैठे।"], id="names of letters without a space"),
        pytest.param("hi", ["यह नया है.", "वह पुराना था."], id="a point instead of a danda"),
        pytest.param("en", ["1. Fees"], id="enumerator"),
        pytest.param("hi", ["३. शुल्क कम है।", "४. समय बदला।"], id="enumerators in devanagari"),
        pytest.param("en", ["a) Bring a form.", "b) Sign it."], id="letters"),
        pytest.param("en", ["Plan B.", "The rest waits."], id="a letter that ends"),
        pytest.param("en", ["It was built in 1950.", "It burnt down."], id="a year that ends"),
        pytest.param("en", ["See www.example.com.", "It is new."], id="address"),
        pytest.param("sv", ["Djupet är 4 m/s.", "Luften höll 7 °C.", "Allt var lugnt."], id="units"),
        pytest.param("sv", ["Det var år 40 f.Kr. enligt boken.", "Sant."], id="small letters go on"),
        pytest.param("sv", ["mötet är slut.", "alla gick hem."], id="all in small letters"),
        pytest.param("vi", ["Điều 7. Phạm vi áp dụng"], id="label"),
        pytest.param("bn", ["৩। ফি জমা দিন।", "৪। রসিদ নিন।"], id="enumerators with a danda"),
        pytest.param("bn", ["মোছা. সালমা এলেন।", "সবাই বসল।"], id="short words where sentences have dandas"),
        pytest.param("hi", ["ताप 9 डि.से. रहा।", "हवा थमी।"], id="letters with points between"),
    ],
)
def test_sentences(language: str, sentences: list[str]) -> None:
    assert cut(" ".join(sentences), language) == sentences


def test_a_space_may_be_missing() -> None:
    assert cut("It is done.Next comes lunch.", "en") == ["It is done.", "Next comes lunch."]


@pytest.mark.parametrize("language", languages())
def test_an_abbreviation_of_the_table_ends_nothing(language: str) -> None:
    rules = lexicon(language).sentences
    for word in rules["before"]:
        text = f"x {word} Xyz abc"
        assert cut(text, language) == [text], word
    for word in rules["before_number"]:
        assert cut(f"x {word} 5 abc", language) == [f"x {word} 5 abc"], word


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 999)), min_size=1, max_size=4),
    st.sampled_from(DIGITS),
    st.sampled_from(["bn", "hi", "mr", "en", "sv", "vi", "ar", "th", "und"]),
)
def test_no_number_is_cut_at_its_point(numbers: list[tuple[int, int]], digits: str, language: str) -> None:
    written = [f"{whole}.{part}".translate(str.maketrans("0123456789", digits)) for whole, part in numbers]
    pieces = cut(f"x {' x '.join(written)} x", language)
    assert all(any(number in piece.split() for piece in pieces) for number in written)


TEXTS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=300
) | st.lists(
    st.sampled_from(
        [
            "ক্যান থো। ",
            "५४० ",
            "Dr. ",
            "X. ",
            ". ",
            "1. ",
            "a) ",
            "২.",
            "; ",
            "মো. ",
            "“",
            "”",
            "Det ",
            "maj. ",
            "?! ",
        ]
    ),
    max_size=60,
).map("".join)


@given(TEXTS, st.sampled_from([*languages(), "und", "zh", "th"]))
def test_the_sentences_of_a_line_join_to_the_line(line: str, language: str) -> None:
    position = 0
    for start, end in sentence_spans(line, language):
        assert not line[position:start].strip()
        assert line[start:end].strip()
        position = end
    assert not line[position:].strip()


@pytest.mark.parametrize("text", by_id({**MULTI_SCRIPT, **HOSTILE}))
def test_texts_of_every_script_join(text: str) -> None:
    for line in text.split("\n"):
        assert "".join("".join(cut(line, "en")).split()) == "".join(line.split())


@pytest.mark.parametrize(
    "text", by_id({"quotes": "“" * 100_000, "points": "a. B" * 25_000, "initials": "A. " * 30_000})
)
def test_a_long_line_takes_no_longer_than_its_length(text: str) -> None:
    start = time.process_time()
    cut(text, "en")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("1. Fees", 3),
        ("২) কাজ", 3),
        ("(a) Bring", 4),
        ("2.1. Scope", 5),
        ("1.5 km", 0),
        ("Fees", 0),
        ("1.", 0),
        ("2019. x", 0),
        ("Article 9. Duties", 11),
        ("Chapter IV. Fees", 12),
        ("Since 9. Duties", 0),
    ],
)
def test_enumerators(line: str, taken: int) -> None:
    assert enumerated(line, "en") == taken


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        pytest.param(
            "2. Fees\nA visit costs 5 euros.\n3. Hours\nOpen all day.",
            ["heading", "body", "heading", "body"],
            id="over text",
        ),
        pytest.param("1. Milk\n2. Bread\n3. Salt", ["body"] * 3, id="items of a list"),
        pytest.param("2. Fees: 5 euros\nAll prices include tax.", ["body"] * 2, id="that answers"),
        pytest.param("१. शुल्क\nप्रवेश निःशुल्क है।", ["heading", "body"], id="devanagari"),
    ],
)
def test_a_numbered_title_is_a_heading(text: str, kinds: list[str]) -> None:
    document = Document("d", "d.txt", "", "en", None, text, "text/plain")
    assert [sentence.kind for sentence in split_sentences(document)] == kinds
