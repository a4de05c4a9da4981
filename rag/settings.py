"""Settings of the answering layer; `index` holds those of the layer below."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from index.errors import SettingsError
from index.settings import IndexSettings

PREFIX = "RAG_"
_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")

_TRAINED = Path(__file__).parent / "reader"
BUNDLED_READER = _TRAINED / "reader.safetensors"
"""The trained reader that comes with the project (docs/reader.md)."""
BUNDLED_JUDGE = _TRAINED / "judge.safetensors"
"""The trained judge of claims that comes with the project (docs/citations.md)."""


def _listed(value: object) -> object:
    """A list as the environment has it: its parts between commas."""
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


_HostName = Annotated[str, Field(pattern=r"^[^\s/:@]+$|^[0-9a-fA-F:]+$")]
_Origin = Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]
_Listed = BeforeValidator(_listed)


class RagSettings(BaseSettings):
    """How questions are answered and where the server listens."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    index: IndexSettings = Field(default_factory=IndexSettings, exclude=True)

    rerank_model: str | None = Field(
        None, description="A sentence-transformers CrossEncoder that reorders the best passages; empty: off."
    )
    reader_model: str = Field(
        "bundled",
        description="`bundled`, or a file of `python -m eval.learning.train`: what finds the answer in a passage; "
        "`off`: similarity alone.",
    )
    judge_model: str = Field(
        "bundled",
        description="`bundled`, or a file of `python -m eval.learning.train --only claims`: what says whether a "
        "passage supports a claim, and answers yes or no; `off`: no text of a language model is called verified.",
    )
    top_k: int = Field(5, ge=1, le=50, description="Passages in which the answer is looked for.")
    refusal_threshold: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Probability of being answered below which a question is refused; 0 answers everything.",
    )
    max_question_chars: int = Field(
        2000, ge=10, le=100_000, description="A longer question is refused with an error."
    )
    llm_base_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]\S*$",
        description="URL of an OpenAI-compatible server, mostly ending in /v1; with RAG_LLM_MODEL it adds an engine.",
    )
    llm_model: str | None = Field(
        None,
        max_length=200,
        description="Name of the language model on that server; empty: no language model.",
    )
    llm_api_key: SecretStr | None = Field(None, description="Key of that server; empty: none is sent.")
    llm_timeout_s: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Seconds to wait for the first piece of a language model's answer, and for each one after it.",
    )
    llm_context_tokens: int = Field(
        2000,
        ge=200,
        le=100_000,
        description="Tokens of passages that a language model is shown with a question.",
    )
    llm_answer_tokens: int = Field(
        400, ge=16, le=32_000, description="Tokens that a language model may write for an answer."
    )
    max_upload_mb: float = Field(
        200.0,
        gt=0,
        le=10_000,
        description="A larger request with uploads is refused. Megabytes (10^6 bytes).",
    )
    max_upload_files: int = Field(100, ge=1, le=1000, description="Files of one request with uploads.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    public_hosts: Annotated[tuple[_HostName, ...], NoDecode, _Listed] = Field(
        (),
        description="Names, without port and between commas, under which the server may be called besides this "
        "machine's own; empty: with API keys any name, without keys none.",
    )
    cors_origins: Annotated[tuple[_Origin, ...], NoDecode, _Listed] = Field(
        (),
        description="Origins between commas, such as `https://intranet.example`, whose pages may call the API from a "
        "browser with a key of theirs; empty: none.",
    )
    rate_limit: str | None = Field(
        None,
        pattern=r"^(off|[1-9]\d{0,5}/(second|minute|hour|day))$",
        description="Requests that one key may make, such as `60/minute`; `off`: any number. Empty: `120/minute` "
        "with API keys, `off` without.",
    )
    max_waiting: int = Field(
        32,
        ge=1,
        le=10_000,
        description="Questions and searches over HTTP that are worked on or wait; one more is told to come back later.",
    )
    translator_url: str = Field(
        "https://translate.google.com/?sl={source}&tl={target}&text={text}&op=translate",
        pattern=r"^off$|^https?://[^\s/]\S*\{text\}\S*$",
        description="Where the page's link to translate a quote leads, opened only when clicked; `{text}`, `{source}` "
        "and `{target}` (languages) are filled in. `off`: no link.",
    )
    server_key: SecretStr | None = Field(
        None, description="API key that `rag eval --url` sends to a server that asks for one."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="How `rag serve` logs: `json`, an object a line, or `text`; `auto`: text on a terminal, else json.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important records that `rag serve` logs."
    )
    log_questions: bool = Field(False, description="Write the questions that people ask into the log.")


def reader_file(settings: RagSettings) -> Path | None:
    """The file of the reader that the settings name; None when it is off."""
    return _file(settings.reader_model, BUNDLED_READER)


def judge_file(settings: RagSettings) -> Path | None:
    """The file of the judge that the settings name; None when it is off."""
    return _file(settings.judge_model, BUNDLED_JUDGE)


def _file(named: str, bundled: Path) -> Path | None:
    if named == "off":
        return None
    return bundled if named == "bundled" else Path(named)


def load_settings() -> RagSettings:
    """All settings from the environment and `.env`.

    Raises:
        SettingsError: a `RAG_` name is unknown or a value is malformed or out of range; the text says which
            one, why, and what is allowed.
    """
    _refuse_unknown()
    try:
        return RagSettings()
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def setting_names() -> dict[str, str]:
    """Environment name of every setting with its description, in declared order."""
    fields = {**IndexSettings.model_fields, **RagSettings.model_fields}
    return {
        f"{PREFIX}{name.upper()}": info.description or "" for name, info in fields.items() if name != "index"
    }


def _refuse_unknown() -> None:
    known = setting_names()
    given = {name.upper() for name in (*os.environ, *dotenv_values(Path(".env")))}
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "`rag doctor` lists the settings"
            raise SettingsError(f"{name} is not a setting; {hint}")


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    # A number in it counts the parts of a list.
    parts = [part for part in first["loc"] if isinstance(part, str) and part != "index"]
    name = f"{PREFIX}{'_'.join(parts).upper()}"
    description = setting_names().get(name, "")
    given = _PASSWORD.sub(r"\1***@", repr(first.get("input")))
    return f"{name}={given}: {first['msg'].lower()}. {description}".strip()
