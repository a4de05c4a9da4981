"""What tests of the chat do in the browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def ask(tab: Page, question: str) -> Locator:
    """Ask by keyboard; the turn when it is done."""
    before = tab.locator(".pc-exchange").count()
    tab.fill("#pc-question", question)
    tab.press("#pc-question", "Enter")
    turn = tab.locator(".pc-exchange").nth(before)
    turn.locator(".pc-tools").wait_for()
    return turn


def kept(tab: Page) -> list[dict[str, Any]]:
    """The conversations that the browser keeps."""
    found = tab.evaluate("Object.entries(localStorage).filter(([name]) => name.includes(':c:'))")
    return [json.loads(value) for _, value in found]
