"""What did not work, in a real browser: a sentence in the reader's language, the server's English behind "details"."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import page_texts
import pytest
from chat_tab import ask
from documents_tab import documents, sent
from playwright.sync_api import expect

from index.language.lexicon import languages
from rag.api.problems import MEDIA_TYPE, NAMES
from ui.labels import labels_in

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from rag.settings import RagSettings

ENGLISH = labels_in("en")
# Of OpenAI's format, of answers that are sent without themselves, and of statuses that nothing here gives.
NOT_MET = {"model-not-found", "answer-unknown", "http"}
DETAIL = "the disk is full: free some space"


def refused(status: int, name: str) -> Callable[[Route], None]:
    """What answers a request with a problem."""
    body = {"type": f"urn:polycite:problem:{name}", "title": "T", "status": status, "detail": DETAIL}

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type=MEDIA_TYPE, body=json.dumps(body))

    return answer


def put(page: Page, question: str) -> None:
    page.fill("#pc-question", question)
    page.press("#pc-question", "Enter")


def test_every_kind_of_problem_has_its_sentence(tab: Page) -> None:
    documents(tab)
    unsaid = tab.evaluate(
        """async (names) => {
            const {Refused, labelOf} = await import("/chat/static/problems.js");
            const labels = JSON.parse(document.querySelector(".pd-tab").dataset.labels);
            const problem = (name) => new Refused({status: 400, problem: {type: `urn:polycite:problem:${name}`}});
            return names.filter((name) => !labelOf(problem(name), labels));
        }""",
        sorted(NAMES),
    )
    assert set(unsaid) == NOT_MET


@pytest.mark.parametrize("language", languages())
def test_a_question_that_fails_is_said_in_the_readers_language(
    open_tab: Callable[..., Page], language: str
) -> None:
    page = open_tab(locale=language, watch=False)
    labels = labels_in(language)
    page.route("**/v1/ask", refused(500, "work"))
    put(page, page_texts.QUESTIONS["sv"])
    note = page.locator(".pc-notice")
    expect(note.locator("p")).to_have_text(f"{labels['problem_work']} {labels['chat_question_kept']}")
    assert page.input_value("#pc-question") == page_texts.QUESTIONS["sv"]
    words = note.get_by_text(DETAIL)
    assert not words.is_visible()
    note.get_by_text(labels["problem_details"]).click()
    assert words.is_visible()
    assert words.get_attribute("lang") == "en"


def test_what_has_no_sentence_brings_the_servers_words(open_tab: Callable[..., Page]) -> None:
    page = open_tab(locale="bn-BD", watch=False)
    labels = labels_in("bn")
    put(page, page_texts.QUESTIONS["sv"])
    page.route("**/v1/feedback", refused(418, "of-tomorrow"))
    page.get_by_role("button", name=labels["chat_helpful"], exact=True).click()
    toast = page.locator(".pc-toast")
    expect(toast.locator("> span")).to_have_text(labels["problem_unknown"])
    toast.get_by_text(labels["problem_details"]).click()
    assert toast.get_by_text(DETAIL).is_visible()


def test_too_many_requests_and_when_to_come_back(
    open_tab: Callable[..., Page],
    page_settings: RagSettings,
    serve_page: Callable[..., AbstractContextManager[str]],
) -> None:
    settings = page_settings.model_copy(update={"rate_limit": "1/hour", "reader_model": "off"})
    with serve_page(settings) as address:
        page = open_tab(address=address, locale="vi-VN", watch=False)
        labels = labels_in("vi")
        put(page, page_texts.QUESTIONS["sv"])
        page.locator(".pc-exchange .pc-tools").wait_for()
        put(page, page_texts.QUESTIONS["vi"])
        said = page.locator(".pc-notice p")
        before, after = labels["problem_rate_limited"].split("{seconds}")
        expect(said).to_contain_text(before)
        seconds = said.inner_text().removeprefix(before).split(after)[0]
        assert 3000 < int(seconds) <= 3600
        # What looks for documents to choose from is told too, in place of an empty list.
        page.locator(".pc-scope-summary").click()
        page.get_by_label(labels["chat_find_document"]).fill("bridge")
        page.locator(".pc-found [role=alert]", has_text=before).wait_for()


def test_a_question_that_is_too_long_is_kept_and_not_sent(open_tab: Callable[..., Page]) -> None:
    page = open_tab(locale="hi-IN")
    long = "नमस्ते " * 2000
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate("(text) => { document.querySelector('#pc-question').value = text; }", long)
    page.press("#pc-question", "Enter")
    most = page.evaluate("fetch('/chat/start').then((it) => it.json()).then((it) => it.questionCharacters)")
    said = labels_in("hi")["chat_too_long"].format(count=len(long.strip()), most=most)
    expect(page.locator(".pc-toast")).to_have_text(said)
    assert page.input_value("#pc-question") == long
    assert page.locator(".pc-exchange").count() == 0
    assert not [url for url in requests if url.endswith("/v1/ask")]


def test_the_documents_tab_says_it_too(open_tab: Callable[..., Page]) -> None:
    page = open_tab(locale="sv-SE", watch=False)
    labels = labels_in("sv")
    documents(page)
    page.route("**/chat/documents/list?*", refused(503, "index-unreachable"))
    page.fill("#pd-words", "museum")
    wrong = page.locator(".pd-list > .pd-wrong")
    expect(wrong).to_contain_text(labels["problem_index_unreachable"])
    assert not wrong.get_by_text(DETAIL).is_visible()
    page.route("**/v1/documents", refused(503, "uploads-off"))
    page.set_input_files("#pd-files", [sent("mill.txt", "The mill of Oakmere.")])
    row = page.locator(".pd-file")
    expect(row.locator(".pd-file-why")).to_contain_text(labels["documents_off"])
    assert not row.get_by_text(DETAIL).is_visible()


def test_a_server_that_is_gone_loses_no_question(open_tab: Callable[..., Page]) -> None:
    tab = open_tab(watch=False)
    tab.context.set_offline(True)
    turn = ask(tab, page_texts.QUESTIONS["sv"])
    assert ENGLISH["problem_unreached"] in turn.inner_text()
    assert tab.input_value("#pc-question") == page_texts.QUESTIONS["sv"]
    tab.context.set_offline(False)
    turn.get_by_role("button", name=ENGLISH["chat_retry"]).click()
    tab.locator(".pc-exchange mark").first.wait_for()


def test_a_full_storage_is_said_and_asking_goes_on(tab: Page) -> None:
    tab.evaluate(
        """() => {
            for (let size = 4_000_000; size > 10; size = Math.floor(size / 2))
                for (;;)
                    try { localStorage.setItem(`other${size}-${Math.random()}`, "x".repeat(size)); }
                    catch { break; }
        }"""
    )
    turn = ask(tab, page_texts.QUESTIONS["sv"])
    assert turn.locator("mark").count() >= 1
    assert tab.locator(".pc-toast", has_text=ENGLISH["chat_storage_full"]).count() >= 1
