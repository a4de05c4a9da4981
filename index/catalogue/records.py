"""What goes into the catalogue and what comes out of it, as frozen records."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from index.types import Chunk, Document, Sentence

FORMAT_VERSION = 1
"""Raised when rows of an older catalogue can no longer be read as they are."""

Space = Literal["chunks", "sentences"]
"""The two kinds of vectors, each searched on its own."""

SPACES: tuple[Space, ...] = ("chunks", "sentences")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that decides what the stored rows look like; two indexes with equal manifests are alike.

    `query_prompt` and `passage_prompt` are the texts put before what is embedded. The `*_version`s are
    raised by their modules when their output changes. `words_version` is that of the tokens of the full-text
    table.
    """

    model: str
    revision: str
    dimension: int
    query_prompt: str
    passage_prompt: str
    normaliser_version: str
    chunker_version: str
    chunk_tokens: int
    chunk_overlap: int
    words_version: str = "1"
    language_correction: float = 0.0
    neutral_version: str = "1"
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Return the manifest as JSON with sorted keys: equal manifests give equal text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest of `to_json`; raises ValueError or TypeError when it is not one."""
        return cls(**json.loads(text))

    def differences(self, other: Manifest) -> dict[str, tuple[object, object]]:
        """Return the fields that differ, in declared order: name -> (here, in `other`)."""
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The rows made under one manifest. At most one generation is live; questions see that one."""

    id: int
    manifest: Manifest
    state: Literal["live", "building"]
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file that was looked at. `path` is POSIX and relative to `folder`; `size` is in bytes.

    A file that became a document has its `document_id` and no `skip_reason`. A duplicate has the id
    of the document that another file already gave, and `skip_reason` "duplicate". Any other skipped file has
    a reason and no document.
    """

    folder: str
    path: str
    sha256: str
    size: int
    document_id: str | None = None
    skip_reason: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document with all that is stored for it.

    Shapes: `chunk_vectors` (len(chunks), dimension) and `sentence_vectors` (len(sentences), dimension), float32,
    unit rows. `tokens` has one pair per chunk: words and keys, each a string of space-separated tokens made of
    letters, marks and digits.
    """

    document: Document
    chunks: Sequence[Chunk]
    chunk_vectors: NDArray[np.float32]
    sentences: Sequence[Sentence]
    sentence_vectors: NDArray[np.float32]
    tokens: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentInfo:
    """A document without its text. `characters` counts code points; `added_at` is ISO 8601, UTC."""

    id: str
    folder: str
    path: str
    title: str
    language: str
    source_url: str | None
    media_type: str
    characters: int
    chunks: int
    sentences: int
    added_at: str
