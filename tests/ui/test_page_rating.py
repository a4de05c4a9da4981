"""Ratings of answers in a real browser, and what the evaluation makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import page_texts
from chat_tab import ask, kept

from eval.drafts import from_feedback
from ui.labels import labels_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from rag.settings import RagSettings

ENGLISH = labels_in("en")


def test_a_rating_is_kept_for_the_evaluation(tab: Page, page_settings: RagSettings) -> None:
    turn = ask(tab, page_texts.QUESTIONS["hi"])
    down = turn.get_by_role("button", name=ENGLISH["chat_unhelpful"])
    down.click()
    turn.get_by_label(ENGLISH["chat_reason"]).fill("Nicht ganz: <b>")
    turn.get_by_role("button", name=ENGLISH["chat_reason_send"]).click()
    turn.locator(".pc-reason textarea").wait_for(state="detached")
    assert down.get_attribute("aria-pressed") == "true"
    rows = (page_settings.index.data_dir / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = (json.loads(row) for row in rows[-2:])
    assert (first["rating"], first["reason"]) == ("down", None)
    assert (second["rating"], second["reason"]) == ("down", "Nicht ganz: <b>")
    assert second["question"] == page_texts.QUESTIONS["hi"]
    assert second["answer"]["citations"][0]["language"] == "hi"
    assert second["answer_id"] == kept(tab)[0]["exchanges"][0]["answer"]["id"]
    assert second["from_client"] is False
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    pressed = tab.get_by_role("button", name=ENGLISH["chat_unhelpful"])
    assert pressed.get_attribute("aria-pressed") == "true"


def test_a_rating_after_a_restart_says_what_was_searched(
    tab: Page,
    open_tab: Callable[..., Page],
    page_settings: RagSettings,
    serve_page: Callable[..., AbstractContextManager[str]],
) -> None:
    tab.click(".pc-scope-summary")
    tab.get_by_label("Swedish").check()
    ask(tab, page_texts.QUESTIONS["sv"])
    stored = tab.evaluate("Object.entries(localStorage)")
    # Another process of the same data: it knows the answer as little as one that was started anew.
    with serve_page(page_settings.model_copy(update={"reader_model": "off"})) as address:
        page = open_tab(address=address)
        page.evaluate("(all) => all.forEach(([name, value]) => localStorage.setItem(name, value))", stored)
        page.reload()
        page.wait_for_selector("body[data-ready]")
        page.locator(".pc-pick", has_text=page_texts.QUESTIONS["sv"]).click()
        page.get_by_role("button", name=ENGLISH["chat_helpful"], exact=True).click()
        page.locator(".pc-reason").wait_for()
    line = json.loads(
        (page_settings.index.data_dir / "feedback.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    )
    assert (line["from_client"], line["question"]) == (True, page_texts.QUESTIONS["sv"])
    assert (line["languages"], line["documents"], line["searched_known"]) == (["sv"], None, True)


def test_what_is_only_perhaps_the_answer_is_confirmed_with_one_click(
    tab: Page, page_settings: RagSettings
) -> None:
    sure = ask(tab, page_texts.QUESTIONS["en"])
    assert not sure.get_by_role("button", name=ENGLISH["chat_answers_it"]).count()
    # One of two questions is not answered: of the whole nothing is sure.
    question = f"{page_texts.QUESTIONS['en']} {page_texts.UNANSWERED}"
    turn = ask(tab, question)
    confirm = turn.get_by_role("button", name=ENGLISH["chat_answers_it"])
    confirm.click()
    confirm.wait_for(state="detached")
    assert turn.locator("[data-rating=up]").get_attribute("aria-pressed") == "true"
    draft = from_feedback(page_settings.index.data_dir / "feedback.jsonl")[-1]
    assert draft["question"] == question
    assert page_texts.ANSWERS["en"] in draft["expect"]["any"][0]
    assert draft["source_url"] == "https://city.example/harrow-vale/museum"
