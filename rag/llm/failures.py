"""What can go wrong with a language model, in our own words."""

from __future__ import annotations

from typing import Literal

from index.errors import WorkError

FailureKind = Literal["down", "slow", "busy", "failed", "broken", "empty", "cut", "key", "unknown-model"]

_REMEDIES: dict[FailureKind, str] = {
    "down": "the language model's server cannot be reached: start it, or check RAG_LLM_BASE_URL",
    "slow": "the language model did not answer in time: try again, or raise RAG_LLM_TIMEOUT_S",
    "busy": "the language model's server is busy: try again in a while",
    "failed": "the language model's server failed: its own log says why",
    "broken": "the language model sent what cannot be used: check RAG_LLM_BASE_URL, which mostly ends in /v1",
    "empty": "the language model wrote nothing: try again, raise RAG_LLM_ANSWER_TOKENS, or take another model",
    "cut": "the language model's answer broke off in the middle: try again",
    "key": "the language model's server refused the key: check RAG_LLM_API_KEY",
    "unknown-model": "the server does not know the language model: check RAG_LLM_MODEL and RAG_LLM_BASE_URL",
}


class LanguageModelError(WorkError):
    """The language model gave no answer, or not all of it; the text says what to do.

    `kind` is stable. `cause` is one line for the log: neither the key nor words of the question stand in it.
    """

    def __init__(self, kind: FailureKind, cause: str) -> None:
        super().__init__(_REMEDIES[kind])
        self.kind: FailureKind = kind
        self.cause = cause
