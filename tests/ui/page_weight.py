"""What the page weighs and how soon it answers: `python tests/ui/page_weight.py ADDRESS [QUESTION]`.

In a Chromium whose cache is empty, as a new reader's is: requests and bytes on the wire until the page is ready and
until a first question is answered, and the seconds of both; the quickest of several runs. Needs a server that runs.
"""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = 5


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit; sizes in bytes."""

    ready_s: float
    ready_requests: int
    ready_bytes: int
    answered_s: float
    answered_bytes: int


def visit(browser: Browser, address: str, question: str) -> Visit:
    """Open the page with an empty cache, and ask."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    wire.send("Network.enable")
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    ready = time.perf_counter()
    page.wait_for_timeout(500)  # what comes after it, such as fonts
    ready_requests, ready_bytes = len(sizes), sum(sizes)
    asked = time.perf_counter()
    page.fill("#pc-question", question)
    page.press("#pc-question", "Enter")
    page.locator(".pc-exchange .pc-answer").wait_for()
    answered = time.perf_counter()
    found = Visit(
        ready - started, ready_requests, ready_bytes, ready - started + answered - asked, sum(sizes)
    )
    context.close()
    return found


def main(arguments: list[str]) -> None:
    """Print the figures."""
    address = arguments[0]
    question = arguments[1] if len(arguments) > 1 else "What do the documents say?"
    executable: Any = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        visits = [visit(browser, address, question) for _ in range(RUNS)]
        browser.close()
    best = min(visits, key=lambda each: each.answered_s)
    print(f"ready     {best.ready_s:.2f} s, {best.ready_requests} requests, {best.ready_bytes / 1000:.0f} kB")  # noqa: T201
    print(f"answered  {best.answered_s:.2f} s, {best.answered_bytes / 1000:.0f} kB")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
