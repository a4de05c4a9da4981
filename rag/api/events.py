"""An answer as server-sent events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rag.answer import Answer

_PIECE = re.compile(r"\s*\S+\s*|\s+")


def pieces(text: str) -> list[str]:
    """Cut a text between words; joined, the pieces are the text."""
    return _PIECE.findall(text)


def events(answer: Answer) -> Iterator[str]:
    """Yield the events of a streamed answer in wire format: `token`..., `answer`, `done`."""
    for piece in pieces(answer.answer):
        yield _event("token", {"text": piece})
    yield _event("answer", answer.to_dict())
    yield _event("done", {})


def _event(name: str, data: object) -> str:
    # JSON without raw line breaks: one data line.
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
