"""The chat in a real browser: asking, sources, stopping, keeping, rating, languages."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import page_texts
import pytest
from chat_tab import ask, kept
from misbehaving_server import ModelServer, Script, good

from index.language.lexicon import languages
from rag.keys import KeyStore
from rag.notices import notices_in
from ui.labels import labels_in
from ui.names import language_name

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from rag.settings import RagSettings

ENGLISH = labels_in("en")


# -- asking


@pytest.mark.parametrize("language", languages())
def test_a_question_in_each_language_is_answered_from_its_source(tab: Page, language: str) -> None:
    turn = ask(tab, page_texts.QUESTIONS[language])
    assert page_texts.ANSWERS[language] in turn.locator("mark").first.inner_text()
    source = turn.locator(".pc-source").first
    assert source.locator(".pc-language").inner_text() == language_name(language, shown_in="en")
    passage = source.locator(".pc-passage")
    assert (passage.get_attribute("lang"), passage.get_attribute("dir")) == (language, "ltr")
    assert turn.locator(".pc-grounding").inner_text() == ENGLISH["chat_verified"]
    assert bool(source.locator(".pc-translate").count()) == (language != "en")


def test_a_marker_leads_to_its_source_and_the_source_further(open_tab: Callable[..., Page]) -> None:
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    turn = ask(tab, page_texts.QUESTIONS["en"])
    turn.locator(".pc-marker").first.press("Enter")
    source = turn.locator(".pc-source.pc-lit")
    assert source.evaluate("each => each === document.activeElement")
    assert source.locator(".pc-page").get_attribute("href") == "https://city.example/harrow-vale/museum"
    words = str(source.locator(".pc-words").get_attribute("href"))
    assert words.startswith("https://city.example/harrow-vale/museum#:~:text=The%20museum")
    version = source.locator(".pc-also a")
    assert version.inner_text() == "Swedish"
    assert re.fullmatch(r"/\?document=[0-9a-f]+", str(version.get_attribute("href")))
    assert re.fullmatch(
        r"/\?document=[0-9a-f]+&start=\d+&end=\d+", str(source.locator(".pc-open").get_attribute("href"))
    )
    turn.locator(".pc-copy").click()
    tab.get_by_text(ENGLISH["chat_copied"]).wait_for()
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(
        "The museum of Harrow Vale. museum.en.md. https://city.example/harrow-vale/museum. “"
    )
    assert "8,150" in copied


def test_a_follow_up_knows_the_conversation(tab: Page) -> None:
    ask(tab, page_texts.QUESTIONS["en"])
    turn = ask(tab, "And on which day is it closed?")
    assert turn.locator(".pc-understood").count() == 1
    assert "Mondays" in turn.locator("mark").first.inner_text()
    top = turn.bounding_box()
    assert top is not None
    assert top["y"] < 200, "a new answer is read from its question on"


def test_a_refusal_says_so_and_why(tab: Page) -> None:
    turn = ask(tab, page_texts.UNANSWERED)
    assert turn.locator(".pc-verdict").inner_text() == ENGLISH["chat_none_found"]
    assert turn.locator(".pc-heading").inner_text() == notices_in("en")["nearest"].rstrip(":")
    assert turn.locator(".pc-marker, .pc-grounding").count() == 0


def test_only_what_is_chosen_is_searched(tab: Page) -> None:
    tab.click(".pc-scope-summary")
    tab.get_by_label("Hindi").check()
    turn = ask(tab, page_texts.QUESTIONS["sv"])
    assert "Hindi" in tab.locator(".pc-scope-summary").inner_text()
    assert {each.inner_text() for each in turn.locator(".pc-language").all()} <= {"Hindi"}
    assert ENGLISH["chat_why_scope"] in turn.inner_text()
    tab.click(".pc-scope-summary")
    tab.get_by_role("button", name=ENGLISH["chat_reset_choice"]).click()
    tab.get_by_label(ENGLISH["chat_find_document"]).fill("färjan")
    tab.get_by_label("Färjan till Björkvik").check()
    turn = ask(tab, page_texts.QUESTIONS["sv"])
    assert "320" in turn.locator("mark").first.inner_text()
    assert kept(tab)[0]["exchanges"][1]["asked"]["documents"][0]["title"] == "Färjan till Björkvik"


def test_a_hostile_document_is_shown_as_text(tab: Page) -> None:
    tab.on("dialog", lambda dialog: pytest.fail(f"a script of the document ran: {dialog.message}"))
    turn = ask(tab, page_texts.HOSTILE_QUESTION)
    text = turn.locator(".pc-source").first.inner_text()
    for words in (
        "<img src=x onerror=alert(1)>",
        "[Marlow](javascript:alert(2))",
        "<script>alert(3)</script>",
    ):
        assert words in text
    assert turn.locator("img, script, svg:not(.pc-icon), [onerror], [onload]").count() == 0
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    assert "<script>alert(3)</script>" in tab.locator(".pc-source").first.inner_text()


def test_what_is_no_question_is_not_asked(tab: Page) -> None:
    for text in ("", "  ", "?!"):
        tab.fill("#pc-question", text)
        tab.press("#pc-question", "Enter")
        assert tab.locator(".pc-exchange").count() == 0
        assert tab.input_value("#pc-question") == text


# -- keeping


def test_a_reload_keeps_the_conversation_and_its_sources(tab: Page) -> None:
    before = ask(tab, page_texts.QUESTIONS["vi"]).locator(".pc-turn").inner_text()
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    turn = tab.locator(".pc-exchange")
    assert turn.count() == 1
    assert turn.locator(".pc-turn").inner_text() == before
    assert ask(tab, "How many lanes?").locator(".pc-answer").count() == 1, "and it goes on"


def test_conversations_are_listed_renamed_and_deleted(tab: Page) -> None:
    ask(tab, page_texts.QUESTIONS["en"])
    tab.get_by_role("button", name=ENGLISH["fresh"]).click()
    ask(tab, page_texts.QUESTIONS["sv"])
    picks = tab.locator(".pc-pick")
    assert picks.all_inner_texts() == [page_texts.QUESTIONS["sv"], page_texts.QUESTIONS["en"]]
    tab.get_by_role("button", name=ENGLISH["chat_rename"]).click()
    tab.keyboard.type("Boats <b>&")
    tab.keyboard.press("Enter")
    tab.locator(".pc-pick", has_text="Boats <b>&").wait_for()
    picks.nth(1).click()
    tab.locator(".pc-question", has_text=page_texts.QUESTIONS["en"]).wait_for()
    tab.get_by_role("button", name=ENGLISH["chat_delete"], exact=True).click()
    tab.get_by_role("dialog").get_by_role("button", name=ENGLISH["chat_cancel"]).click()
    assert picks.count() == 2
    tab.get_by_role("button", name=ENGLISH["chat_delete"], exact=True).click()
    tab.get_by_role("dialog").get_by_role("button", name=ENGLISH["chat_delete"]).click()
    tab.locator(".pc-welcome").wait_for()
    assert picks.all_inner_texts() == ["Boats <b>&"]
    assert len(kept(tab)) == 1


def test_an_edited_question_is_asked_anew_and_an_earlier_one_apart(tab: Page) -> None:
    ask(tab, page_texts.QUESTIONS["en"])
    ask(tab, page_texts.QUESTIONS["sv"])
    turns = tab.locator(".pc-exchange")
    turns.nth(1).get_by_role("button", name=ENGLISH["chat_edit"]).click()
    tab.locator(".pc-editing textarea").fill(page_texts.QUESTIONS["hi"])
    tab.keyboard.press("Enter")
    tab.locator(".pc-exchange:nth-child(2) .pc-tools").wait_for()
    assert "48" in turns.nth(1).locator("mark").first.inner_text()
    turns.nth(0).get_by_role("button", name=ENGLISH["chat_edit"]).click()
    tab.locator(".pc-editing textarea").fill(page_texts.QUESTIONS["bn"])
    tab.keyboard.press("Enter")
    tab.locator(".pc-exchange:only-child .pc-question", has_text=page_texts.QUESTIONS["bn"]).wait_for()
    tab.locator(".pc-exchange .pc-tools").wait_for()
    found = sorted(len(each["exchanges"]) for each in kept(tab))
    assert found == [1, 2], "the conversation before is still there"


def test_an_export_is_markdown_with_its_citations(tab: Page) -> None:
    ask(tab, page_texts.QUESTIONS["en"])
    ask(tab, page_texts.HOSTILE_QUESTION)
    with tab.expect_download() as download:
        tab.get_by_role("button", name=ENGLISH["chat_export"]).click()
    assert download.value.suggested_filename.endswith(".md")
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith(f"# {page_texts.QUESTIONS['en']}\n")
    assert f"\n## {page_texts.QUESTIONS['en']}\n" in text
    line = next(
        line for line in text.splitlines() if line.startswith("1. **The museum of Harrow Vale** (English)")
    )
    assert "museum.en.md" in line
    assert line.endswith(" <https://city.example/harrow-vale/museum>")
    assert "> The museum of Harrow Vale had 8,150 visitors last year." in text
    assert "<script>" not in text.replace(r"\<script>", "")
    assert "](javascript:" not in text.replace(r"\](javascript:", "")


BROKEN = {
    "no JSON": "{",
    "no conversation": '{"exchanges": 5}',
    "an answer of another shape": '{"exchanges": [{"question": "q", "answer": {"id": "1", "answer": "a"}}]}',
    "HTML for an answer": '{"exchanges": [{"question": "q", "answer": "<img src=x onerror=alert(1)>"}]}',
    "a turn of another shape": '{"exchanges": [null, 7, [], {"question": {}}]}',
}


def test_what_was_kept_and_is_broken_is_left_out_with_a_word(tab: Page) -> None:
    tab.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    for number, (name, value) in enumerate(BROKEN.items()):
        found = f"00000000-0000-4000-8000-00000000000{number}"
        tab.evaluate(
            """([id, title, value]) => {
                localStorage.setItem(`polycite:1:local:m:${id}`, JSON.stringify({title, at: 1, turns: 1}));
                localStorage.setItem(`polycite:1:local:c:${id}`, value);
            }""",
            [found, f"<b>{name}</b>", value],
        )
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    for name in BROKEN:
        tab.locator(".pc-pick", has_text=f"<b>{name}</b>").click()
        tab.locator(".pc-toast").last.wait_for()
        assert tab.locator(".pc-exchange").count() == 0
        tab.evaluate("document.querySelectorAll('.pc-toast').forEach(each => each.remove())")
    assert ask(tab, page_texts.QUESTIONS["sv"]).locator("mark").count() >= 1


# -- a language model that writes slowly


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def model_page(
    page_settings: RagSettings, serve_page: Callable[..., AbstractContextManager[str]], model: ModelServer
) -> Iterator[str]:
    """The address of a server whose answers a language model writes."""
    changes = {"llm_base_url": model.url, "llm_model": "served", "reader_model": "off"}
    with serve_page(page_settings.model_copy(update=changes)) as address:
        yield address


def test_a_stream_is_stopped_and_asked_again(
    open_tab: Callable[..., Page], model: ModelServer, model_page: str
) -> None:
    tab = open_tab(address=model_page)
    model.disconnected.clear()
    gate = threading.Event()  # never set: the model writes one piece and waits
    model.behave(Script("good", ("The museum had ", "8,150 visitors [1]."), gate=gate))
    tab.fill("#pc-question", page_texts.QUESTIONS["en"])
    tab.keyboard.press("Enter")
    tab.get_by_text("The museum had").wait_for()
    assert tab.locator(".pc-go").inner_text() == ENGLISH["chat_stop"]
    tab.keyboard.press("Escape")
    tab.locator(".pc-notice", has_text=ENGLISH["chat_stopped"]).wait_for()
    assert "The museum had" in tab.locator(".pc-partial").inner_text()
    assert model.disconnected.wait(60), "the model's server is told"
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    assert "The museum had" in tab.locator(".pc-partial").inner_text()
    model.behave(good("The museum of Harrow Vale had 8,150 visitors last year [1]."))
    tab.get_by_role("button", name=ENGLISH["chat_retry"]).click()
    tab.locator(".pc-turn .pc-sources").wait_for()
    assert tab.locator(".pc-exchange").count() == 1
    assert "served" in tab.locator(".pc-how").inner_text()


def test_the_engine_can_be_chosen(open_tab: Callable[..., Page], model: ModelServer, model_page: str) -> None:
    tab = open_tab(address=model_page)
    model.behave(good("It says so [1]."))
    asked = len(model.requests)
    tab.click(".pc-scope-summary")
    tab.get_by_label(ENGLISH["chat_engine"], exact=True).select_option("extractive")
    turn = ask(tab, page_texts.QUESTIONS["sv"])
    assert turn.locator(".pc-how").inner_text().startswith(ENGLISH["chat_quoted_only"])
    assert len(model.requests) == asked


# -- languages, users


def test_the_page_speaks_the_browsers_language_in_the_servers_own_fonts_and_the_one_chosen(
    open_tab: Callable[..., Page],
) -> None:
    tab = open_tab(locale="bn-BD")
    assert tab.evaluate("document.documentElement.lang") == "bn"
    bengali = labels_in("bn")
    assert tab.get_by_role("tab", name=bengali["tab_documents"]).count() == 1
    assert tab.get_attribute("#pc-question", "placeholder") == bengali["placeholder"]
    ask(tab, page_texts.QUESTIONS["bn"])
    loaded = tab.evaluate(
        """document.fonts.ready.then(
            (all) => [...all].filter((each) => each.status === "loaded").map((each) => each.unicodeRange)
        )"""
    )
    assert any("U+980-9FE" in each for each in loaded)
    assert any("U+900-950" in each for each in loaded), "the name of a language in the page's switch"
    tab.get_by_label(bengali["chat_page_language"]).select_option("vi")
    vietnamese = labels_in("vi")
    tab.get_by_role("tab", name=vietnamese["tab_documents"]).wait_for()
    tab.locator(".pc-grounding", has_text=vietnamese["chat_verified"]).wait_for()
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    assert tab.evaluate("document.documentElement.lang") == "vi"
    assert tab.get_by_role("tab", name=vietnamese["tab_documents"]).count() == 1


def test_who_is_signed_in_sees_only_what_is_theirs(
    open_tab: Callable[..., Page],
    page_settings: RagSettings,
    serve_page: Callable[..., AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    keys = KeyStore(tmp_path)
    secrets = {name: keys.add(name) for name in ("Asha", "Binh")}
    settings = page_settings.model_copy(update={"reader_model": "off"})
    with serve_page(settings, keys=keys) as address:
        tab = open_tab(address=address, watch=False, ready="#key")

        def sign_in(name: str) -> None:
            tab.fill("#key", secrets[name])
            tab.keyboard.press("Enter")
            tab.wait_for_selector("body[data-ready]")
            assert tab.locator(".pc-user-name").inner_text() == name

        def sign_out() -> None:
            tab.get_by_role("button", name=ENGLISH["sign_out"]).click()
            tab.wait_for_selector("#key")

        sign_in("Asha")
        ask(tab, page_texts.QUESTIONS["en"])
        assert tab.locator(".pc-pick").count() == 1
        sign_out()
        sign_in("Binh")
        assert (tab.locator(".pc-pick").count(), tab.locator(".pc-welcome").count()) == (0, 1)
        sign_out()
        sign_in("Asha")
        tab.locator(".pc-question", has_text=page_texts.QUESTIONS["en"]).wait_for()
        keys.revoke("Asha")
        turn = ask(tab, page_texts.QUESTIONS["sv"])
        assert ENGLISH["chat_session_over"] in turn.inner_text()
        tab.locator(".pc-toast").get_by_role("link", name=ENGLISH["sign_in"]).click()
        tab.wait_for_selector("#key")
        sign_in("Binh")
        vietnamese = labels_in("vi")
        tab.get_by_label(ENGLISH["chat_page_language"]).select_option("vi")
        tab.get_by_role("button", name=vietnamese["sign_out"]).click()
        tab.wait_for_selector("#key")
        assert tab.get_by_role("button").inner_text() == vietnamese["sign_in"], "in the language chosen there"
