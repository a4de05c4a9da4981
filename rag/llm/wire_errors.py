"""The errors of the libraries that speak to the server, turned into ours."""

from __future__ import annotations

import re

import httpx
import openai

from rag.llm.failures import FailureKind, LanguageModelError

# What the libraries raise, with what a reply of another shape than the protocol's makes of their code.
FOREIGN = (
    openai.OpenAIError, httpx.HTTPError, OSError, ValueError, TypeError, AttributeError, LookupError,
)  # fmt: skip

# Names such as `model_not_found`. A server's sentences may repeat the key or the question.
_NAME = re.compile(r"[a-z_]{1,60}")
# Given by OpenAI's wire format and the servers that speak it.
_BY_STATUS: dict[int, FailureKind] = {
    401: "key",
    403: "key",
    404: "unknown-model",
    408: "slow",
    429: "busy",
    503: "busy",
}
_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)


def failure_of(error: Exception, *, begun: bool) -> LanguageModelError:
    """Our error for one of `FOREIGN`. `begun`: whether a piece of the answer had come."""
    if isinstance(error, openai.APIStatusError):
        return _refused(error)
    if isinstance(error, (openai.APITimeoutError, httpx.TimeoutException)):
        connecting = isinstance(error.__cause__ or error, httpx.ConnectTimeout)
        return LanguageModelError("down" if connecting else "slow", type(error).__name__)
    if isinstance(error, (openai.APIConnectionError, httpx.TransportError, OSError)):
        return LanguageModelError("cut" if begun else "down", _network(error))
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIResponseValidationError):
        return LanguageModelError("failed", f"an error inside the stream{_code(error)}")
    return LanguageModelError("broken", type(error).__name__)


def was_lost(error: Exception) -> bool:
    """Whether a connection that stood broke: such a one may have been idle too long, and a new one may do."""
    return isinstance(error, _LOST) or isinstance(error.__cause__, _LOST)


def _refused(error: openai.APIStatusError) -> LanguageModelError:
    kind = _BY_STATUS.get(error.status_code, "failed")
    if error.code == "model_not_found":
        kind = "unknown-model"
    return LanguageModelError(kind, f"HTTP {error.status_code}{_code(error)}")


def _code(error: openai.APIError) -> str:
    code = error.code or error.type
    return f" ({code})" if isinstance(code, str) and _NAME.fullmatch(code) else ""


def _network(error: Exception) -> str:
    """The words of a network's error: they are of the system, not of what was sent or came."""
    cause = error.__cause__ or error
    return " ".join(f"{type(cause).__name__}: {cause}".split())[:200]
