"""Words and names across scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.language.sounds import alike, one_name, sound, sounds_of
from index.language.terms import fold, fold_digits, sounds, split_words, word_terms

NAMES = {
    "Can Tho": ["Cần Thơ", "ক্যান থো", "कैन थो"],
    "Bac Ninh": ["Bắc Ninh", "ব্যাক নিন", "बाक निन्ह"],
    "Da Nang": ["Đà Nẵng", "দা নাং", "दा नांग"],
    "Denver Broncos": ["Денвер Бронкос", "डेनवर ब्रोंकोस"],
    "Nguyen Van Dung": ["Nguyễn Văn Dũng", "নগুয়েন ভ্যান ডাং"],
}


def meet(left: str, right: str, language: str) -> bool:
    """Whether any word or pair of one has the key of one of the other and sounds alike."""
    found = sounds(right, language)
    return any(a.key == b.key and one_name(a.heard, b.heard) for a in sounds(left, "en") for b in found)


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
    for found in sounds(text, "en"):
        assert found.key.isascii() and found.heard.isascii()
    assert len(fold_digits(text)) == len(text)
    assert fold(fold(text)) == fold(text) or text != text.strip()


@pytest.mark.parametrize(
    ("word", "language", "heard", "key"),
    [
        pytest.param("ক্যান", "bn", "kan", "k-n", id="two consonants: with the vowels at the ends"),
        pytest.param("Lima", "en", "lima", "l-m-", id="a vowel at the end"),
        pytest.param("Tho", "en", "tu", "", id="too short for a key"),
        pytest.param("তুং", "bn", "tuN", "t-n", id="ng"),
        pytest.param("पलाशपुर", "hi", "p.las.pur", "plspr", id="vowels that are not written"),
        pytest.param("चंडीगढ़", "hi", "c.ndig.r", "sndgr", id="a consonant with a point"),
        pytest.param("লক্ষ্মী", "bn", "l.ksmi", "lksm", id="joined consonants"),
        pytest.param("Cần", "vi", "kan", "k-n", id="marks"),
        pytest.param("Italien", "sv", "italia", "-t-l-", id="as Swedish hears it"),
        pytest.param("x5", "en", "", "", id="digits"),
        pytest.param("東京", "en", "", "", id="no letters"),
        pytest.param("", "en", "", "", id="empty"),
    ],
)
def test_a_word_is_heard(word: str, language: str, heard: str, key: str) -> None:
    assert sound(word, language)[:2] == (key, heard)


@given(st.text(max_size=20), st.sampled_from(["en", "sv", "vi", "bn", "hi", "und"]))
def test_what_the_index_holds_of_a_word_is_what_a_question_looks_for_first(word: str, language: str) -> None:
    assert sounds_of(word, language)[0] == sound(word, language)
    assert all(alike(way.heard, way.heard) == 1 for way in sounds_of(word, language))


@given(st.text(max_size=40))
def test_a_text_sounds_like_itself(text: str) -> None:
    for word in split_words(text):
        heard = sound(word, "en")
        assert not heard.key or heard in sounds(text, "en")
