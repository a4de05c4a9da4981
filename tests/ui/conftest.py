"""Fixtures for tests of the page in a real browser.

    page_settings   session   RagSettings of a data directory of its own with the documents of page_texts.py
    page_intake     session   the Intake over them
    page_server     session   the address of a server over them (the whole application, on loopback)
    serve_page      session   function: such a server with other settings, as a context manager
    browser         session   a Chromium: POLYCITE_CHROMIUM, or `chromium` on the PATH; else the test is skipped
    tab             function  an empty page of its own (cookies, storage) at `page_server`; see `Tab`
    open_tab        function  function: another one, with options for the context
    no_uploads      function  afterwards no uploaded document is left at `page_server`

Every request beyond loopback is refused and fails the test, and so does every error in the console.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import page_texts
import pytest
from loopback import served

from index.settings import IndexSettings
from rag.settings import RagSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

    from index.embedder import Embedder
    from index.intake import Intake

CHROMIUM = os.environ.get("POLYCITE_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_WAIT_MS = 120_000  # only what fails takes so long
_HERE = {"127.0.0.1", "localhost", "::1"}


@pytest.fixture(scope="session")
def page_settings(index_of: Callable[[Mapping[str, str]], IndexSettings]) -> RagSettings:
    """Settings of a data directory in which the documents of page_texts.py are indexed."""
    return RagSettings(index=index_of(page_texts.DOCUMENTS), _env_file=None)


@pytest.fixture(scope="session")
def page_intake(page_settings: RagSettings, embedder: Embedder) -> Iterator[Intake]:
    """What takes uploads for that data directory; there must be one alone."""
    from index.intake import Intake

    with Intake(page_settings.index, embedder) as intake:
        yield intake


@pytest.fixture(scope="session")
def serve_page(
    embedder: Embedder,
) -> Callable[..., AbstractContextManager[str]]:
    """A function: serves the application with these settings, and `keys` and `intake` as for `build_app`."""
    from index.corpus import Corpus
    from rag.assistant import Assistant
    from ui.page import close_streams
    from ui.server import build_app

    @contextmanager
    def serving(settings: RagSettings, **options: Any) -> Iterator[str]:
        # Not with Assistant.open: it would load the model once more.
        with Assistant(Corpus.open(settings.index, manifest_expected=None), embedder, settings) as assistant:
            app = build_app(assistant, settings, **options)
            with served(app) as address:
                yield address
                close_streams(app)

    return serving


@pytest.fixture(scope="session")
def page_server(
    page_settings: RagSettings,
    page_intake: Intake,
    serve_page: Callable[..., AbstractContextManager[str]],
) -> Iterator[str]:
    """The address of a server over the documents of page_texts.py, without keys and without a language model."""
    with serve_page(page_settings, intake=page_intake) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium without a window; Playwright's event loop runs in this thread as long as it is open."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: install Debian's `chromium`, or set POLYCITE_CHROMIUM to one")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=_WAIT_MS)

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        yield opened
        opened.close()


class Watch:
    """What went wrong in a browser's pages: requests beyond loopback, errors in the console."""

    def __init__(self, context: BrowserContext) -> None:
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        context.on("request", self._requested)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def check(self) -> None:
        """Fail where anything did."""
        assert self.elsewhere == [], "a page asked another machine"
        assert self.errors == [], "an error in the console"

    def _requested(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname not in _HERE:
            self.elsewhere.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location})")


@pytest.fixture
def open_tab(page_server: str, browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function: a page in a browser context of its own, open and ready.

    `address`: of another server; `path`: other than "/"; `watch`: False where errors are what is tested; `ready`: what
    to wait for; `prepare`: called with the context before anything is asked for; anything else: an option of
    Playwright's `new_context`, such as `locale` or `color_scheme`.
    """
    contexts: list[tuple[BrowserContext, Watch | None]] = []

    def opened(
        *,
        address: str = page_server,
        path: str = "/",
        watch: bool = True,
        ready: str = "body[data-ready]",
        prepare: Callable[[BrowserContext], None] | None = None,
        **options: Any,
    ) -> Page:
        context = browser.new_context(
            **{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
        )
        context.set_default_timeout(_WAIT_MS)
        contexts.append((context, Watch(context) if watch else None))
        if prepare is not None:
            prepare(context)
        page = context.new_page()
        page.goto(address + path)
        page.wait_for_selector(ready)
        return page

    yield opened
    for context, _ in contexts:
        context.close()
    for _, watched in contexts:
        if watched is not None:
            watched.check()


@pytest.fixture
def tab(open_tab: Callable[..., Page]) -> Page:
    """The page as a new reader finds it, in English, 1280 pixels wide."""
    return open_tab()


@pytest.fixture
def no_uploads(page_server: str) -> Iterator[None]:
    """Afterwards no uploaded document is left at `page_server`."""
    yield
    address = f"{page_server}/v1/documents"
    with httpx.Client(timeout=_WAIT_MS / 1000) as client:
        for document in client.get(address, params={"uploaded": True}).json()["documents"]:
            assert client.delete(f"{address}/{document['id']}").status_code == 204
