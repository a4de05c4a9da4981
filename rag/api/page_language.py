"""Which language a page is shown in: what its reader chose, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Mapping

from index.language.lexicon import FALLBACK, languages, lexicon

COOKIE = "polycite_language"
"""Written by the staff page's script when its reader chooses; one of `index.language.lexicon.languages()`."""


def reader_language(headers: Mapping[str, str]) -> str:
    """Return the language of a request's page; `headers` with names in lower case, or in any."""
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value in languages():
            return value
    return page_language(headers.get("accept-language"))


def page_language(accepted: str | None) -> str:
    """Return the first language of an Accept-Language header that has a table, else English."""
    for entry in (accepted or "").split(","):
        code = entry.split(";")[0].strip().split("-")[0].lower()
        if code in languages():
            return code
    return FALLBACK


def page_labels(language: str) -> Mapping[str, str]:
    """Return the pages' words in a language, by name: the table `[labels]` of `index/language/tables/*.toml`."""
    return lexicon(language).labels
