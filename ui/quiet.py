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
    """A line on stderr per record; looks stderr up each time, so that a progress bar can step aside."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            level = record.levelname.lower()
            click.echo(f"rag: {level}: {self.format(record)}", err=True)
        except (OSError, ValueError):  # stderr is closed
            self.handleError(record)


@contextmanager
def quiet_libraries(*, debug: bool) -> Iterator[None]:
    """Within the block our own warnings are lines on stderr, and the libraries' are not shown unless `debug`."""
    # Read when the libraries are imported, which happens inside the block.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "info" if debug else "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    handler = _Lines()
    root = logging.getLogger()
    names = ("",) if debug else OWN
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    # A root handler of some kind keeps Python from writing other libraries' warnings to stderr itself.
    silent = logging.NullHandler()
    root.addHandler(silent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default" if debug else "ignore")
            yield
    finally:
        root.removeHandler(silent)
        for name in names:
            logger = logging.getLogger(name)
            logger.removeHandler(handler)
            logger.setLevel(before[name])
