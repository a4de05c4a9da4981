"""Which language the page is shown in: what its reader chose, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Mapping

from index.lexicon import languages, lexicon
from rag.api.accept_language import page_language

COOKIE = "polycite_language"
"""Written by the page's own script when its reader chooses; one of `index.lexicon.languages()`."""


def reader_language(headers: Mapping[str, str]) -> str:
    """Return the language of a request's page; `headers` with names in lower case, or in any."""
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value in languages():
            return value
    return page_language(headers.get("accept-language"))


def page_labels(language: str) -> Mapping[str, str]:
    """Return the page's words in a language, by name: the table `[labels]` of `index/languages/*.toml`."""
    return lexicon(language).labels
