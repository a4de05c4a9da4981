"""The page for everybody: by keyboard, read aloud, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import page_texts
import pytest
from axe_playwright_python.sync_playwright import Axe
from chat_tab import ask

from ui.labels import labels_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

ENGLISH = labels_in("en")
SERIOUS = {"serious", "critical"}


def findings(tab: Page) -> list[tuple[str, list[Any]]]:
    """What axe finds that keeps people out: its rule and where."""
    violations = Axe().run(tab).response["violations"]
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in violations
        if each["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_scan_finds_nothing_serious(open_tab: Callable[..., Page], scheme: str) -> None:
    tab = open_tab(color_scheme=scheme, reduced_motion="reduce")
    assert findings(tab) == [], "empty"
    ask(tab, page_texts.QUESTIONS["bn"])
    tab.get_by_role("button", name=ENGLISH["chat_helpful"], exact=True).click()
    tab.locator(".pc-reason").wait_for()
    assert findings(tab) == [], "answered"
    ask(tab, page_texts.UNANSWERED)
    tab.click(".pc-scope-summary")
    assert findings(tab) == [], "refused, with the choice of documents open"


def test_it_is_dark_when_the_system_is_and_when_one_chooses(open_tab: Callable[..., Page]) -> None:
    def dark(page: Page) -> bool:
        colour = page.evaluate("getComputedStyle(document.querySelector('.pc-app')).backgroundColor")
        return sum(map(int, colour.strip("rgb()").split(","))) < 200

    tab = open_tab(color_scheme="dark")
    assert dark(tab)
    tab.get_by_role("button", name=f"{ENGLISH['chat_theme']}: {ENGLISH['chat_theme_auto']}").click()
    assert not dark(tab), "light, as chosen"
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    assert not dark(tab), "and remembered"
    assert tab.evaluate("document.body.classList.contains('dark')") is False, "Gradio's own parts too"


@pytest.mark.parametrize("locale", ["en-GB", "bn-BD"])
def test_nothing_is_wider_than_a_phone(open_tab: Callable[..., Page], locale: str) -> None:
    tab = open_tab(locale=locale, viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)

    def too_wide() -> list[str]:
        return tab.evaluate(  # type: ignore[no-any-return]
            """() => {
                const aside = ".pc-unseen, .pc-brand, .pc-skip, .pc-side:not(.pc-open)";
                return [...document.querySelectorAll("#pc-header *, #pc-chat *, [role=tab]")]
                    .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.closest(aside))
                    .map((each) => [each, each.getBoundingClientRect()])
                    .filter(([_, box]) => box.right > 375.5 || box.left < -0.5)
                    .map(([each]) => each.outerHTML.slice(0, 80));
            }"""
        )

    assert too_wide() == [], "empty"
    ask(tab, page_texts.QUESTIONS["en"])
    assert too_wide() == [], "answered"
    assert tab.evaluate("document.documentElement.scrollWidth") == 375
    tab.tap(".pc-scope-summary")
    assert too_wide() == [], "with the choice of documents"
    tab.tap(".pc-scope-summary")
    tab.tap(".pc-menu")
    tab.locator(".pc-side.pc-open").wait_for()
    tab.keyboard.press("Escape")
    tab.locator(".pc-side.pc-open").wait_for(state="detached")
    assert tab.evaluate("document.activeElement.className").endswith("pc-menu")


def test_everything_is_done_by_keyboard(tab: Page) -> None:
    assert tab.evaluate("document.activeElement.id") == "pc-question"
    tab.keyboard.type(page_texts.QUESTIONS["en"])
    tab.keyboard.press("Shift+Enter")
    tab.keyboard.type("Tell me.")
    assert "\n" in tab.input_value("#pc-question")
    tab.keyboard.press("Enter")
    tab.locator(".pc-exchange .pc-tools").wait_for()
    tab.evaluate("document.activeElement.blur()")
    order: list[str] = []
    for _ in range(60):  # from wherever it is, once around
        tab.keyboard.press("Tab")
        name, visible = tab.evaluate(
            """() => {
                const each = document.activeElement;
                const shown = [each, each.closest(".pc-box")].filter(Boolean).map((one) => getComputedStyle(one));
                const seen = shown.some((one) => one.outlineStyle !== "none" || one.boxShadow !== "none");
                return [each.id || each.className.split(" ").pop() || each.tagName, seen || each === document.body];
            }"""
        )
        assert visible, f"the focus on {name} is seen"
        if name == "pc-skip" and name in order:
            break
        order.append(name)
    order = list(dict.fromkeys(order[order.index("pc-skip") :]))
    wanted = [
        "pc-skip",
        "pc-language-select",
        "pc-fresh",
        "pc-marker",
        "pc-copy",
        "pc-scope-summary",
        "pc-question",
        "pc-go",
    ]
    assert [name for name in order if name in wanted] == wanted
    tab.focus(".pc-skip")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "pc-question"


def test_an_answer_is_read_aloud_in_its_language(tab: Page) -> None:
    ask(tab, page_texts.QUESTIONS["vi"])
    said = tab.locator(".pc-unseen[role=status]").inner_text()
    assert said.startswith(ENGLISH["chat_answer_to"])
    assert "640" in said
    assert tab.locator(".pc-answer [lang=vi]").count() >= 1
    headings = tab.locator("#pc-header h1, #pc-chat :is(h2, h3, h4, h5)").evaluate_all(
        "all => all.map(each => each.tagName)"
    )
    assert headings[0] == "H1"
    levels = [int(each[1]) for each in headings]
    assert all(after - before <= 1 for before, after in pairwise(levels)), headings
    unnamed = tab.locator("#pc-chat :is(button, input, select, textarea)").evaluate_all(
        """(all) => all
            .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.labels?.length))
            .map((each) => each.outerHTML)"""
    )
    assert unnamed == []
