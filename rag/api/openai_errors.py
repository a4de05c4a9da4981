"""Errors as OpenAI's clients read them: a member `error` beside those of the problem (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

# What OpenAI's clients call, whether it is here or not: the name behind "/v1/".
_CALLED = frozenset(
    {
        "assistants",
        "audio",
        "batches",
        "chat",
        "completions",
        "containers",
        "conversations",
        "embeddings",
        "evals",
        "files",
        "fine_tuning",
        "images",
        "models",
        "moderations",
        "realtime",
        "responses",
        "threads",
        "uploads",
        "vector_stores",
        "videos",
    }
)
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}


class OpenAIError(BaseModel):
    """An error in OpenAI's format."""

    message: str = Field(
        description="What is wrong and what to do about it.", examples=["messages: Field required"]
    )
    type: str = Field(description="The family of errors.", examples=["invalid_request_error"])
    param: str | None = Field(description="The field that is wrong, if it is one.", examples=["messages"])
    code: str = Field(description="The end of the problem's `type`.", examples=["model_not_found"])


def is_openai(path: str) -> bool:
    """Whether a path speaks OpenAI's format."""
    version, _, rest = path.removeprefix("/").partition("/")
    return version == "v1" and rest.partition("/")[0] in _CALLED


def with_error(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a problem with its member `error`."""
    status = problem["status"]
    errors = problem.get("errors")
    error = OpenAIError(
        message=problem["detail"],
        type=_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        param=errors[0]["field"] if errors else None,
        code=problem["type"].rpartition(":")[2].replace("-", "_"),
    )
    return {**problem, "error": error.model_dump()}
