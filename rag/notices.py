"""What answers are made of, and the page for signing in, in each language: `rag/tables/<code>.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from index.language.lexicon import FALLBACK

_FOLDER = Path(__file__).parent / "tables"


def notices_in(language: str) -> Mapping[str, str]:
    """Templates for answers and refusals, by name; English where a language lacks one."""
    return _table(language)["notices"]


def login_words(language: str) -> Mapping[str, str]:
    """The words of the page for signing in, by name; English where a language lacks one."""
    return _table(language)["login"]


@cache
def _table(language: str) -> Mapping[str, Mapping[str, str]]:
    path = _FOLDER / f"{language}.toml"
    own = tomllib.loads(path.read_text("utf-8")) if language.isalpha() and path.is_file() else {}
    if language == FALLBACK:
        return own
    return {section: {**words, **own.get(section, {})} for section, words in _table(FALLBACK).items()}
