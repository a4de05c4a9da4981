"""Which language a page is shown in."""

from __future__ import annotations

from index.lexicon import FALLBACK, languages


def page_language(accepted: str | None) -> str:
    """Return the first language of an Accept-Language header that has a table, else English."""
    for entry in (accepted or "").split(","):
        code = entry.split(";")[0].strip().split("-")[0].lower()
        if code in languages():
            return code
    return FALLBACK
