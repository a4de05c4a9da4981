"""Where quoted words stand, as a person reads it: the file, its page, the heading over them."""

from __future__ import annotations

from pathlib import PurePosixPath

from rag.answer import Citation
from rag.notices import notices_in


def place_words(citation: Citation, language: str) -> str:
    """The file's name, "p. 12" and the section, as far as they are known and differ from the title: "" if none."""
    name = PurePosixPath(citation.path).name
    page = None if citation.page is None else notices_in(language)["page"].format(number=citation.page)
    parts = (name if name != citation.title else "", page, citation.section)
    return ", ".join(part for part in parts if part)
