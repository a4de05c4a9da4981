"""The client of a language model against a real server that fails, hangs and lies, and calls that are stopped."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from llm_calls import ASKED, KEY, LONG_S, QUESTION, opened
from misbehaving_server import Kind, ModelServer

from index.errors import UsageError, WorkError
from rag.llm.client import FailureKind, LanguageModel, LanguageModelError

# -- failures


FAILURES: list[tuple[Kind, FailureKind]] = [
    ("hang-up", "down"),
    ("slow-start", "slow"),
    ("slow-between", "slow"),
    ("only-comments", "slow"),
    ("busy", "busy"),
    ("loading", "busy"),
    ("failed", "failed"),
    ("too-long", "failed"),
    ("moved", "failed"),
    ("error-inside", "failed"),
    ("broken-json", "broken"),
    ("other-json", "broken"),
    ("page", "broken"),
    ("empty", "empty"),
    ("cut", "cut"),
    ("ended-early", "cut"),
    ("key", "key"),
    ("forbidden", "key"),
    ("unknown-model", "unknown-model"),
]


@pytest.mark.parametrize(("behaviour", "kind"), FAILURES, ids=[name for name, _ in FAILURES])
def test_a_failure_has_a_kind_and_a_line_in_the_log(
    llm_server: ModelServer,
    hasty_model: LanguageModel,
    caplog: pytest.LogCaptureFixture,
    behaviour: Kind,
    kind: FailureKind,
) -> None:
    llm_server.behave(behaviour)
    with pytest.raises(LanguageModelError) as caught:
        hasty_model.complete(ASKED, max_tokens=5)
    error = caught.value
    assert error.kind == kind
    assert isinstance(error, WorkError)
    assert error.cause
    lines = [record.getMessage() for record in caplog.records if record.name == "rag.llm.client"]
    assert lines == [f"language model served: {kind}: {error.cause}"]
    # The server repeats the key and the question; nobody else does.
    for told in (str(error), error.cause, caplog.text):
        assert KEY not in told
        assert QUESTION not in told
        assert "\n" not in error.cause


def test_a_refused_connection_is_down(llm_server: ModelServer, llm_model: LanguageModel) -> None:
    llm_server.go_down()
    try:
        with pytest.raises(LanguageModelError, match="RAG_LLM_BASE_URL") as caught:
            llm_model.complete(ASKED, max_tokens=5)
    finally:
        llm_server.come_up()
    assert caught.value.kind == "down"
    assert llm_model.complete(ASKED, max_tokens=5) == "An answer.", (
        "it works again as soon as the server does"
    )


def test_a_connection_that_breaks_before_anything_came_is_tried_once_more(
    llm_server: ModelServer, llm_model: LanguageModel
) -> None:
    llm_server.behave("hang-up", "good")
    assert llm_model.complete(ASKED, max_tokens=5) == "An answer."
    llm_server.requests.clear()
    llm_server.behave("hang-up")
    with pytest.raises(LanguageModelError):
        llm_model.complete(ASKED, max_tokens=5)
    assert len(llm_server.requests) == 2


@pytest.mark.parametrize("behaviour", ["busy", "failed", "cut", "slow-start", "broken-json"])
def test_nothing_else_is_tried_again(
    llm_server: ModelServer, hasty_model: LanguageModel, behaviour: Kind
) -> None:
    llm_server.behave(behaviour, "good")
    with pytest.raises(LanguageModelError):
        hasty_model.complete(ASKED, max_tokens=5)
    assert len(llm_server.requests) == 1


def test_the_pieces_before_a_failure_are_given(llm_server: ModelServer, llm_model: LanguageModel) -> None:
    llm_server.behave("cut")
    pieces = llm_model.stream(ASKED, max_tokens=5)
    assert [next(pieces), next(pieces)] == ["An ", "answer."]
    with pytest.raises(LanguageModelError):
        next(pieces)


# -- stopping


@pytest.mark.parametrize("behaviour", ["slow-start", "only-comments", "slow-between", "endless"])
def test_a_call_that_is_stopped_lets_the_server_go(
    llm_server: ModelServer, llm_model: LanguageModel, behaviour: Kind
) -> None:
    llm_server.behave(behaviour)
    stop = threading.Event()
    got: list[str] = []
    reader = threading.Thread(
        target=lambda: got.extend(llm_model.stream(ASKED, max_tokens=1_000_000, stop=stop)), daemon=True
    )
    reader.start()
    assert llm_server.asked.wait(LONG_S)
    stop.set()
    assert llm_server.disconnected.wait(LONG_S / 2), "well before the model's own time-out"
    reader.join(LONG_S / 2)
    assert not reader.is_alive()
    assert "".join(got).startswith("An answer."[: len("".join(got))])


@pytest.mark.parametrize("behaviour", ["slow-between", "endless"])
def test_an_iterator_that_is_closed_lets_the_server_go(
    llm_server: ModelServer, llm_model: LanguageModel, behaviour: Kind
) -> None:
    llm_server.behave(behaviour)
    pieces = llm_model.stream(ASKED, max_tokens=1_000_000)
    next(pieces)
    pieces.close()
    assert llm_server.disconnected.wait(LONG_S / 2)


def test_a_call_that_is_stopped_before_it_began_sends_nothing(
    llm_server: ModelServer, llm_model: LanguageModel
) -> None:
    stop = threading.Event()
    stop.set()
    assert llm_model.complete(ASKED, max_tokens=5, stop=stop) == ""
    assert llm_server.requests == []


def test_closing_the_model_ends_its_calls(llm_server: ModelServer) -> None:
    llm_model = opened(llm_server)
    llm_server.behave("slow-between")
    pieces = llm_model.stream(ASKED, max_tokens=5)
    next(pieces)
    llm_model.close()
    assert llm_server.disconnected.wait(LONG_S / 2)
    with pytest.raises(LanguageModelError):
        list(pieces)
    with pytest.raises(UsageError, match="closed"):
        llm_model.complete(ASKED, max_tokens=5)
    llm_model.close()


def test_a_process_whose_model_nobody_closed_ends(llm_server: ModelServer) -> None:
    program = f"""
from rag.llm.client import LanguageModel, Message
from rag.settings import RagSettings
settings = RagSettings(llm_base_url={llm_server.url!r}, llm_model="served", _env_file=None)
model = LanguageModel.open(settings)
print(next(model.stream([Message("user", "hello")], max_tokens=5)))
left = model.stream([Message("user", "hello")], max_tokens=5)
next(left)
"""
    llm_server.behave("good", "slow-between")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "An \n"), done.stderr
