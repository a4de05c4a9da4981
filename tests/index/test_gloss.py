"""A few words as a reader of another language can read them."""

from __future__ import annotations

import pytest

from index.language.gloss import gloss_of
from index.language.lexicon import languages
from index.language.quantities import find_quantities

SPACE = "\u202f"


@pytest.mark.parametrize(
    ("text", "language", "reader", "expected"),
    [
        ("12 মার্চ 2026 সকাল 8টা থেকে বিকেল 4টা", "bn", "sv", "12 mars 2026, 08:00 – 16:00"),
        ("সকাল 8টা", "bn", "en", f"8:00{SPACE}AM"),
        ("tháng 9 năm 2026", "vi", "hi", "सितंबर 2026"),
        ("1 अप्रैल से 30 जून", "hi", "en", "April 1 – June 30"),
        ("3 কোটি 20 লাখ টাকা", "bn", "en", "32,000,000 taka"),
        ("48,6 tỷ đồng", "vi", "en", "48,600,000,000 dong"),
        ("≤1 140 kronor", "sv", "en", "≤1,140 kronor"),
        ("5 वर्ष", "hi", "vi", "5 năm"),
        ("47 কিলোমিটার", "bn", "en", "47 kilometers"),
        ("12.500", "vi", "en", "12,500"),
        ("बुधवार", "hi", "en", "Wednesday"),
        ("thứ Hai", "vi", "sv", "måndag"),
        ("सुनीता वर्मा", "hi", "en", "Sunita Varma"),
        ("রফিকুল হাসান", "bn", "hi", "Rafikul Hasan"),
    ],
)
def test_it_is_written_as_the_reader_writes_it(text: str, language: str, reader: str, expected: str) -> None:
    assert gloss_of(text, language, reader) == expected


@pytest.mark.parametrize(
    ("text", "language", "reader"),
    [
        ("540+", "hi", "en"),
        ("1 140 kronor", "sv", "sv"),
        ("सुनीता वर्मा", "hi", "hi"),
        ("Margareta Sjöholm", "sv", "en"),
        ("£4.50", "en", "sv"),
        ("84/167", "bn", "en"),
        ("01711-456789", "bn", "en"),
        ("within 30 days of the trip", "en", "hi"),
        ("3, 5 ও 7 নম্বর", "bn", "en"),
        ("1.540", "und", "en"),
        ("5 वर्ष", "hi", "und"),
    ],
)
def test_what_is_so_already_or_cannot_be_done_has_none(text: str, language: str, reader: str) -> None:
    assert gloss_of(text, language, reader) is None


@pytest.mark.parametrize("reader", languages())
@pytest.mark.parametrize("value", ["1,250", "37", "2.5"])
def test_a_gloss_says_the_same_number(value: str, reader: str) -> None:
    short = f"{value} kilometres"
    gloss = gloss_of(short, "en", reader) or short
    (said,), (meant,) = find_quantities(gloss, reader), find_quantities(short, "en")
    assert said.values == meant.values
