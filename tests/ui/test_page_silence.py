"""What a reader sees in a real browser while the service does not answer: a word in their language, then the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ui.labels import labels_in

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

ASKED_FIRST = "**/chat/{start,documents?*}"


def dropped(route: Route) -> None:
    route.abort("connectionrefused")


def busy(route: Route) -> None:
    route.fulfill(status=503, content_type="application/problem+json", body='{"status": 503}')


def held(_route: Route) -> None:
    """Taken, and never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How the first requests fail, the browser's language, the one chosen, and the one that is to be read."""

    fault: Callable[[Route], None]
    locale: str
    chosen: str | None
    language: str


CASES = {
    "no connection": Case(fault=dropped, locale="bn-BD", chosen=None, language="bn"),
    "refused, another language chosen": Case(fault=busy, locale="sv-SE", chosen="hi", language="hi"),
    "no answer, a language without a table": Case(fault=held, locale="de-DE", chosen=None, language="en"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_silence_is_said_in_the_readers_language_and_ends_by_itself(
    page_server: str, open_tab: Callable[..., Page], case: Case
) -> None:
    def prepare(context: BrowserContext) -> None:
        context.route(ASKED_FIRST, case.fault)
        if case.chosen is not None:
            context.add_cookies([{"name": "polycite_language", "value": case.chosen, "url": page_server}])

    page = open_tab(watch=False, ready=".pc-silence", locale=case.locale, prepare=prepare)
    note = page.get_by_role("alert").filter(has_text=labels_in(case.language)["service_silent"])
    expect(note).to_be_visible()
    assert note.get_attribute("lang") == case.language
    page.context.unroute(ASKED_FIRST)
    if case.fault is held:
        page.reload()  # the page itself waits half a minute for an answer
    page.wait_for_selector("body[data-ready]")
    page.get_by_role("tab").nth(1).click()
    page.locator(".pd-tab").wait_for()
    assert page.locator(".pc-silence").count() == 0
