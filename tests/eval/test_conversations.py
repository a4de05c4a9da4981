"""The set of conversations: sound beside its documents, in balance, and what is right for a turn."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from eval.cases import CONVERSATIONS, GOLD, case_files
from eval.conversations import DOCUMENTS, Expected, check_conversations, judged, read_conversations

LANGUAGES = {"bn", "en", "hi", "sv", "vi"}
PATHS = {"d1": "hall.md", "d2": "other.md"}


def cited(*quotes: str, document: str = "d1", **values: Any) -> dict[str, Any]:
    """An answer with these quotes."""
    citations = [{"quote": quote, "document_id": document, "language": "sv"} for quote in quotes]
    return {
        "intent": "question",
        "refused": False,
        "short_answer": None,
        "standalone_question": "?",
        "citations": citations,
        **values,
    }


def test_the_shipped_set_is_sound_and_in_balance() -> None:
    found = read_conversations()
    texts = {path.name: path.read_text("utf-8") for path in DOCUMENTS.iterdir()}
    assert check_conversations(found, texts) == []
    assert Counter(conversation.split for conversation in found) == {"mend": 5, "score": 5}
    for split in ("mend", "score"):
        asked = {turn.language for c in found if c.split == split for turn in c.turns}
        assert asked == LANGUAGES
    assert all(6 <= len(conversation.turns) <= 8 for conversation in found)
    assert CONVERSATIONS not in case_files(GOLD)


RIGHT = Expected(quote=["85 kronor"], document="hall.md", short=["85"])
BOTH = Expected(quote=["60 kronor", "70 kronor"])
CLOSED = Expected(quote=["stängt"], verdict="no")


@pytest.mark.parametrize(
    ("expect", "answer", "fault"),
    [
        pytest.param(RIGHT, cited("En vuxen betalar 85 kronor."), "", id="quoted"),
        pytest.param(RIGHT, cited("85 kronor.", short_answer="85 kronor"), "", id="short-answer"),
        pytest.param(
            RIGHT, cited("85 kronor.", short_answer="vuxen"), "short answer vuxen", id="another-short-answer"
        ),
        pytest.param(
            RIGHT, cited("85 kronor.", document="d2"), "quoted from another document", id="document"
        ),
        pytest.param(RIGHT, cited("40 kronor."), "not quoted: 85 kronor", id="another-quote"),
        pytest.param(RIGHT, cited(refused=True), "refused", id="refused"),
        pytest.param(RIGHT, cited("85 kronor.", intent="smalltalk"), "taken for smalltalk", id="intent"),
        pytest.param(
            RIGHT,
            cited("85 kronor.", standalone_question="About “About “X”"),
            "the topic is nested",
            id="nested",
        ),
        pytest.param(BOTH, cited("60 kronor.", "70 kronor."), "", id="both"),
        pytest.param(BOTH, cited("70 kronor.", "60 kronor."), "not quoted first: 60 kronor", id="order"),
        pytest.param(CLOSED, cited("Badet är stängt.", short_answer="No"), "", id="verdict"),
        pytest.param(CLOSED, cited("Badet är stängt.", short_answer="Yes"), "says yes", id="another-verdict"),
        pytest.param(CLOSED, cited("Badet är stängt."), "", id="no-verdict"),
        pytest.param(Expected(refuse=True), cited(refused=True), "", id="rightly-refused"),
        pytest.param(Expected(refuse=True), cited("Något."), "not refused", id="wrongly-answered"),
        pytest.param(Expected(intent="meta"), cited(intent="meta"), "", id="meta"),
    ],
)
def test_what_is_right_for_a_turn(expect: Expected, answer: dict[str, Any], fault: str) -> None:
    assert judged(expect, answer, PATHS, language="en") == fault
