"""Settings: the environment over `.env` over the default; a wrong one says which, why and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import SettingsError, UsageError
from rag.settings import load_settings, setting_names


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of our own: `.env` is read from there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.index.embed_model) == ("127.0.0.1", 8000, "bundled")
    assert settings.index.data_dir == Path("data")


def test_environment_wins_over_the_file_and_the_file_over_the_default(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / ".env").write_text("RAG_TOP_K=7\nRAG_CHUNK_TOKENS=64\nOTHER=1\n", "utf-8")
    monkeypatch.setenv("RAG_CHUNK_TOKENS", "96")
    settings = load_settings()
    assert (settings.top_k, settings.index.chunk_tokens) == (7, 96)


@pytest.mark.parametrize("name", ["rag_top_k", "Rag_Top_K"])
def test_case_of_a_name_does_not_matter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "9")
    assert load_settings().top_k == 9


@pytest.mark.parametrize("name", ["RAG_CHROMA_URL", "RAG_PORT", "RAG_LLM_API_KEY"])
def test_an_empty_value_is_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.index.chroma_url, settings.port, settings.llm_api_key) == (None, 8000, None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("RAG_TOPK", "3", r"RAG_TOPK is not a setting; did you mean RAG_TOP_K\?", id="misspelt"),
        pytest.param("RAG_ZZZZ", "3", r"RAG_ZZZZ is not a setting; `rag doctor", id="unknown"),
        pytest.param("RAG_INDEX", "{}", r"RAG_INDEX is not a setting", id="the-layer-below-is-none"),
        pytest.param("RAG_PORT", "70000", r"RAG_PORT='70000'.*less than or equal to 65535", id="too-large"),
        pytest.param("RAG_PORT", "http", r"RAG_PORT='http'.*valid integer", id="not-a-number"),
        pytest.param("RAG_TOP_K", "0", r"RAG_TOP_K='0'.*greater than or equal to 1\b", id="too-small"),
        pytest.param("RAG_CHUNK_TOKENS", "9999", r"RAG_CHUNK_TOKENS='9999'.*512", id="of-the-layer-below"),
        pytest.param("RAG_MAX_FILE_MB", "0", r"RAG_MAX_FILE_MB='0'.*greater than 0", id="bound-excluded"),
        pytest.param("RAG_REFUSAL_THRESHOLD", "nan", r"RAG_REFUSAL_THRESHOLD='nan'", id="nan"),
    ],
)
def test_a_wrong_setting_says_which_why_and_what_is_allowed(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings()
    assert isinstance(caught.value, UsageError), "exit code 2"
    assert "\n" not in str(caught.value)


def test_a_wrong_setting_in_the_file_is_refused_too(elsewhere: Path) -> None:
    (elsewhere / ".env").write_text("RAG_PROT=1\n", "utf-8")
    with pytest.raises(SettingsError, match="RAG_PROT is not a setting; did you mean RAG_PORT"):
        load_settings()


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_LLM_API_KEY", "sk-very-secret")
    settings = load_settings()
    assert settings.llm_api_key is not None
    assert settings.llm_api_key.get_secret_value() == "sk-very-secret"
    assert "sk-very-secret" not in f"{settings!r} {settings} {settings.llm_api_key}"


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_every_setting_has_a_name_of_its_own_and_a_description() -> None:
    names = setting_names()
    assert {
        "RAG_DATA_DIR",
        "RAG_EMBED_MODEL",
        "RAG_CHROMA_URL",
        "RAG_LLM_BASE_URL",
        "RAG_HOST",
    } <= names.keys()
    assert [name for name, description in names.items() if not description] == []
