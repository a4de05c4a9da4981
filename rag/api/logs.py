"""The server's log: a line for each request and what happened meanwhile, as JSON or as text.

What a person asked is not in it, unless the settings say so, and neither are paths, keys or addresses: a path is named
by its route's template.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.api import problems
from rag.settings import RagSettings

ID_HEADER = "X-Request-ID"
UNMATCHED = "unmatched"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The client left before it was answered; the number is the one that web servers use in their logs.
_LEFT = 499
_OWN = ("index", "rag", "eval", "ui", "uvicorn")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Record:
    """What a request's line says. Filled in while it is worked on, also by threads."""

    request_id: str
    method: str
    route: str = UNMATCHED
    status: int = _LEFT
    duration_ms: float = 0.0
    key: str | None = None
    engine: str | None = None
    refused: bool | None = None
    question: str | None = None
    # Threads and tasks that a request started outlive it and still carry its context.
    done: bool = False

    def line(self) -> dict[str, Any]:
        """What is known, by name."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        del known["done"]
        return known


_current: ContextVar[Record | None] = ContextVar("request", default=None)


def note(**fields: Any) -> bool:
    """Add to the line of the request that is being answered; False when there is none."""
    record = _current.get()
    if record is None or record.done:
        return False
    for name, value in fields.items():
        setattr(record, name, value)
    return True


class Requests:
    """ASGI middleware around everything else: request ids, a log line for each request, no exception beyond it.

    Args:
        app: what it surrounds.
        seen: called with each finished request: its route's template, method, status and seconds.
    """

    def __init__(self, app: ASGIApp, *, seen: Callable[[str, str, int, float], None]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        record = Record(_id(Headers(scope=scope)), method)
        answering = _current.set(record)
        started = time.perf_counter()

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                MutableHeaders(scope=message)[ID_HEADER] = record.request_id
            await send(message)

        try:
            await self._app(scope, receive, headed)
        except Exception:
            log.exception("the request failed")
            if record.status != _LEFT:
                raise  # an answer has begun: only breaking it off tells that it is not whole
            await problems.unforeseen()(scope, receive, headed)
        finally:
            seconds = time.perf_counter() - started
            record.route = _route(scope) or record.route
            record.duration_ms = round(seconds * 1000, 1)
            log.info("request", extra=record.line())
            record.done = True
            self._seen(record.route, method, record.status, seconds)
            _current.reset(answering)


def _id(headers: Headers) -> str:
    given = headers.get(ID_HEADER, "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str | None:
    """The template of the route that answered, None when none did."""
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) and template != "/v1/{rest:path}" else None


# -- how it is written


@contextmanager
def server_logging(settings: RagSettings) -> Iterator[None]:
    """Within the block every log record and warning goes to stderr in the form that the settings ask for."""
    handler = _Stderr()
    is_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    handler.setFormatter(_json() if is_json else _Text(_TEXT))
    handler.addFilter(_with_id)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root = logging.getLogger()
    levels = {"": max(level, logging.WARNING), **dict.fromkeys(_OWN, level)}
    before = {name: logging.getLogger(name).level for name in levels}
    handlers, root.handlers = root.handlers, [handler]
    for name, wanted in levels.items():
        logging.getLogger(name).setLevel(wanted)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers = handlers
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)


class _Stderr(logging.StreamHandler[Any]):
    """Looks stderr up each time, so that a progress bar can step aside."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr


class _Text(logging.Formatter):
    """Lines for people. What a client or a document says can neither begin a line nor command the terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """A line, with what is known of a request at its end."""
        line = super().formatMessage(record)
        fields = {name: value for name, value in vars(record).items() if name in Record.__dataclass_fields__}
        return _one_line(" ".join((line, *(f"{name}={value}" for name, value in fields.items()))))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        """A traceback, its lines indented."""
        return "\n".join(f"    {_one_line(line)}" for line in super().formatException(ei).split("\n"))


class _Json(JsonFormatter):
    """As the library's; what JSON would leave as it is, a terminal or a reader of lines would not."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return _one_line(super().format(record))


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _json() -> logging.Formatter:
    return _Json(
        "%(levelname)s%(name)s%(message)s",
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp="time",  # of the event, ISO 8601 in UTC
        json_ensure_ascii=False,
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's own copy for terminals
    )


def _with_id(record: logging.LogRecord) -> bool:
    request = _current.get()
    if request is not None and not request.done and not hasattr(record, "request_id"):
        record.request_id = request.request_id
    return True
