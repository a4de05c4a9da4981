"""The one normalisation at load."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.normalise import NORMALISER_VERSION, normalise, normalise_line

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Mc", "Zs", "Zl", "Zp"]),
        st.sampled_from(
            "\n\r\t \u00a0\u0085\u2028\u2029\ufeff\u00ad\u200b\u200c\u200dকোবি\u09bc\u09cdeé\u0301"
        ),
    )
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("a\r\nb\rc\u2028d\u2029e\u0085f\x0bg\x0ch", "a\nb\nc\nd\ne\nf\ng\nh", id="line-ends"),
        pytest.param("a\x00b\x07c\x9fd\te", "abcd\te", id="control-characters"),
        pytest.param("\ufeffdoc\u00adument\u200b\u2060", "document", id="bom-soft-hyphen-zero-width"),
        pytest.param("Ca\u0302\u0300n Tho\u031b", "Cần Thơ", id="nfc-vietnamese"),
        pytest.param("ক\u09c7\u09be", "কো", id="nfc-bengali-two-part-vowel"),
        pytest.param("e\u00ad\u0301", "é", id="mark-after-removed-character"),
        pytest.param("র\u200d্যাম না\u200cম", "র\u200d্যাম না\u200cম", id="joiners-stay"),
        pytest.param("abc\u202edef\u202c\u2066x\u2069", "abcdefx", id="bidi-overrides"),
        pytest.param("hi\U000e0069\U000e0067", "hi", id="tag-characters"),
        pytest.param("a\ud800b", "a\ufffdb", id="lone-surrogate"),
        pytest.param("\ud83d\ude00", "😀", id="surrogate-pair"),
        pytest.param("a \t\u00a0\nb  \n c", "a\nb\n c", id="trailing-spaces"),
        pytest.param("a\n\nb\n\n\nc\n\n\n\nd\n \n \n\t\n\n\ne", "a\n\nb\n\n\nc\n\nd\n\ne", id="blank-runs"),
        pytest.param("540\u00a0000 m²", "540\u00a0000 m²", id="nothing-else-changes"),
    ],
)
def test_normalise(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@given(HOSTILE)
def test_idempotent_and_clean(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\n\n\n\n" not in once
    assert all(line == line.rstrip(" \t\u00a0") for line in once.split("\n"))
    assert not any(unicodedata.category(c) in {"Cs", "Zl", "Zp"} for c in once)
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in once)
    once.encode("utf-8")


@given(HOSTILE)
def test_every_visible_letter_survives(text: str) -> None:
    letters = [c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) in {"Lu", "Ll"}]
    kept = unicodedata.normalize("NFD", normalise(text))
    assert all(unicodedata.normalize("NFD", c)[0] in kept for c in letters)


def test_one_line() -> None:
    assert normalise_line(" Mötet\r\n i \u00a0 Tây Ninh\u00ad ") == "Mötet i Tây Ninh"


def test_version_is_a_positive_number() -> None:
    assert NORMALISER_VERSION >= 1
