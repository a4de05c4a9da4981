"""What the page's own script asks of the server: its files, its words, answers as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.staticfiles import StaticFiles

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ui.page.parts import Tools

PREFIX = "/chat"
_FOLDER = Path(__file__).parent


def add(app: FastAPI, tools: Tools) -> None:
    """Add the routes to an application, before the page itself is mounted."""
    del tools
    for name in ("static", "fonts"):
        app.mount(f"{PREFIX}/{name}", StaticFiles(directory=_FOLDER / name))
