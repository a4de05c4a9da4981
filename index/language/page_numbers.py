"""Lines that number a page, in every language whose words for it are known."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import regex


@cache
def page_number() -> regex.Pattern[str]:
    """The form of such a line: "3", "- 3 -", "3/9", "3 (9)".

    A word before the number must be one for "page": "Ward 3" is a headline.
    """
    words = tomllib.loads(Path(__file__).with_name("pages.toml").read_text(encoding="utf-8"))
    page, of = (
        "|".join(regex.escape(word) for found in words[name].values() for word in found)
        for name in ("page", "of")
    )
    return regex.compile(
        rf"^[\W_]*(?:(?:{page})\.?\s*)?\p{{Nd}}{{1,4}}"
        rf"(?:\s*(?:[/|(]|{of}|\p{{L}}{{1,2}})\s*\p{{Nd}}{{1,4}})?[\W_]*$",
        regex.I,
    )
