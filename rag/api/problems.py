"""Errors over HTTP: RFC 9457 problem details with a stable `type`, one line of text and never a stack trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from index.errors import (
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexStateError,
    IndexUnreachable,
    ModelError,
    PolyciteError,
    UsageError,
    WorkError,
)
from rag.api import openai_errors
from rag.feedback import FeedbackFull

MEDIA_TYPE = "application/problem+json"
_NAMESPACE = "urn:polycite:problem:"

# By class, the most special first: status, the stable name, and what it means whatever the occasion.
_KINDS: tuple[tuple[type[PolyciteError], int, str, str], ...] = (
    (UsageError, 422, "usage", "The request cannot be carried out as it is"),
    (FeedbackFull, 503, "feedback-full", "There is no room for more ratings"),
    (IndexMissing, 503, "index-missing", "Nothing is indexed"),
    (IndexBusy, 503, "index-busy", "Another process uses the index"),
    (IndexMismatch, 503, "index-mismatch", "The index does not fit the configuration"),
    (IndexDamaged, 503, "index-damaged", "The index is damaged"),
    (IndexUnreachable, 503, "index-unreachable", "A server that holds the index does not answer"),
    (IndexStateError, 503, "index-state", "The index cannot serve this request"),
    (ModelError, 500, "model", "The embedding model failed"),
    (WorkError, 500, "work", "The work failed"),
    (PolyciteError, 500, "work", "The work failed"),
)

# What the framework itself refuses, by status.
_BY_STATUS: Mapping[int, str] = {
    400: "malformed",
    401: "key-missing",
    403: "origin-refused",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "body-too-large",
    415: "media-type",
    421: "host-refused",
    429: "rate-limited",
    503: "busy",
}

# What operations say of their own occasions, and what is not foreseen.
_BY_OCCASION = (
    "answer-unknown",
    "document-kept",
    "document-unknown",
    "http",
    "internal",
    "invalid",
    "job-unknown",
    "model-not-found",
    "scope-missing",
    "uploads-full",
    "uploads-off",
)
NAMES = frozenset({name for _, _, name, _ in _KINDS} | {*_BY_STATUS.values(), *_BY_OCCASION})
"""The ends of all types: stable. The staff page has a sentence for each that it meets (ui/page/static/problems.js)."""

log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(description="Where it is: the path of the field.", examples=["history.0.role"])
    message: str = Field(description="What is wrong with it.", examples=["Field required"])


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(
        description="What kind of error: stable, made to be compared.", examples=[f"{_NAMESPACE}usage"]
    )
    title: str = Field(
        description="The kind in words.", examples=["The request cannot be carried out as it is"]
    )
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(
        description="What is wrong this time and what to do about it.",
        examples=["the question is empty: ask in words"],
    )
    errors: list[FieldError] | None = Field(
        None, description="The fields that are wrong, where the request does not fit its description."
    )
    error: openai_errors.OpenAIError | None = Field(
        None, description="The same as OpenAI's clients read it; only at the paths of OpenAI's format."
    )


class ProblemResponse(Response):
    """A problem as a response."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[Mapping[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make one; `name`, one of `NAMES`, is the end of its `type`, `title` None is the status in words."""
        if name not in NAMES:
            raise ValueError(
                f"{name} is no kind of problem: add it to NAMES, and its sentence to the staff page"
            )
        body: dict[str, Any] = {
            "type": _NAMESPACE + name,
            "title": title or HTTPStatus(status).phrase,
            "status": status,
            "detail": " ".join(detail.split()),
        }
        if errors is not None:
            body["errors"] = [dict(error) for error in errors]
        self.problem = body
        super().__init__(
            json.dumps(body).encode(), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {})
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; where OpenAI's clients call, with what they read."""
        if openai_errors.is_openai(scope.get("path", "")):
            self.body = json.dumps(openai_errors.with_error(self.problem)).encode()
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems of an operation for its OpenAPI entry."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""
    app.add_exception_handler(PolyciteError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _unexpected)


def of_error(error: PolyciteError) -> ProblemResponse:
    """Return the problem that stands for one of our own errors."""
    status, name, title = next(
        (status, name, title) for kind, status, name, title in _KINDS if isinstance(error, kind)
    )
    return ProblemResponse(status, name, str(error), title=title)


def in_stream(error: Exception) -> dict[str, Any]:
    """Return the body of the problem for an error in the middle of a stream; the log gets what the client does not."""
    if isinstance(error, PolyciteError):
        log.warning("%s", error)
        return of_error(error).problem
    log.error("a stream broke", exc_info=error)
    return unforeseen().problem


def of_status(
    status: int, detail: str, *, name: str | None = None, headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """Return the problem for an HTTP status; `name` None is the usual one."""
    return ProblemResponse(status, name or _BY_STATUS.get(status, "http"), detail, headers=headers)


async def _expected(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PolyciteError)  # noqa: S101 - the handler is registered for this class
    response = of_error(error)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s", error)
    return response


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    found = error.errors()
    if found[0]["loc"] == ("body",) and "json" not in request.headers.get("content-type", "json"):
        return of_status(415, "the body must be JSON: send it with Content-Type: application/json")
    if any(each["type"] == "json_invalid" for each in found):
        return of_status(400, "the body is not JSON: send a JSON object")
    errors = [{"field": _path(each["loc"]), "message": str(each["msg"])} for each in found]
    first = errors[0]
    return ProblemResponse(
        422,
        "invalid",
        f"{first['field']}: {first['message']}",
        title="The request does not fit its description",
        errors=errors,
    )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    return of_status(error.status_code, str(error.detail), headers=error.headers)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    # The server logs the exception itself once this answer is sent.
    return unforeseen()


async def _left(_request: Request, _error: Exception) -> Response:
    # Nobody reads it; the number, nginx's, is for logs.
    return Response(status_code=499)


def unforeseen() -> ProblemResponse:
    """Return the problem for a failure that nobody foresaw; who answers with it has logged it."""
    return ProblemResponse(500, "internal", "the server failed at this request: its log says why")


def _path(location: Sequence[int | str]) -> str:
    """The field as the caller wrote it: without the part of the request that it came in, if it has a name."""
    names = [str(part) for part in location]
    return ".".join(names[1:] or names)
