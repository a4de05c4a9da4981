"""What libraries say is kept off the screen: stdout holds answers, stderr one line per thing that matters."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click

OWN = ("index", "rag", "eval", "ui")


class _Lines(logging.Handler):
    """Writes records to stderr, which it looks up each time, so that a progress bar can step aside.

    Args:
        debug: everything, with tracebacks.
        server: with time and tracebacks, for a log that is read later.
    """

    def __init__(self, *, debug: bool, server: bool) -> None:
        super().__init__()
        self._whole = debug or server
        self._others = logging.DEBUG if debug else logging.ERROR
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through our own records, and of the libraries' those that are errors."""
        own = record.name.partition(".")[0] in OWN
        return own or record.levelno >= self._others

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            if self._whole:
                click.echo(self.format(record), err=True)
            else:
                line = " ".join(record.getMessage().split())
                click.echo(f"rag: {record.levelname.lower()}: {line}", err=True)
        except (OSError, ValueError):  # stderr is closed
            self.handleError(record)


@contextmanager
def quiet_libraries(*, debug: bool, server: bool = False) -> Iterator[None]:
    """Within the block our own warnings are lines on stderr, and the libraries' are not shown unless `debug`.

    A `server` also logs what it does.
    """
    # Read when the libraries are imported, which happens inside the block.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "info" if debug else "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    handler = _Lines(debug=debug, server=server)
    root = logging.getLogger()
    levels = {"": logging.DEBUG if debug else logging.WARNING}
    levels.update(dict.fromkeys(OWN, logging.INFO if server and not debug else levels[""]))
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default" if debug else "ignore")
            yield
    finally:
        root.removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
