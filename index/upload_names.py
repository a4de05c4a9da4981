"""File names for what was uploaded: the client's own as far as a file system and a list of documents can take it."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePosixPath

import regex

UNNAMED = "unnamed"

# Bytes of a name: file systems take 255, and " (1234)" must still fit.
_MOST_BYTES = 200
_LONGEST_SUFFIX = 20
_GRAPHEME = regex.compile(r"\X")
# Control characters, halves of code points, what is assigned to nobody, and the marks that turn the direction of
# writing, which make a name look like another. Joiners, which words of many scripts need, stay.
_DROPPED = regex.compile(r"[\p{Cc}\p{Cs}\p{Cn}\u200E\u200F\u061C\u202A-\u202E\u2066-\u2069\uFEFF]")
_SEPARATORS = regex.compile(r"[/\\]")
_SPACES = regex.compile(r"[\s\p{Z}]+")
# A leading dot hides a file, `~$` marks a lock file: neither would be indexed.
_HIDING = regex.compile(r"^(?:[.\s]|~\$)+")
# Describes the documents of a folder and is not indexed itself.
_README = "readme.md"


def safe_name(name: str) -> str:
    """A plain file name for any text: no folders, nothing hidden or invisible, at most 200 bytes of UTF-8.

    The script and the suffix of the name stay; a name of which nothing is left becomes "unnamed".
    """
    last = _SEPARATORS.split(name)[-1]
    # Dropped first: what stood apart comes together.
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", _DROPPED.sub("", last)))
    text = _HIDING.sub("", text).rstrip(". ")
    if not text.strip():
        return UNNAMED
    stem, suffix = _split(text)
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, suffix = text, ""
    return _cut(stem, _MOST_BYTES - len(suffix.encode())) + suffix


def free_name(folder: Path, name: str) -> str:
    """`name`, a safe one, or with a number behind it that makes it the only one in `folder`: "report (2).pdf"."""
    stem, suffix = _split(name)
    number, candidate = 1, name
    while candidate.lower() == _README or os.path.lexists(folder / candidate):
        number += 1
        candidate = f"{stem} ({number}){suffix}"
    return candidate


def _split(name: str) -> tuple[str, str]:
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix), suffix


def _cut(text: str, most: int) -> str:
    """The beginning of a text in at most `most` bytes, cut between grapheme clusters."""
    kept, size = [], 0
    for cluster in _GRAPHEME.findall(text):
        size += len(cluster.encode())
        if size > most:
            break
        kept.append(cluster)
    return "".join(kept).rstrip(". ") or UNNAMED
