"""One configured server: a request goes out, text comes in. Owns llama-index's client and the OpenAI library.

Nothing is sent anywhere but to the address in the settings: no proxy of the environment, no redirects, no
variables that the OpenAI library would read (`OPENAI_API_KEY` and the like), no headers about this machine.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self

import anyio
import certifi
import httpx
from llama_index.core.base.llms.types import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from openai import AsyncOpenAI

from index.errors import SettingsError
from rag.llm.failures import LanguageModelError
from rag.llm.wire_errors import FOREIGN, failure_of, was_lost
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.llm.client import Message

# A server that accepts no connection within this is down, however long its answers may take. Chosen.
_CONNECT_S = 5.0
# How long the end of the stream may stay out once the model has said that it is done. Chosen.
_GOODBYE_S = 1.0
# Hardly any token is longer: a server that goes on past its limit is left here. Chosen.
_TOKEN_CHARS = 24
# What the OpenAI library tells about this machine, or about an account with another server.
_UNWANTED = ("x-stainless-", "openai-")


class Connection:
    """The connections to one server. All methods run on one event loop.

    Args:
        llm: llama-index's client, which retries nothing on its own.
        http: the connections it uses.
        timeout_s: seconds to wait for the first piece of an answer, and for each one after it.
    """

    def __init__(self, llm: OpenAILike, http: httpx.AsyncClient, *, timeout_s: float) -> None:
        self._llm = llm
        self._http = http
        self._timeout_s = timeout_s

    @classmethod
    def configured(cls, settings: RagSettings) -> Self:
        """The connection that the settings describe; nothing is sent yet.

        Raises:
            SettingsError: the URL or the model cannot be used.
        """
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
        http = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=_authorities(),
            event_hooks={"request": [_bare if key else _bare_without_key]},
        )
        try:
            client = AsyncOpenAI(
                base_url=settings.llm_base_url,
                api_key=key or "none",  # an empty one would be looked for in the environment
                # Reading has no limit here: `stream` keeps time, and comments that keep a line open do not count.
                timeout=httpx.Timeout(
                    settings.llm_timeout_s, connect=min(_CONNECT_S, settings.llm_timeout_s), read=None
                ),
                max_retries=0,
                http_client=http,
            )
            _ = client.chat.completions  # loaded now (a second), not within the first question's time
            llm = OpenAILike(
                model=settings.llm_model,
                api_base=settings.llm_base_url,
                api_key=key or "none",
                is_chat_model=True,
                temperature=0.0,
                max_retries=0,
                async_openai_client=client,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise SettingsError(f"RAG_LLM_BASE_URL or RAG_LLM_MODEL cannot be used: {error}") from error
        return cls(llm, http, timeout_s=settings.llm_timeout_s)

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, give: Callable[[str], None]
    ) -> None:
        """Ask, and give each piece of text as it comes.

        A connection that breaks before anything came is tried once more.

        Raises:
            LanguageModelError: as it says.
        """
        try:
            await self._attempt(messages, max_tokens, give, last=False)
        except _LostEarly:
            await self._attempt(messages, max_tokens, give, last=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _attempt(
        self, messages: Sequence[Message], max_tokens: int, give: Callable[[str], None], *, last: bool
    ) -> None:
        heard = _Heard(give, most=max_tokens * _TOKEN_CHARS)
        try:
            with anyio.move_on_after(self._timeout_s) as patience:
                await self._receive(messages, max_tokens, heard, patience)
        except FOREIGN as error:
            if not last and not heard.begun and was_lost(error):
                raise _LostEarly from None
            # Without the cause: a server's words may repeat the key or the question, and a traceback prints them.
            raise failure_of(error, begun=heard.begun) from None
        if patience.cancelled_caught and not heard.done:
            raise LanguageModelError("slow", f"nothing came for {self._timeout_s:g} s")
        heard.check()

    async def _receive(
        self, messages: Sequence[Message], max_tokens: int, heard: _Heard, patience: anyio.CancelScope
    ) -> None:
        asked = [ChatMessage(role=message.role, content=message.content) for message in messages]
        async with aclosing(await self._llm.astream_chat(asked, max_tokens=max_tokens)) as responses:
            async for response in responses:
                if heard.done:
                    continue  # the numbers of tokens, and what a server should not send any more
                thought = response.additional_kwargs.get("thinking_delta") or ""
                if heard.take(response.delta or "", thought):
                    patience.deadline = anyio.current_time() + self._timeout_s
                if heard.told_done(response.raw):
                    patience.deadline = anyio.current_time() + min(_GOODBYE_S, self._timeout_s)
                if heard.too_much:
                    # Left by cancelling what reads next: the generators around it would keep the connection.
                    patience.cancel()


class _LostEarly(Exception):
    """The connection broke before anything came."""


class _Heard:
    """What has come of one answer. What a model thinks aloud shows that it lives and is not handed on."""

    def __init__(self, give: Callable[[str], None], *, most: int) -> None:
        self._give = give
        self._room = most
        self.begun = False
        self.done = False
        self.any_text = False

    def take(self, text: str, thought: str) -> bool:
        """Hand on a piece; whether there was anything in it."""
        self._room -= len(text) + len(thought)
        if text:
            self.any_text = True
            self._give(text)
        self.begun = self.begun or bool(text or thought)
        return bool(text or thought)

    def told_done(self, raw: Any) -> bool:
        """Whether the model says that its answer ends here; its limit of tokens is an end as any other."""
        choices = raw.choices
        told = bool(choices) and choices[0].finish_reason is not None
        self.done = self.done or told
        return told

    @property
    def too_much(self) -> bool:
        """Whether more came than was asked for."""
        self.done = self.done or self._room < 0
        return self._room < 0

    def check(self) -> None:
        """Raise unless a whole answer came."""
        if not self.done:
            raise LanguageModelError(
                "cut" if self.begun else "broken", "the stream ended without the model's end"
            )
        if not self.any_text:
            raise LanguageModelError("empty", "the answer has no text")


def _authorities() -> ssl.SSLContext:
    """Those of the system, where a company adds its own, and the public ones for a system without any."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    return context


async def _bare(request: httpx.Request) -> None:
    for name in [name for name in request.headers if name.startswith(_UNWANTED)]:
        del request.headers[name]


async def _bare_without_key(request: httpx.Request) -> None:
    await _bare(request)
    request.headers.pop("authorization", None)
