"""Where quoted words stand, as a person reads it: the file, its page, the heading over them."""

from __future__ import annotations

from pathlib import PurePosixPath

from rag.answer import Citation
from rag.notices import notices_in


def place_words(citation: Citation, language: str) -> str:
    """The file's name, "p. 12" and the section, as far as they are known and differ from the title, and whether the
    text was read off a picture: "" if none."""
    name = PurePosixPath(citation.path).name
    words = notices_in(language)
    page = None if citation.page is None else words["page"].format(number=citation.page)
    recognised = words["recognised"] if citation.recognised else None
    parts = (name if name != citation.title else "", page, citation.section, recognised)
    return ", ".join(part for part in parts if part)
