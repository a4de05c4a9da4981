"""An answer in OpenAI's wire format: whole, or as chunks while it is written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from rag.answer import Answer, Token, pieces
from rag.api import openai_errors, problems
from rag.api.markdown import PlainMarkers, answer_markdown, definitions, escaped, marks
from rag.api.streaming import Answers
from rag.links import source_link
from rag.llm.tokens import count_tokens

_DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What all chunks of a completion say of it. `prompt` is the text of every message of the request."""

    id: str
    created: int
    model: str
    prompt: tuple[str, ...]

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the completion as one object."""
        content = answer_markdown(answer)
        message = {
            "role": "assistant",
            "content": content,
            "refusal": None,
            "annotations": url_citations(answer, content),
        }
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": self.usage(content),
            "polycite": answer.to_dict(),
        }

    def chunk(self, delta: dict[str, Any], *, finish: str | None = None, more: dict[str, Any]) -> str:
        """Return a chunk with a piece of the answer, and more fields, in wire format."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def usage_chunk(self, content: str) -> str:
        """Return the chunk that has no piece but the count of tokens."""
        return _data({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage(content)})

    def usage(self, content: str) -> dict[str, int]:
        """Return the tokens of the request's messages and of the answer."""
        *prompt, answered = count_tokens([*self.prompt, content])
        return {
            "prompt_tokens": sum(prompt),
            "completion_tokens": answered,
            "total_tokens": sum(prompt) + answered,
        }

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def url_citations(answer: Answer, content: str) -> list[dict[str, Any]]:
    """Return the citations of a content as OpenAI's format has them: one for each marker that leads to a source."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": mark.start,
                "end_index": mark.end,
                "url": source_link(mark.citation),
                "title": mark.citation.title,
            },
        }
        for mark in marks(answer, content)
    ]


class InlineLinks:
    """The content of a stream whose text is known as soon as it begins: the same as that of the whole completion.

    Where the first marker or address may be, the rest waits for the answer, which says where the markers lead.
    """

    def __init__(self) -> None:
        self._sent = ""
        self._waits = False

    def feed(self, text: str) -> Iterator[str]:
        """Return what can be sent of a piece of the answer."""
        # A colon or "www" may begin an address that is written otherwise as a whole.
        self._waits = self._waits or any(sign in text.lower() for sign in ("[", ":", "www"))
        if not self._waits:
            self._sent += escaped(text)
            yield escaped(text)

    def finish(self, answer: Answer) -> Iterator[str]:
        """Return what is missing now that the answer is known."""
        content = answer_markdown(answer)
        if content.startswith(self._sent):
            yield from pieces(content[len(self._sent) :])
        else:
            yield _instead(answer)


class LateLinks:
    """The content of a stream that is written while it is sent.

    Markers stay as they are; what makes them links comes last. An answer that turns out otherwise follows whole.
    """

    def __init__(self) -> None:
        self._said = ""
        self._markers = PlainMarkers()

    def feed(self, text: str) -> Iterator[str]:
        """Return what can be sent of a piece of the answer."""
        self._said += text
        yield self._markers.feed(text)

    def finish(self, answer: Answer) -> Iterator[str]:
        """Return what is missing now that the answer is known."""
        if not answer.answer.startswith(self._said):
            yield self._markers.finish()
            yield _instead(answer)
            return
        yield self._markers.feed(answer.answer[len(self._said) :])
        yield self._markers.finish()
        links = definitions(answer)
        if links:
            yield f"\n\n{links}"


def _instead(answer: Answer) -> str:
    """What follows a text that does not count any more: a client cannot take it back."""
    notice = f"{escaped(answer.notice)}\n\n" if answer.notice else ""
    return f"\n\n{notice}{answer_markdown(answer)}"


async def events(
    items: AsyncIterator[Token | Answer],
    completion: Completion,
    content: InlineLinks | LateLinks,
    answers: Answers,
    *,
    usage: bool,
) -> AsyncIterator[str]:
    """The events of a stream; a failure that comes after its beginning is the last one."""
    more: dict[str, Any] = {"usage": None} if usage else {}
    sent = ""
    try:
        yield completion.chunk({"role": "assistant", "content": ""}, more=more)
        async with aclosing(items):  # type: ignore[type-var] # it is a generator
            async for item in items:
                for text in content.feed(item.text) if isinstance(item, Token) else content.finish(item):
                    sent += text
                    if text:
                        yield completion.chunk({"content": text}, more=more)
                if isinstance(item, Answer):
                    found = url_citations(item, sent)
                    last = {"annotations": found} if found else {}
                    yield completion.chunk(last, finish="stop", more=more | {"polycite": item.to_dict()})
        if usage:
            yield await answers.in_thread(lambda: completion.usage_chunk(sent))
        yield _DONE
    except Exception as error:  # noqa: BLE001 - told to the client and written to the log
        yield _data({"error": openai_errors.with_error(problems.in_stream(error))["error"]})


def _data(content: dict[str, Any]) -> str:
    # JSON without raw line breaks: one data line.
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
