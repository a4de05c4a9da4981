"""An answer as server-sent events."""

from __future__ import annotations

import json

from rag.answer import Answer, Token
from rag.api import problems


def event(item: Token | Answer) -> str:
    """A piece of an answer as a `token` event, or the answer as `answer` and `done`, in wire format."""
    if isinstance(item, Token):
        return _event("token", {"text": item.text})
    return _event("answer", item.to_dict()) + _event("done", {})


def failure(error: Exception) -> str:
    """An error that came after the stream had begun, as an `error` event with its problem."""
    return _event("error", problems.in_stream(error))


def _event(name: str, data: object) -> str:
    # JSON without raw line breaks: one data line.
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
