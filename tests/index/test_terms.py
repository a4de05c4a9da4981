"""Words and names across scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.language.terms import fold, fold_digits, romanise, same_sound, sound_key, sounds, word_terms

NAMES = {
    "Can Tho": ["Cần Thơ", "ক্যান থো", "कैन थो"],
    "Bac Ninh": ["Bắc Ninh", "ব্যাক নিন", "बाक निन्ह"],
    "Da Nang": ["Đà Nẵng", "দা নাং", "दा नांग"],
    "Denver Broncos": ["Денвер Бронкос", "डेनवर ब्रोंकोस"],
    "Nguyen Van Dung": ["Nguyễn Văn Dũng", "নগুয়েন ভ্যান ডাং"],
}


def meet(left: str, right: str, language: str) -> bool:
    """Whether any word or pair of one has the key of one of the other and looks alike."""
    found = dict(sounds(right, language))
    return any(key in found and same_sound(roman, found[key]) >= 0.85 for key, roman in sounds(left, "en"))


@pytest.mark.parametrize(
    ("name", "other"),
    [pytest.param(name, other, id=f"{name} {other}") for name in NAMES for other in NAMES[name]],
)
def test_a_name_meets_itself_in_another_script(name: str, other: str) -> None:
    assert meet(name, other, "und")


@pytest.mark.parametrize(
    ("name", "other"), [("Can Tho", "দা নাং"), ("Bac Ninh", "ক্যান থো"), ("Da Nang", "हनोई")]
)
def test_different_names_do_not_meet(name: str, other: str) -> None:
    assert not meet(name, other, "und")


def test_a_case_ending_does_not_hide_a_name() -> None:
    assert meet("Can Tho", "ক্যান থোর স্টার্টআপ", "bn")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Cần Thơ", ["cần", "can", "thơ", "tho"], id="vietnamese with and without marks"),
        pytest.param("৫৪০টি", ["540টি"], id="digits of all scripts are equal"),
        pytest.param("57-NQ/TW", ["57", "nq", "tw", "57nqtw"], id="a code is also one term"),
        pytest.param("1,200", ["1", "200", "1200"], id="a grouped number is also one term"),
        pytest.param("বিজ্ঞান ও প্রযুক্তি", ["বিজ্ঞান", "ও", "প্রযুক্তি"], id="marks do not break words"),
        pytest.param("你好世界", ["你好", "好世", "世界"], id="no spaces: pairs of characters"),
        pytest.param("... 😀", [], id="no words"),
    ],
)
def test_word_terms(text: str, expected: list[str]) -> None:
    assert word_terms(text) == expected


@given(st.text(max_size=80))
def test_any_text_has_terms_and_keys_of_plain_characters(text: str) -> None:
    for term in word_terms(text):
        assert term and not any(c.isspace() for c in term)
    for key, roman in sounds(text, "en"):
        assert key.isascii() and roman.isascii()
    assert len(fold_digits(text)) == len(text)
    assert fold(fold(text)) == fold(text) or text != text.strip()


def test_romanised_names_look_like_a_newspaper_writes_them() -> None:
    assert romanise("ক্যান") == "kan"
    assert romanise("তুং") == "tung"
    assert sound_key("Tho") == sound_key("থো") == "t"
