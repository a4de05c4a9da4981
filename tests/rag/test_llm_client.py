"""The client of a language model against a real server that answers, fails, hangs and lies."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from misbehaving_server import Kind, ModelServer, Script, good

from index.errors import SettingsError, UsageError, WorkError
from rag.llm.breaker import Breaker
from rag.llm.client import FailureKind, LanguageModel, LanguageModelError, Message
from rag.settings import RagSettings

KEY = "sk-very-secret-0123456789"
QUESTION = "How many lanterns hang in the harbour?"
ASKED = [Message("system", "Be brief."), Message("user", QUESTION)]
LONG_S = 30.0


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    """The server as if new."""
    running.behave("good")
    running.requests.clear()
    running.headers.clear()
    running.asked.clear()
    running.disconnected.clear()
    return running


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


@pytest.fixture
def model(server: ModelServer) -> Iterator[LanguageModel]:
    with_patience = opened(server)
    yield with_patience
    with_patience.close()


@pytest.fixture
def hasty(server: ModelServer) -> Iterator[LanguageModel]:
    """A model whose server has a third of a second for each piece."""
    without_patience = opened(server, timeout_s=0.3)
    yield without_patience
    without_patience.close()


# -- what is sent and what comes


def test_the_answer_comes_in_the_servers_pieces(server: ModelServer, model: LanguageModel) -> None:
    server.behave(good("সেতু ", "\n", "540 [1]", " 🌉"))
    assert list(model.stream(ASKED, max_tokens=50)) == ["সেতু ", "\n", "540 [1]", " 🌉"]
    assert model.complete(ASKED, max_tokens=50) == "সেতু \n540 [1] 🌉"


def test_a_piece_is_there_before_the_next_is_written(server: ModelServer, model: LanguageModel) -> None:
    gate = threading.Event()
    server.behave(good("first ", "second", gate=gate))
    pieces = model.stream(ASKED, max_tokens=50)
    assert next(pieces) == "first "
    gate.set()
    assert list(pieces) == ["second"]


def test_what_is_sent(server: ModelServer, model: LanguageModel) -> None:
    model.complete(ASKED, max_tokens=77)
    assert server.requests == [
        {
            "model": "served",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": QUESTION},
            ],
            "max_tokens": 77,
            "temperature": 0.0,
            "stream": True,
        }
    ]
    assert server.paths[-1] == "/v1/chat/completions"
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_nothing_of_the_environment_goes_along(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another-account")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    model = opened(server, key=None)
    assert model.complete(ASKED, max_tokens=5) == "An answer."
    model.close()
    sent = server.headers[0]
    assert "authorization" not in sent
    assert "of-another-account" not in str(sent)
    assert [name for name in sent if name.startswith(("x-stainless", "openai-"))] == []


def test_calls_run_side_by_side(server: ModelServer, model: LanguageModel) -> None:
    gate = threading.Event()
    server.behave(good("held ", "up", gate=gate), good("at once"))
    held = model.stream(ASKED, max_tokens=5)
    assert next(held) == "held "
    assert model.complete(ASKED, max_tokens=5) == "at once"
    gate.set()
    assert list(held) == ["up"]


def test_a_limit_of_tokens_that_the_server_ignores_ends_the_answer(
    server: ModelServer, model: LanguageModel
) -> None:
    server.behave("endless")
    text = model.complete(ASKED, max_tokens=4)
    assert text.startswith("An answer.and on and on")
    assert len(text) < 200
    assert server.disconnected.wait(LONG_S)


def test_an_end_without_a_goodbye_is_an_end(server: ModelServer, hasty: LanguageModel) -> None:
    server.behave("never-says-goodbye")
    assert hasty.complete(ASKED, max_tokens=5) == "An answer."


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
    server: ModelServer,
    hasty: LanguageModel,
    caplog: pytest.LogCaptureFixture,
    behaviour: Kind,
    kind: FailureKind,
) -> None:
    server.behave(behaviour)
    with pytest.raises(LanguageModelError) as caught:
        hasty.complete(ASKED, max_tokens=5)
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


def test_a_refused_connection_is_down(server: ModelServer, model: LanguageModel) -> None:
    server.go_down()
    try:
        with pytest.raises(LanguageModelError, match="RAG_LLM_BASE_URL") as caught:
            model.complete(ASKED, max_tokens=5)
    finally:
        server.come_up()
    assert caught.value.kind == "down"
    assert model.complete(ASKED, max_tokens=5) == "An answer.", "it works again as soon as the server does"


def test_a_connection_that_breaks_before_anything_came_is_tried_once_more(
    server: ModelServer, model: LanguageModel
) -> None:
    server.behave("hang-up", "good")
    assert model.complete(ASKED, max_tokens=5) == "An answer."
    server.requests.clear()
    server.behave("hang-up")
    with pytest.raises(LanguageModelError):
        model.complete(ASKED, max_tokens=5)
    assert len(server.requests) == 2


@pytest.mark.parametrize("behaviour", ["busy", "failed", "cut", "slow-start", "broken-json"])
def test_nothing_else_is_tried_again(server: ModelServer, hasty: LanguageModel, behaviour: Kind) -> None:
    server.behave(behaviour, "good")
    with pytest.raises(LanguageModelError):
        hasty.complete(ASKED, max_tokens=5)
    assert len(server.requests) == 1


def test_the_pieces_before_a_failure_are_given(server: ModelServer, model: LanguageModel) -> None:
    server.behave("cut")
    pieces = model.stream(ASKED, max_tokens=5)
    assert [next(pieces), next(pieces)] == ["An ", "answer."]
    with pytest.raises(LanguageModelError):
        next(pieces)


# -- stopping


@pytest.mark.parametrize("behaviour", ["slow-start", "only-comments", "slow-between", "endless"])
def test_a_call_that_is_stopped_lets_the_server_go(
    server: ModelServer, model: LanguageModel, behaviour: Kind
) -> None:
    server.behave(behaviour)
    stop = threading.Event()
    got: list[str] = []
    reader = threading.Thread(
        target=lambda: got.extend(model.stream(ASKED, max_tokens=1_000_000, stop=stop)), daemon=True
    )
    reader.start()
    assert server.asked.wait(LONG_S)
    stop.set()
    assert server.disconnected.wait(LONG_S / 2), "well before the model's own time-out"
    reader.join(LONG_S / 2)
    assert not reader.is_alive()
    assert "".join(got).startswith("An answer."[: len("".join(got))])


@pytest.mark.parametrize("behaviour", ["slow-between", "endless"])
def test_an_iterator_that_is_closed_lets_the_server_go(
    server: ModelServer, model: LanguageModel, behaviour: Kind
) -> None:
    server.behave(behaviour)
    pieces = model.stream(ASKED, max_tokens=1_000_000)
    next(pieces)
    pieces.close()
    assert server.disconnected.wait(LONG_S / 2)


def test_a_call_that_is_stopped_before_it_began_sends_nothing(
    server: ModelServer, model: LanguageModel
) -> None:
    stop = threading.Event()
    stop.set()
    assert model.complete(ASKED, max_tokens=5, stop=stop) == ""
    assert server.requests == []


def test_closing_the_model_ends_its_calls(server: ModelServer) -> None:
    model = opened(server)
    server.behave("slow-between")
    pieces = model.stream(ASKED, max_tokens=5)
    next(pieces)
    model.close()
    assert server.disconnected.wait(LONG_S / 2)
    with pytest.raises(LanguageModelError):
        list(pieces)
    with pytest.raises(UsageError, match="closed"):
        model.complete(ASKED, max_tokens=5)
    model.close()


def test_a_process_whose_model_nobody_closed_ends(server: ModelServer) -> None:
    program = f"""
from rag.llm.client import LanguageModel, Message
from rag.settings import RagSettings
settings = RagSettings(llm_base_url={server.url!r}, llm_model="served", _env_file=None)
model = LanguageModel.open(settings)
print(next(model.stream([Message("user", "hello")], max_tokens=5)))
left = model.stream([Message("user", "hello")], max_tokens=5)
next(left)
"""
    server.behave("good", "slow-between")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "An \n"), done.stderr


# -- the breaker


def failed(model: LanguageModel) -> LanguageModelError:
    with pytest.raises(LanguageModelError) as caught:
        model.complete(ASKED, max_tokens=5)
    return caught.value


@pytest.fixture
def guarded(server: ModelServer) -> Iterator[LanguageModel]:
    """A model that rests for ever after three failures in a row."""
    model = opened(server, timeout_s=0.3, breaker=Breaker(failures=3, pause_s=3600))
    yield model
    model.close()


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
    server: ModelServer, guarded: LanguageModel, behaviour: Kind, kind: FailureKind
) -> None:
    server.behave(behaviour)
    for _ in range(3):
        failed(guarded)
    server.behave("good")
    server.requests.clear()
    error = failed(guarded)
    assert error.kind == kind
    assert server.requests == []


@pytest.mark.parametrize("alive", ["busy", "empty", "good"])
def test_a_server_that_answers_is_asked_again(
    server: ModelServer, guarded: LanguageModel, alive: Kind
) -> None:
    server.behave("failed", "failed", alive, "failed", "failed", "good")
    for name in ("failed", "failed", alive, "failed", "failed"):
        if name == "good":
            guarded.complete(ASKED, max_tokens=5)
        else:
            failed(guarded)
    assert guarded.complete(ASKED, max_tokens=5) == "An answer."


def test_a_busy_server_is_always_asked(server: ModelServer, guarded: LanguageModel) -> None:
    server.behave("busy")
    for _ in range(5):
        assert failed(guarded).kind == "busy"
    assert len(server.requests) == 5


def test_a_call_that_was_left_counts_as_neither(server: ModelServer, guarded: LanguageModel) -> None:
    left = good("An ", "answer", gate=threading.Event())
    server.behave("failed", left, "failed", left, "failed", "good")
    for _ in range(2):
        failed(guarded)
        pieces = guarded.stream(ASKED, max_tokens=5)
        next(pieces)
        pieces.close()
    assert failed(guarded).kind == "failed"
    server.requests.clear()
    failed(guarded)
    assert server.requests == [], "three failures in a row, whatever was left between them"


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


# -- settings


@pytest.mark.parametrize(
    ("url", "name", "warned"),
    [
        pytest.param(None, None, False, id="neither"),
        pytest.param("http://127.0.0.1:1/v1", None, True, id="no-name"),
        pytest.param(None, "served", True, id="no-url"),
    ],
)
def test_without_a_url_and_a_name_there_is_no_model(
    url: str | None, name: str | None, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert LanguageModel.open(RagSettings(llm_base_url=url, llm_model=name, _env_file=None)) is None
    assert ("RAG_LLM_MODEL" in caplog.text) == warned


@pytest.mark.parametrize("url", ["http://[::1", "http://h:port/v1"])
def test_a_url_that_is_none_says_so(url: str) -> None:
    with pytest.raises(SettingsError, match="RAG_LLM_BASE_URL"):
        LanguageModel.open(RagSettings(llm_base_url=url, llm_model="served", _env_file=None))


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://host/v1", "http://", "http://a b/v1"])
def test_what_is_no_url_is_refused_with_the_settings(url: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        RagSettings(llm_base_url=url, llm_model="served", _env_file=None)


def test_a_server_with_a_path_is_asked_there(server: ModelServer) -> None:
    settings = RagSettings(llm_base_url=f"{server.url}/deep/", llm_model="served", _env_file=None)
    model = LanguageModel.open(settings)
    assert model is not None
    model.complete(ASKED, max_tokens=5)
    model.close()
    assert server.paths[-1] == "/v1/deep/chat/completions"


def test_pieces_may_depend_on_what_is_asked(server: ModelServer, model: LanguageModel) -> None:
    server.behave(Script("good", lambda messages: [messages[-1]["content"].upper()]))
    assert model.complete(ASKED, max_tokens=50) == QUESTION.upper()
