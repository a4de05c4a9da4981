"""What an answer reads: the languages of the documents, the evidence, and what it quotes, in one transaction."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import Engine, event

from rag.asking import Ask
from rag.assistant import Assistant


@pytest.mark.parametrize(
    "question",
    ["How many people work at the port?", "Vad heter muséets direktör?", "Who won the race in 1973?"],
    ids=["number", "name", "date"],
)
def test_all_that_an_answer_says_is_of_one_moment(assistant: Assistant, question: str) -> None:
    this_thread, begun = threading.get_ident(), []

    def begin(_: Any) -> None:
        if threading.get_ident() == this_thread:
            begun.append(question)

    event.listen(Engine, "begin", begin)
    try:
        assistant.answer(Ask(question, engine="extractive"))
        assert len(begun) == 1
        begun.clear()
        assistant.search(Ask(question))
        assert len(begun) == 1
    finally:
        event.remove(Engine, "begin", begin)
