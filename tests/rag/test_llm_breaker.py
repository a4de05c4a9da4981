"""A server that fails again and again is left alone for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from llm_calls import ASKED, opened
from misbehaving_server import Kind, ModelServer, good

from rag.llm.breaker import Breaker
from rag.llm.client import FailureKind, LanguageModel, LanguageModelError


def failed(llm_model: LanguageModel) -> LanguageModelError:
    with pytest.raises(LanguageModelError) as caught:
        llm_model.complete(ASKED, max_tokens=5)
    return caught.value


@pytest.fixture
def guarded(llm_server: ModelServer) -> Iterator[LanguageModel]:
    """A model that rests for ever after three failures in a row."""
    llm_model = opened(llm_server, timeout_s=0.3, breaker=Breaker(failures=3, pause_s=3600))
    yield llm_model
    llm_model.close()


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("hang-up", "down"),
        ("slow-start", "slow"),
        ("failed", "failed"),
        ("broken-json", "broken"),
        ("cut", "cut"),
        ("key", "key"),
        ("unknown-model", "unknown-model"),
    ],
)
def test_after_failures_in_a_row_the_server_is_not_asked(
    llm_server: ModelServer, guarded: LanguageModel, behaviour: Kind, kind: FailureKind
) -> None:
    llm_server.behave(behaviour)
    for _ in range(3):
        failed(guarded)
    llm_server.behave("good")
    llm_server.requests.clear()
    error = failed(guarded)
    assert error.kind == kind
    assert llm_server.requests == []


@pytest.mark.parametrize("alive", ["busy", "empty", "good"])
def test_a_server_that_answers_is_asked_again(
    llm_server: ModelServer, guarded: LanguageModel, alive: Kind
) -> None:
    llm_server.behave("failed", "failed", alive, "failed", "failed", "good")
    for name in ("failed", "failed", alive, "failed", "failed"):
        if name == "good":
            guarded.complete(ASKED, max_tokens=5)
        else:
            failed(guarded)
    assert guarded.complete(ASKED, max_tokens=5) == "An answer."


def test_a_busy_server_is_always_asked(llm_server: ModelServer, guarded: LanguageModel) -> None:
    llm_server.behave("busy")
    for _ in range(5):
        assert failed(guarded).kind == "busy"
    assert len(llm_server.requests) == 5


def test_a_call_that_was_left_counts_as_neither(llm_server: ModelServer, guarded: LanguageModel) -> None:
    left = good("An ", "answer", gate=threading.Event())
    llm_server.behave("failed", left, "failed", left, "failed", "good")
    for _ in range(2):
        failed(guarded)
        pieces = guarded.stream(ASKED, max_tokens=5)
        next(pieces)
        pieces.close()
    assert failed(guarded).kind == "failed"
    llm_server.requests.clear()
    failed(guarded)
    assert llm_server.requests == [], "three failures in a row, whatever was left between them"


def error_of(kind: FailureKind) -> LanguageModelError:
    return LanguageModelError(kind, "made up")


def open_breaker(*, pause_s: float) -> Breaker:
    breaker = Breaker(failures=1, pause_s=pause_s)
    breaker.leave(on_trial=breaker.enter(), failure=error_of("down"))
    return breaker


def test_after_the_pause_one_call_is_tried() -> None:
    breaker = open_breaker(pause_s=0)
    assert breaker.enter()
    with pytest.raises(LanguageModelError):
        breaker.enter()
    breaker.leave(on_trial=True, finished=True)
    assert not breaker.enter()


def test_a_trial_that_fails_begins_a_new_pause() -> None:
    breaker = open_breaker(pause_s=0)
    breaker.enter()
    breaker.leave(on_trial=True, failure=error_of("slow"))
    assert breaker.enter(), "the pause is nothing here"
    with pytest.raises(LanguageModelError) as caught:
        breaker.enter()
    assert caught.value.kind == "slow"


def test_a_trial_that_is_left_makes_room_for_the_next() -> None:
    breaker = open_breaker(pause_s=0)
    breaker.enter()
    breaker.leave(on_trial=True)
    assert breaker.enter()


def test_a_call_from_before_does_not_end_the_trial() -> None:
    breaker = Breaker(failures=1, pause_s=0)
    before = breaker.enter()
    breaker.leave(on_trial=breaker.enter(), failure=error_of("down"))
    assert breaker.enter()
    breaker.leave(on_trial=before)
    with pytest.raises(LanguageModelError):
        breaker.enter()
