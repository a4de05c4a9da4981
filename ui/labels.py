"""What the page shows around the answers, in each language: `ui/tables/<code>.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from index.language.lexicon import FALLBACK
from rag.notices import login_words

_FOLDER = Path(__file__).parent / "tables"


@cache
def labels_in(language: str) -> Mapping[str, str]:
    """The page's words, by name, with those of the page for signing in; English where a language lacks one."""
    path = _FOLDER / f"{language}.toml"
    own = tomllib.loads(path.read_text("utf-8"))["labels"] if language.isalpha() and path.is_file() else {}
    return {**({} if language == FALLBACK else labels_in(FALLBACK)), **login_words(language), **own}
