"""The page's frame in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_page_has_two_tabs(tab: Page) -> None:
    names = [each.inner_text() for each in tab.get_by_role("tab").all()]
    assert names == ["Chat", "Documents"]
