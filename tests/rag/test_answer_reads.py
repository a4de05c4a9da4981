"""What an answer reads: the languages of the documents, the evidence, and what it quotes, each in one transaction."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, event

from rag.assistant import Assistant


@pytest.mark.parametrize(
    "question",
    ["How many people work at the port?", "Vad heter muséets direktör?", "Who won the race in 1973?"],
    ids=["number", "name", "date"],
)
def test_languages_evidence_and_quotes_are_read_in_one_transaction_each(
    assistant: Assistant, question: str
) -> None:
    this_thread, begun = threading.get_ident(), []

    def begin(_: Any) -> None:
        if threading.get_ident() == this_thread:
            begun.append(question)

    event.listen(Engine, "begin", begin)
    try:
        answer = assistant.ask(question, engine="extractive")
        assert len(begun) == (2 if answer.refused else 3)
        begun.clear()
        assistant.search(question)
        assert len(begun) == 2
    finally:
        event.remove(Engine, "begin", begin)
