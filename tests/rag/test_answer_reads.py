"""What an answer reads: the languages of the documents, the evidence, and what it quotes, in one transaction; and each
text that was said once."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Engine, event

from rag.answer import Turn
from rag.asking import Ask
from rag.assistant import Assistant
from rag.question import analyse


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


@pytest.mark.parametrize(
    "follow_up", ["And how many in Hanoi?", "What about its director?", "Och vad kostade det?"]
)
def test_each_text_of_a_conversation_is_analysed_once(assistant: Assistant, follow_up: str) -> None:
    said = ["How many open data sets has the city of Can Tho published?", "Who decides on them?"]
    history = tuple(turn for text in said for turn in (Turn("user", text), Turn("assistant", "540 [1]")))
    texts: Counter[str] = Counter()

    def called(frame: FrameType, event_: str, _: object) -> None:
        if event_ == "call" and frame.f_code is analyse.__code__:
            texts[frame.f_locals["text"]] += 1

    sys.setprofile(called)
    try:
        answer = assistant.answer(Ask(follow_up, history=history, engine="extractive"))
    finally:
        sys.setprofile(None)
    assert {follow_up, answer.standalone_question} & set(texts)
    assert max(texts.values()) == 1, texts
