"""Calls of a language model that misbehaving_server.py answers: `from llm_calls import ASKED, opened`."""

from __future__ import annotations

from misbehaving_server import ModelServer

from rag.llm.breaker import Breaker
from rag.llm.client import LanguageModel, Message
from rag.settings import RagSettings

KEY = "sk-very-secret-0123456789"
QUESTION = "How many lanterns hang in the harbour?"
ASKED = [Message("system", "Be brief."), Message("user", QUESTION)]
LONG_S = 30.0


def opened(
    server: ModelServer, *, timeout_s: float = LONG_S, key: str | None = KEY, breaker: Breaker | None = None
) -> LanguageModel:
    model = LanguageModel.open(
        RagSettings(
            llm_base_url=server.url,
            llm_model="served",
            llm_api_key=key,
            llm_timeout_s=timeout_s,
            _env_file=None,
        ),
        breaker=breaker,
    )
    assert model is not None
    return model
