"""Every error of the API is a problem of RFC 9457: `from problem import problem`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Response(Protocol):
    """What is read of a response, whichever library it is of."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def text(self) -> str: ...

    def json(self) -> Any: ...


def problem(response: Response, *, status: int, kind: str) -> dict[str, Any]:
    """The body of a problem, checked for what every problem has."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:polycite:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert "\n" not in body["detail"]
    assert "Traceback" not in response.text
    return body
