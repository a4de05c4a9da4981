"""What tests of the documents' tab do in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Locator, Page

LIGHTHOUSE = (
    "# The lighthouse of Morrowick\n\nThe lighthouse of Morrowick was built in 1843 by the engineer Ada Fenwright. "
    "It has 214 steps, and its lamp can be seen from 31 kilometres away."
)


def documents(page: Page) -> Locator:
    """The tab, opened."""
    page.get_by_role("tab").nth(1).click()
    found = page.locator(".pd-tab")
    found.wait_for()
    return found


def titles(page: Page) -> list[str]:
    """The titles in the list, from the top."""
    return page.locator(".pd-open").all_inner_texts()


def wait_for_titles(page: Page, *wanted: str) -> None:
    """Wait until the list holds these titles, in this order."""
    expect(page.locator(".pd-open")).to_have_text(wanted)


def search(page: Page, words: str) -> None:
    """Look for words; returns when the server has answered, which is before the list is shown."""
    with page.expect_response(lambda response: "/chat/documents/list" in response.url):
        page.locator("#pd-words").fill(words)


def sent(name: str, content: str | bytes) -> FilePayload:
    """A file to be chosen."""
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def upload(page: Page, *files: FilePayload) -> dict[str, str]:
    """Choose files and wait for their ends; what the line of each says, by name."""
    page.set_input_files("#pd-files", files)  # type: ignore[arg-type]
    page.get_by_text(f"{len(files)} of {len(files)} files done", exact=True).wait_for()
    return {
        line.locator(".pd-file-name").inner_text(): " ".join(
            [line.locator(".pd-file-state").inner_text(), line.locator(".pd-file-why").inner_text()]
        ).strip()
        for line in page.locator(".pd-file").all()
    }


def document_of(page: Page, path: str) -> dict[str, Any]:
    """The document with a file of this name, as the API returns it."""
    address = f"{page.url.split('?')[0]}v1/documents"
    [listed] = page.request.get(address, params={"query": path}).json()["documents"]
    whole: dict[str, Any] = page.request.get(f"{address}/{listed['id']}").json()
    return whole


def answer_of(page: Page, question: str) -> str:
    """The answer of the same server."""
    answer = page.request.post(f"{page.url}v1/ask", data={"question": question}).json()
    return str(answer["answer"])
