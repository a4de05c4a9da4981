"""Titles: the first sentence, and never longer than they may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import read

from index.readers.finish import shorten


class TestTitles:
    @pytest.mark.parametrize(
        ("text", "limit", "expected"),
        [
            pytest.param("short", 10, "short", id="fits"),
            pytest.param("one two three", 10, "one two…", id="between-words"),
            pytest.param("one, two three", 6, "one…", id="no-comma-left"),
            pytest.param("abcdefghijkl", 10, "abcdefghi…", id="one-word"),
            pytest.param("👩‍👩‍👧‍👧👩‍👩‍👧‍👧👩‍👩‍👧‍👧", 12, "👩‍👩‍👧‍👧…", id="clusters"),
            pytest.param("क्षक्षिक्षुक्षे", 8, "क्षक्षि…", id="hindi-clusters"),
        ],
    )
    def test_shorten(self, text: str, limit: int, expected: str) -> None:
        assert shorten(text, limit) == expected

    @given(st.text(max_size=300), st.integers(2, 120))
    def test_never_longer(self, text: str, limit: int) -> None:
        assert len(shorten(text, limit)) <= limit

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            pytest.param("Dr. A. Berg kom. Sedan gick han.", "Dr. A. Berg kom.", id="abbreviations"),
            pytest.param("The rate is 3.5 percent now. More.", "The rate is 3.5 percent now.", id="decimal"),
            pytest.param("सभा हुई। फिर समाप्त।", "सभा हुई।", id="danda"),
            pytest.param("会议结束了。 然后", "会议结束了。", id="chinese"),
        ],
    )
    def test_first_sentence(self, text: str, title: str) -> None:
        assert read(text).title == title
