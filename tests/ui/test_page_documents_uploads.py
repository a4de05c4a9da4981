"""Uploading and deleting in the documents' tab, in a real browser, and who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
from documents_tab import LIGHTHOUSE, answer_of, documents, sent, titles, upload
from playwright.sync_api import expect

from rag.keys import KeyStore
from ui.labels import labels_in

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page

    from index.intake import Intake
    from rag.settings import RagSettings

LABELS = labels_in("en")


# -- uploading and deleting


@pytest.mark.usefixtures("no_uploads")
def test_files_are_uploaded_answer_and_are_deleted(tab: Page) -> None:
    documents(tab)
    name = "<img src=x onerror=alert(5)>.txt"
    rows = upload(
        tab,
        sent("lighthouse.md", LIGHTHOUSE),
        sent("broken.pdf", b"%PDF-1.7\nrubbish"),
        sent(name, "   "),
        sent("again.md", LIGHTHOUSE),
    )
    assert rows["lighthouse.md"] == "Indexed"
    assert rows["broken.pdf"].startswith("Refused The PDF file is damaged; open it")
    assert rows[name].startswith("Refused It is empty")
    assert rows["again.md"].startswith("Already there")
    tab.get_by_role("link", name="The lighthouse of Morrowick").first.wait_for()
    assert "214" in answer_of(tab, "How many steps has the lighthouse of Morrowick?")

    tab.get_by_role("button", name="Delete “The lighthouse of Morrowick”").click()
    sure = tab.get_by_role("dialog")
    assert sure.get_by_text("The lighthouse of Morrowick", exact=True).is_visible(), "it is named"
    sure.get_by_role("button", name="Cancel").click()
    assert "The lighthouse of Morrowick" in titles(tab)
    tab.get_by_role("button", name="Delete “The lighthouse of Morrowick”").click()
    sure.get_by_role("button", name="Delete").click()
    tab.get_by_text("“The lighthouse of Morrowick” was deleted.").wait_for(state="attached")
    assert "The lighthouse of Morrowick" not in titles(tab)
    assert "214" not in answer_of(tab, "How many steps has the lighthouse of Morrowick?")
    tab.get_by_role("button", name="Clear finished").click()
    assert tab.locator(".pd-uploads").is_hidden()


@pytest.mark.usefixtures("no_uploads")
def test_dropped_files_outlive_a_reload(open_tab: Callable[..., Page]) -> None:
    page = open_tab(locale="bn-BD")
    labels = labels_in("bn")
    documents(page)
    dropped = page.evaluate_handle(
        """() => {
            const all = new DataTransfer();
            all.items.add(new File(["The mill of Oakmere\\n\\nThe mill of Oakmere grinds 90 sacks."], "mill.txt"));
            all.items.add(new File([new Uint8Array([71, 73, 70, 56, 57, 97, 0, 0])], "photo.txt"));
            return all;
        }"""
    )
    with page.expect_response(lambda response: response.url.endswith("/v1/documents")):
        page.locator(".pd-drop").dispatch_event("drop", {"dataTransfer": dropped})
    # A function: a bare expression is evaluated anew at each look, which the page's own policy forbids.
    page.wait_for_function("() => (sessionStorage.getItem('polycite.uploads') ?? '').includes('\"job\"')")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    documents(page)
    page.get_by_text(labels["documents_progress"].format(done=2, total=2), exact=True).wait_for()
    rows = page.locator(".pd-file")
    refused = rows.filter(has_text="photo.txt")
    assert labels["documents_reason_unsupported"] in refused.inner_text(), "in the reader's language"
    assert labels["documents_indexed"] in rows.filter(has_text="mill.txt").inner_text()
    page.get_by_role("link", name="The mill of Oakmere").wait_for()


@pytest.mark.usefixtures("no_uploads")
def test_what_waits_and_what_is_being_read_is_cancelled(open_tab: Callable[..., Page]) -> None:
    page = open_tab(locale="sv-SE")
    labels = labels_in("sv")
    before = titles_there(page)
    long = "\n\n".join(f"The mill number {n} grinds {n + 7} sacks of rye a week." for n in range(6000))
    names = ["long.txt", "one.txt", "two.txt", "three.txt"]
    page.set_input_files(
        "#pd-files", [sent(name, long if name == "long.txt" else f"The {name} of Oakmere.") for name in names]
    )
    rows = {name: page.locator(".pd-file").filter(has_text=name) for name in names}
    expect(rows["long.txt"].locator(".pd-file-state")).to_have_text(labels["documents_reading"])
    page.get_by_role("button", name=labels["documents_cancel_upload"].format(name="two.txt")).click()
    expect(rows["two.txt"].locator(".pd-file-state")).to_have_text(labels["documents_cancelled"])
    expect(rows["one.txt"].locator(".pd-file-state")).to_have_text(labels["documents_waiting"])
    page.get_by_role("button", name=labels["documents_cancel_all"]).click()
    for row in rows.values():
        expect(row.locator(".pd-file-state")).to_have_text(labels["documents_cancelled"])
    expect(page.locator(".pd-done")).to_have_text(labels["documents_progress"].format(done=4, total=4))
    assert page.locator(".pd-stop").is_hidden()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert titles_there(page) == before
    expect(page.locator(".pd-file").filter(has_text="two.txt")).to_contain_text(labels["documents_cancelled"])
    page.get_by_role("button", name=labels["documents_clear"]).click()
    page.set_input_files("#pd-files", [sent("after.txt", "The brewery of Oakmere is old.")])
    expect(page.locator(".pd-file-state")).to_have_text(labels["documents_indexed"])


def titles_there(page: Page) -> list[str]:
    documents(page)
    return titles(page)


def test_a_file_over_the_limit_is_not_sent(tab: Page, tmp_path: Path) -> None:
    big = tmp_path / "big.txt"
    with big.open("wb") as file:
        file.truncate(50_000_001)
    documents(tab)
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.method))
    tab.set_input_files("#pd-files", str(big))
    tab.get_by_text("It is larger than the 50 MB allowed.").first.wait_for()
    assert "POST" not in requests


# -- who may


@pytest.fixture(scope="module")
def keyed(
    tmp_path_factory: pytest.TempPathFactory,
    page_settings: RagSettings,
    page_intake: Intake,
    serve_page: Callable[..., AbstractContextManager[str]],
) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server over the same documents where keys are in force, and a key of each scope."""
    store = KeyStore(tmp_path_factory.mktemp("keys"))
    secrets = {"read": store.add("reader"), "write": store.add("writer", scope="write")}
    with serve_page(page_settings, keys=store, intake=page_intake) as address:
        yield address, secrets


@pytest.mark.parametrize("scope", ["read", "write"])
def test_without_the_write_scope_nothing_can_be_changed(
    keyed: tuple[str, dict[str, str]], open_tab: Callable[..., Page], scope: str
) -> None:
    address, secrets = keyed
    page = open_tab(address=address, watch=False, ready="#key")
    page.get_by_label("API key").fill(secrets[scope])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("body[data-ready]")
    documents(page)
    may = scope == "write"
    assert page.locator("#pd-files").count() == may
    assert page.get_by_text(LABELS["documents_read_only"]).count() == (not may)
    assert page.get_by_role("columnheader", name="Delete").count() == may
    kept = page.request.get(f"{address}/v1/documents?limit=1").json()["documents"][0]["id"]
    # As the page's own scripts could.
    statuses = page.evaluate(
        """async ([id]) => {
            const form = new FormData();
            form.append("files", new File([], "a.txt"));
            const wanted = [
                ["/v1/documents", {method: "POST", body: form}],
                [`/v1/documents/${id}`, {method: "DELETE"}],
                ["/gradio_api/upload", {method: "POST", body: form}],
            ];
            const statuses = [];
            for (const [path, options] of wanted) {
                statuses.push((await fetch(path, options)).status);
            }
            return statuses;
        }""",
        [kept],
    )
    # Of those who may write: the upload is taken (it is empty and becomes nothing), a shipped document stays.
    assert statuses == ([202, 409, 404] if may else [403, 403, 404])


@pytest.mark.parametrize("path", ["upload", "upload?upload_id=1", "upload/", "%75pload"])
def test_the_frameworks_own_upload_takes_nothing(page_server: str, path: str) -> None:
    address = f"{page_server}/gradio_api/{path}"
    response = httpx.post(address, files={"files": ("a.txt", b"x")}, follow_redirects=True, timeout=60)
    assert response.status_code == 404
