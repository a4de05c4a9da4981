"""Which language a page is shown in: what its reader chose, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from index.language.lexicon import FALLBACK, languages

COOKIE = "polycite_language"
"""Written by the staff page's script when its reader chooses; one of `index.language.lexicon.languages()`."""


def reader_language(headers: Mapping[str, str]) -> str:
    """Return the language of a request's page; `headers` with names in lower case, or in any."""
    return _chosen(headers) or page_language(headers.get("accept-language"))


def page_language(accepted: str | None) -> str:
    """Return the first language of an Accept-Language header that has a table, else English."""
    return next((code for code in _accepted(accepted) if code in languages()), FALLBACK)


def asker_language(headers: Mapping[str, str]) -> str | None:
    """Return the language in which somebody asks, as far as the request tells: it makes a few words likelier of it."""
    return _chosen(headers) or next(_accepted(headers.get("accept-language")), None)


def _chosen(headers: Mapping[str, str]) -> str | None:
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value in languages():
            return value
    return None


def _accepted(header: str | None) -> Iterator[str]:
    """The languages of an Accept-Language header, in their order."""
    for entry in (header or "").split(","):
        code = entry.split(";")[0].strip().split("-")[0].lower()
        if code.isalpha():  # not "*", nor nothing
            yield code
