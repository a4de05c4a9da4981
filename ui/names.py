"""Names and writing directions of languages, from CLDR."""

from __future__ import annotations

from functools import cache
from typing import Literal

from babel import Locale
from babel.core import UnknownLocaleError

from index.language.called import language_name
from index.types import UNDETERMINED

__all__ = ["direction", "language_name"]


@cache
def direction(code: str) -> Literal["ltr", "rtl", "auto"]:
    """The writing direction of a language for the HTML attribute `dir`; "auto" where CLDR does not know it."""
    locale = _locale(code)
    if locale is None or code == UNDETERMINED:
        return "auto"
    return "rtl" if locale.text_direction == "rtl" else "ltr"


def _locale(code: str) -> Locale | None:
    try:
        return Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None
