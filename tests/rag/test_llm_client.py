"""The client of a language model against a real server: what is sent, what comes, and the settings."""

from __future__ import annotations

import logging
import threading

import pytest
from llm_calls import ASKED, KEY, LONG_S, QUESTION, opened
from misbehaving_server import ModelServer, Script, good

from index.errors import SettingsError
from rag.llm.client import LanguageModel
from rag.settings import RagSettings

# -- what is sent and what comes


def test_the_answer_comes_in_the_servers_pieces(llm_server: ModelServer, llm_model: LanguageModel) -> None:
    llm_server.behave(good("সেতু ", "\n", "540 [1]", " 🌉"))
    assert list(llm_model.stream(ASKED, max_tokens=50)) == ["সেতু ", "\n", "540 [1]", " 🌉"]
    assert llm_model.complete(ASKED, max_tokens=50) == "সেতু \n540 [1] 🌉"


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["a \ud83c", "\udf09 b"], ["a ", "🌉 b"]),
        (["a \ud83c", " b"], ["a ", "\ufffd b"]),
        (["a", "\udf09"], ["a", "\ufffd"]),
        (["a", "\ud83c"], ["a", "\ufffd"]),
        (["a\u202e", "\u2066", "b\x00\x1b[2J"], ["a", "b[2J"]),
    ],
    ids=["halves", "first half", "second half", "half at the end", "unseen"],
)
def test_pieces_are_text_that_can_be_shown(
    llm_server: ModelServer, llm_model: LanguageModel, pieces: list[str], expected: list[str]
) -> None:
    llm_server.behave(good(*pieces))
    assert list(llm_model.stream(ASKED, max_tokens=50)) == expected


def test_a_piece_is_there_before_the_next_is_written(
    llm_server: ModelServer, llm_model: LanguageModel
) -> None:
    gate = threading.Event()
    llm_server.behave(good("first ", "second", gate=gate))
    pieces = llm_model.stream(ASKED, max_tokens=50)
    assert next(pieces) == "first "
    gate.set()
    assert list(pieces) == ["second"]


def test_what_is_sent(llm_server: ModelServer, llm_model: LanguageModel) -> None:
    llm_model.complete(ASKED, max_tokens=77)
    assert llm_server.requests == [
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
    assert llm_server.paths[-1] == "/v1/chat/completions"
    assert llm_server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_nothing_of_the_environment_goes_along(
    llm_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another-account")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    llm_model = opened(llm_server, key=None)
    assert llm_model.complete(ASKED, max_tokens=5) == "An answer."
    llm_model.close()
    sent = llm_server.headers[0]
    assert "authorization" not in sent
    assert "of-another-account" not in str(sent)
    assert [name for name in sent if name.startswith(("x-stainless", "openai-"))] == []


def test_calls_run_side_by_side(llm_server: ModelServer, llm_model: LanguageModel) -> None:
    gate = threading.Event()
    llm_server.behave(good("held ", "up", gate=gate), good("at once"))
    held = llm_model.stream(ASKED, max_tokens=5)
    assert next(held) == "held "
    assert llm_model.complete(ASKED, max_tokens=5) == "at once"
    gate.set()
    assert list(held) == ["up"]


def test_a_limit_of_tokens_that_the_server_ignores_ends_the_answer(
    llm_server: ModelServer, llm_model: LanguageModel
) -> None:
    llm_server.behave("endless")
    text = llm_model.complete(ASKED, max_tokens=4)
    assert text.startswith("An answer.and on and on")
    assert len(text) < 200
    assert llm_server.disconnected.wait(LONG_S)


def test_an_end_without_a_goodbye_is_an_end(llm_server: ModelServer, hasty_model: LanguageModel) -> None:
    llm_server.behave("never-says-goodbye")
    assert hasty_model.complete(ASKED, max_tokens=5) == "An answer."


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


def test_a_server_with_a_path_is_asked_there(llm_server: ModelServer) -> None:
    settings = RagSettings(llm_base_url=f"{llm_server.url}/deep/", llm_model="served", _env_file=None)
    llm_model = LanguageModel.open(settings)
    assert llm_model is not None
    llm_model.complete(ASKED, max_tokens=5)
    llm_model.close()
    assert llm_server.paths[-1] == "/v1/deep/chat/completions"


def test_pieces_may_depend_on_what_is_asked(llm_server: ModelServer, llm_model: LanguageModel) -> None:
    llm_server.behave(Script("good", lambda messages: [messages[-1]["content"].upper()]))
    assert llm_model.complete(ASKED, max_tokens=50) == QUESTION.upper()
