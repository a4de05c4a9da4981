"""The documents' tab in a real browser: the list, reading, and that everybody can use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import page_texts
import pytest
from axe_playwright_python.sync_playwright import Axe
from documents_tab import LIGHTHOUSE, document_of, documents, search, sent, titles, upload, wait_for_titles
from playwright.sync_api import expect
from texts import HOSTILE

from ui.labels import labels_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

LABELS = labels_in("en")
HOSTILE_TITLE = "<img src=x onerror=alert(1)> [Marlow](javascript:alert(2))"
NARROW = {"viewport": {"width": 375, "height": 700}}


# -- the list


def test_the_list_is_searched_and_sorted_in_any_script(tab: Page) -> None:
    documents(tab)
    found = titles(tab)
    assert len(found) == len(page_texts.DOCUMENTS)
    assert HOSTILE_TITLE in found, "a title is text"
    heads = tab.locator(".pd-table thead th").all_inner_texts()
    assert heads[:5] == ["Title", "Language", "Source", "Added", "Passages"]
    row = tab.get_by_role("row", name="Färjan till Björkvik")
    assert row.locator(".pd-language").inner_text() == "Swedish"
    assert row.locator(".pd-origin a").get_attribute("href") == "https://city.example/bjorkvik/ferry"
    assert re.fullmatch(r"\d{1,2} \w{3,4} \d{4}", row.locator(".pd-added").inner_text())
    assert row.get_by_text("Shipped").is_visible()
    for words, expected in (
        ("BJÖRKVIK", ["Färjan till Björkvik"]),
        ("গ্রন্থাগার", ["চাঁদপুর নগর গ্রন্থাগার"]),
        ("museum.SV", ["Museet i Harrow Vale"]),
    ):
        search(tab, words)
        wait_for_titles(tab, *expected)
        tab.get_by_text(f"Found: 1 of {len(found)}", exact=True).first.wait_for()
    search(tab, "zzzz")
    tab.locator(".pd-nothing").wait_for()
    assert tab.locator(".pd-status").inner_text() == LABELS["documents_not_found"], "and it is said"
    search(tab, "harrow")
    tab.select_option("#pd-order", "title")
    wait_for_titles(tab, "Museet i Harrow Vale", "The museum of Harrow Vale")


def test_pages_are_turned(tab: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("routes", "html"):
        monkeypatch.setattr(f"ui.page.documents_{module}.PAGE", 3)
    documents(tab)
    first = titles(tab)
    tab.get_by_role("button", name="Next").click()
    tab.get_by_text("Page 2 of 3", exact=True).first.wait_for()
    second = titles(tab)
    tab.keyboard.press("Enter")  # the button is still where the reader is
    tab.get_by_text("Page 3 of 3", exact=True).first.wait_for()
    assert tab.get_by_role("button", name="Next").is_disabled()
    assert len({*first, *second, *titles(tab)}) == len(page_texts.DOCUMENTS)


# -- reading


def test_a_document_is_read_with_its_passages_marked(tab: Page) -> None:
    documents(tab)
    tab.get_by_role("link", name="The museum of Harrow Vale").click()
    reader = tab.get_by_role("dialog")
    reader.locator(".pd-text").wait_for()
    whole = document_of(tab, "museum.en")
    assert re.search(rf"/\?document={whole['id']}$", tab.url), "it can be sent to others"
    text = reader.locator(".pd-text")
    assert (text.get_attribute("lang"), text.get_attribute("dir")) == ("en", "ltr")
    numbers = reader.locator(".pd-number [aria-hidden]").all_inner_texts()
    assert numbers == [str(at + 1) for at in range(whole["chunks"])]
    shown = " ".join(reader.locator(".pd-passage").all_inner_texts())
    for sentence in whole["text"].splitlines():
        assert sentence in shown
    assert reader.locator(".pd-source").get_attribute("href") == "https://city.example/harrow-vale/museum"
    assert reader.get_by_text(LABELS["documents_kept"]).is_visible()
    reader.get_by_role("link", name="Swedish").click()
    reader.get_by_role("heading", name="Museet i Harrow Vale").wait_for()
    assert reader.locator(".pd-text").get_attribute("lang") == "sv"
    tab.go_back()
    reader.get_by_role("heading", name="The museum of Harrow Vale").wait_for()
    tab.keyboard.press("Escape")
    reader.wait_for(state="hidden")


def test_a_link_opens_the_document_at_the_quoted_words(
    page_server: str, open_tab: Callable[..., Page]
) -> None:
    page = open_tab(**NARROW)
    whole = document_of(page, "library")
    start = whole["text"].index("গ্রন্থাগারটিতে")
    end = whole["text"].index("।", start)
    page.goto(f"{page_server}/?document={whole['id']}&start={start}&end={end}")
    mark = page.locator("mark#pd-quote")
    mark.wait_for()
    assert mark.inner_text() == whole["text"][start:end]
    seen = mark.bounding_box()
    assert seen is not None
    assert 0 < seen["y"] < 700, "in sight"
    assert page.evaluate("document.activeElement.id") == "pd-quote", "a screen reader begins there"
    page.get_by_role("button", name="Close").click()
    page.get_by_role("dialog").wait_for(state="hidden")
    assert page.url == f"{page_server}/"


def test_a_long_text_comes_in_parts_and_says_when_one_does_not(
    open_tab: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.document_html.PART_CHARACTERS", 1_000)
    page = open_tab(watch=False)
    documents(page)
    upload(page, sent("steps.txt", "The steps of Oldcastle.\n\n" + "Each step is of another stone. " * 60))
    page.get_by_role("link", name="steps.txt", exact=True).click()
    more = page.get_by_role("button", name=LABELS["documents_more"])
    text = page.locator(".pd-text")
    more.wait_for()
    before = len(text.inner_text())
    page.route("**/text?part=*", lambda route: route.abort("connectionrefused"))
    more.click()
    wrong = text.get_by_role("alert")
    expect(wrong).to_have_text(LABELS["problem_unreached"])
    page.unroute("**/text?part=*")
    more.click()
    expect(more).to_have_count(0)  # it was the last part
    assert len(text.inner_text()) > before
    expect(wrong).to_have_count(0)
    page.request.delete(f"{page.url.split('?')[0]}v1/documents/{document_of(page, 'steps')['id']}")


def test_a_citation_leads_to_its_words_in_the_document_and_back(tab: Page) -> None:
    tab.fill("#pc-question", page_texts.QUESTIONS["sv"])
    tab.press("#pc-question", "Enter")
    link = tab.get_by_role("link", name=LABELS["chat_open_document"]).first
    link.wait_for()
    quote = tab.locator(".pc-source mark").first.inner_text()
    link.click()
    mark = tab.get_by_role("dialog").locator("mark#pd-quote")
    mark.wait_for()
    assert mark.inner_text() == quote
    tab.go_back()
    tab.get_by_role("dialog").wait_for(state="hidden")
    assert link.is_visible(), "the conversation is as it was"
    assert link.evaluate("link => link === document.activeElement")


@pytest.mark.usefixtures("no_uploads")
def test_hostile_text_is_shown_as_text(tab: Page) -> None:
    documents(tab)
    tab.get_by_role("link", name=HOSTILE_TITLE).wait_for()
    lines = [text for name, text in HOSTILE.items() if name not in ("nul_and_controls", "newlines")]
    upload(tab, sent("harm.txt", "A list of harm is kept in this file.\n\n" + "\n\n".join(lines)))
    tab.get_by_role("link", name="harm.txt", exact=True).click()
    text = tab.get_by_role("dialog").locator(".pd-text")
    text.wait_for()
    shown = text.inner_text()
    for name in ("script", "image_handler", "attribute_break", "markdown_link", "comment", "format_braces"):
        assert HOSTILE[name] in shown
    assert tab.locator(".pd-reader :is(img, svg, script, iframe, object, style)").count() == 0


def test_a_document_that_is_gone_says_so(page_server: str, open_tab: Callable[..., Page]) -> None:
    page = open_tab(path="/?document=0123456789abcdef", watch=False)  # the browser logs the 404
    page.get_by_role("dialog").get_by_text(LABELS["documents_gone"]).wait_for()


# -- for everybody


def violations(page: Page) -> list[str]:
    # It would fetch style sheets a second time, from where they are not.
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [
        f"{each['id']}: {node['target']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.usefixtures("no_uploads")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_scan_finds_nothing_serious(open_tab: Callable[..., Page], scheme: str) -> None:
    page = open_tab(color_scheme=scheme)
    documents(page)
    upload(page, sent("lighthouse.md", LIGHTHOUSE), sent("empty.txt", b""))
    page.get_by_role("link", name="The lighthouse of Morrowick").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Delete “The lighthouse").click()
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("link", name="The lighthouse of Morrowick").click()
    page.locator(".pd-text").wait_for()
    assert violations(page) == []


@pytest.mark.usefixtures("no_uploads")
def test_the_keyboard_is_enough(open_tab: Callable[..., Page]) -> None:
    page = open_tab()
    documents(page)
    upload(page, sent("lighthouse.md", LIGHTHOUSE))
    link = page.get_by_role("link", name="The lighthouse of Morrowick")
    link.wait_for()
    page.locator("#pd-words").focus()
    for _ in range(2):  # past the order
        page.keyboard.press("Tab")
    assert link.evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="The lighthouse of Morrowick").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    assert link.evaluate("link => link === document.activeElement"), "back where the reader was"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Tab")  # from Cancel, which a hasty Enter would press
    page.keyboard.press("Enter")
    page.get_by_text("was deleted").wait_for(state="attached")
    assert "The lighthouse of Morrowick" not in titles(page)
    assert page.evaluate("document.activeElement.className") == "pd-open", "at the next document"


def test_the_tab_follows_the_language_of_the_page(tab: Page) -> None:
    documents(tab)
    search(tab, "harrow")
    tab.locator(".pc-language-select").select_option("vi")
    labels = labels_in("vi")
    tab.get_by_text(labels["documents_drop"]).wait_for()
    assert tab.locator(".pd-table thead th").first.inner_text() == labels["documents_title"]
    assert tab.locator("#pd-words").input_value() == "harrow"
    assert len(titles(tab)) == 2
    assert "thg" in tab.locator(".pd-added time").first.inner_text()


def test_a_phone_shows_it_without_sideways_scrolling(open_tab: Callable[..., Page]) -> None:
    page = open_tab(**NARROW)
    documents(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    brief = page.get_by_role("row", name="Färjan till Björkvik").locator(".pd-brief")
    assert brief.is_visible()
    assert "Swedish" in brief.inner_text()
    page.get_by_role("link", name="Färjan till Björkvik").click()
    reader = page.get_by_role("dialog")
    reader.locator(".pd-text").wait_for()
    assert reader.evaluate("dialog => [dialog.scrollWidth, dialog.clientWidth]") == [375, 375]
