"""What a question asks for, and its names."""

from __future__ import annotations

import pytest
from texts import HOSTILE, by_id

from rag.matching.lexical import matched, text_terms, wanted
from rag.question import analyse


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("How many open datasets did Can Tho publish?", "en", "count"),
        ("Can Tho đã công bố bao nhiêu bộ dữ liệu mở?", "vi", "count"),
        ("ক্যান থো কতগুলি উন্মুক্ত ডেটাসেট প্রকাশ করেছে?", "bn", "count"),
        ("कैन थो ने कितने खुले डेटासेट प्रकाशित किए?", "hi", "count"),
        ("Hur många öppna dataset publicerade Can Tho?", "sv", "count"),
        ("What percentage of schools are connected?", "en", "share"),
        ("Hur många procent av skolorna är anslutna?", "sv", "share"),
        ("When was the park opened?", "en", "date"),
        ("Năm nào công viên được mở?", "vi", "date"),
        ("सभा कब हुई?", "hi", "date"),
        ("Who led the meeting?", "en", "person"),
        ("সভা কোথায় হয়েছিল?", "bn", "place"),
        ("Varför sköts mötet upp?", "sv", "reason"),
        ("Tell me about the park.", "en", "other"),
    ],
    ids=lambda value: value[:40],
)
def test_language_and_kind(text: str, language: str, kind: str) -> None:
    question = analyse(text)
    assert (question.language, question.kind) == (language, kind)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(
            "How many datasets did Can Tho publish?", [("Can", "Tho")], id="a stop word that is a name"
        ),
        pytest.param("Can Tho đã công bố gì?", [("Can", "Tho")], id="opens the question"),
        pytest.param("Can you list the parks in Uppsala?", [("Uppsala",)], id="a verb opens the question"),
        pytest.param("how many parks are there?", [], id="no capitals"),
        pytest.param("HOW MANY PARKS?", [], id="all capitals say nothing"),
        pytest.param("Compare Can Tho with Bac Ninh.", [("Can", "Tho"), ("Bac", "Ninh")], id="a verb opens"),
        pytest.param("Before Bac Ninh, who came?", [("Bac", "Ninh")], id="a preposition opens"),
        pytest.param("Förutom Nova Scotia, vilka fler?", [("Nova", "Scotia")], id="a swedish one"),
        pytest.param("Trước Can Tho, ai đã đến?", [("Can", "Tho")], id="a vietnamese one"),
        pytest.param("Wie viele Häuser hat die Stadt?", [], id="german nouns are no names"),
        pytest.param("कितने पार्क हैं?", [], id="no capitals in the script"),
    ],
)
def test_names(text: str, names: list[tuple[str, ...]]) -> None:
    assert list(analyse(text).names) == names


def test_numbers_of_a_question_are_ascii() -> None:
    assert analyse("২০২৫ সালে কত?").numbers == {"2025"}


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_any_text_is_a_question(text: str) -> None:
    assert analyse(text).text == text


def found(question: str, text: str, language: str) -> set[str]:
    asked = wanted(analyse(question))
    return {" ".join(term.words) for term in matched(asked, text_terms(text, language))}


def test_between_languages_only_names_numbers_and_sounds_meet() -> None:
    assert found("Trong năm 2025 Can Tho làm gì?", "Can so trong 2025 in Can Tho", "en") >= {
        "2025",
        "Can",
        "Tho",
    }
    assert "Trong" not in found("Vì sao trong Huế có mưa?", "trong och so", "sv")


def test_a_name_is_found_in_a_compound() -> None:
    assert "Lumen" in found("What does the Lumen Museum hold?", "Lumenmuseet öppnade", "sv")


def test_a_name_is_found_across_scripts() -> None:
    assert "Can Tho" in found("What did Can Tho do?", "ক্যান থোর স্টার্টআপ", "bn")
    assert "Da Nang" not in found("What did Da Nang do?", "ক্যান থোর স্টার্টআপ", "bn")


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Did they agree? What was the mood?", ()),
        ("She left early. Where did Ada Lovelace live?", (("Ada", "Lovelace"),)),
        ("Was St. Petersburg founded by Peter?", (("St", "Petersburg"), ("Peter",))),
        ("What does Resolution 57 say about Oslo?", (("Oslo",),)),
        ("Nghị quyết nào nói về Đà Nẵng?", (("Đà", "Nẵng"),)),
        ("Sở KH&CN Hải Phòng có bao nhiêu nhân viên?", (("Hải", "Phòng"),)),
        ("What did NASA Ames publish?", (("NASA",), ("Ames",))),
        ("Vad kostar AI i Lund?", (("Lund",),)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_capital_that_language_or_place_demands_makes_no_name(
    question: str, names: tuple[tuple[str, ...], ...]
) -> None:
    assert analyse(question).names == names
