"""Names and writing directions of languages, from CLDR."""

from __future__ import annotations

from functools import cache
from typing import Literal

from babel import Locale
from babel.core import UnknownLocaleError

from index.types import UNDETERMINED


@cache
def language_name(code: str, *, shown_in: str = "en") -> str:
    """A language's name in another language (ISO 639-1 codes), or the code itself where CLDR has none."""
    locale = _locale(shown_in) or Locale("en")
    return str(locale.languages.get(code, code))


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
