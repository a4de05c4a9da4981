"""The documents' tab in a real browser: list, search, read, upload, delete, and who may."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import page_texts
import pytest
from loopback import served
from texts import HOSTILE

from index.lexicon import lexicon
from rag.keys import KeyStore

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FilePayload, Locator, Page

    from index.intake import Intake
    from rag.assistant import Assistant
    from rag.settings import RagSettings

LABELS = lexicon("en").labels
HOSTILE_TITLE = "<img src=x onerror=alert(1)> [Marlow](javascript:alert(2))"
LIGHTHOUSE = (
    "The lighthouse of Morrowick\n\nThe lighthouse of Morrowick was built in 1843 by the engineer Ada Fenwright. "
    "It has 214 steps, and its lamp can be seen from 31 kilometres away."
)
NARROW = {"viewport": {"width": 375, "height": 700}}


def sent(name: str, content: str | bytes) -> FilePayload:
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def documents(page: Page) -> Locator:
    """The tab, opened."""
    page.get_by_role("tab").nth(1).click()
    found = page.locator(".pd-tab")
    found.wait_for()
    return found


def titles(page: Page) -> list[str]:
    return page.locator(".pd-open").all_inner_texts()


def search(page: Page, words: str) -> None:
    with page.expect_response(lambda response: "/chat/documents/list" in response.url):
        page.locator("#pd-words").fill(words)


def upload(page: Page, *files: FilePayload, done: int | None = None) -> dict[str, str]:
    """Choose files, wait for their ends; what each row says, by name."""
    page.set_input_files("#pd-files", files)  # type: ignore[arg-type]
    count = done or len(files)
    page.get_by_text(f"{count} of {count} files done", exact=True).wait_for()
    rows = page.locator(".pd-file")
    return {
        row.locator(".pd-file-name").inner_text(): " ".join(
            [row.locator(".pd-file-state").inner_text(), row.locator(".pd-file-why").inner_text()]
        ).strip()
        for row in rows.all()
    }


def answer_of(page: Page, question: str) -> str:
    answer = page.request.post(f"{page.url}v1/ask", data={"question": question}).json()
    return str(answer["answer"])


@pytest.fixture
def clean(page_parts: tuple[Assistant, Intake]) -> Iterator[None]:
    """Afterwards no uploaded document is left."""
    yield
    assistant, intake = page_parts
    for info in assistant.corpus.documents():
        if info.folder == intake.folder:
            intake.delete(info.id)


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
        tab.get_by_text(f"Found: 1 of {len(found)}", exact=True).first.wait_for()
        assert titles(tab) == expected
    search(tab, "zzzz")
    tab.locator(".pd-nothing").wait_for()
    assert tab.locator(".pd-status").inner_text() == LABELS["documents_not_found"], "and it is said"
    search(tab, "harrow")
    with tab.expect_response(lambda response: "order=title" in response.url):
        tab.select_option("#pd-order", "title")
    tab.locator(".pd-count").wait_for()
    assert titles(tab) == ["Museet i Harrow Vale", "The museum of Harrow Vale"]


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


def document_of(page: Page, path: str) -> dict[str, Any]:
    """The document with a file of this name, as the API returns it."""
    address = f"{page.url.split('?')[0]}v1/documents"
    [listed] = page.request.get(address, params={"query": path}).json()["documents"]
    whole: dict[str, Any] = page.request.get(f"{address}/{listed['id']}").json()
    return whole


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


@pytest.mark.usefixtures("clean")
def test_hostile_text_is_shown_as_text(tab: Page) -> None:
    documents(tab)
    tab.get_by_role("link", name=HOSTILE_TITLE).wait_for()
    lines = [text for name, text in HOSTILE.items() if name not in ("nul_and_controls", "newlines")]
    upload(tab, sent("harm.txt", "A list of harm is kept in this file.\n\n" + "\n\n".join(lines)))
    tab.get_by_role("link", name="A list of harm").click()
    text = tab.get_by_role("dialog").locator(".pd-text")
    text.wait_for()
    shown = text.inner_text()
    for name in ("script", "image_handler", "attribute_break", "markdown_link", "comment", "format_braces"):
        assert HOSTILE[name] in shown
    assert tab.locator(".pd-reader :is(img, svg, script, iframe, object, style)").count() == 0


def test_a_document_that_is_gone_says_so(page_server: str, open_tab: Callable[..., Page]) -> None:
    page = open_tab(path="/?document=0123456789abcdef", watch=False)  # the browser logs the 404
    page.get_by_role("dialog").get_by_text(LABELS["documents_gone"]).wait_for()


# -- uploading and deleting


@pytest.mark.usefixtures("clean")
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
    assert rows["lighthouse.md"].startswith("✓" if "✓" in rows["lighthouse.md"] else "Indexed")
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


@pytest.mark.usefixtures("clean")
def test_dropped_files_outlive_a_reload(open_tab: Callable[..., Page]) -> None:
    page = open_tab(locale="bn-BD")
    labels = lexicon("bn").labels
    documents(page)
    dropped = page.evaluate_handle(
        """() => {
            const all = new DataTransfer();
            all.items.add(new File(["The mill of Oakmere\\n\\nThe mill of Oakmere grinds 90 sacks."], "mill.txt"));
            all.items.add(new File([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0, 0])], "photo.txt"));
            return all;
        }"""
    )
    with page.expect_response(lambda response: response.url.endswith("/v1/documents")):
        page.locator(".pd-drop").dispatch_event("drop", {"dataTransfer": dropped})
    page.reload()
    page.wait_for_selector("body[data-ready]")
    documents(page)
    page.get_by_text(labels["documents_progress"].format(done=2, total=2), exact=True).wait_for()
    rows = page.locator(".pd-file")
    refused = rows.filter(has_text="photo.txt")
    assert labels["documents_reason_unsupported"] in refused.inner_text(), "in the reader's language"
    assert labels["documents_indexed"] in rows.filter(has_text="mill.txt").inner_text()
    page.get_by_role("link", name="The mill of Oakmere").wait_for()


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
    page_parts: tuple[Assistant, Intake],
) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server over the same documents where keys are in force, and a key of each scope."""
    from ui.page import close_streams
    from ui.server import build_app

    assistant, intake = page_parts
    store = KeyStore(tmp_path_factory.mktemp("keys"))
    secrets = {"read": store.add("reader"), "write": store.add("writer", scope="write")}
    app = build_app(assistant, page_settings, keys=store, intake=intake)
    with served(app) as address:
        yield address, secrets
        close_streams(app)


@pytest.mark.parametrize("scope", ["read", "write"])
def test_without_the_write_scope_nothing_can_be_changed(
    keyed: tuple[str, dict[str, str]], browser: Any, page_parts: tuple[Assistant, Intake], scope: str
) -> None:
    address, secrets = keyed
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    try:
        page.goto(address)
        page.get_by_label("API key").fill(secrets[scope])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("body[data-ready]")
        documents(page)
        may = scope == "write"
        assert page.locator("#pd-files").count() == may
        assert page.get_by_text(LABELS["documents_read_only"]).count() == (not may)
        assert page.get_by_role("columnheader", name="Delete").count() == may
        assistant, _ = page_parts
        kept = assistant.corpus.documents(limit=1)[0].id
        # As the page's own scripts could.
        statuses = page.evaluate(
            """async ([id]) => {
                const form = new FormData();
                form.append("files", new File(["words"], "a.txt"));
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
        # Of those who may write: the upload is taken, a shipped document stays.
        assert statuses == ([202, 409, 404] if may else [403, 403, 404])
    finally:
        context.close()


@pytest.mark.parametrize("path", ["upload", "upload?upload_id=1", "upload/", "%75pload"])
def test_the_frameworks_own_upload_takes_nothing(page_server: str, path: str) -> None:
    address = f"{page_server}/gradio_api/{path}"
    response = httpx.post(address, files={"files": ("a.txt", b"x")}, follow_redirects=True)
    assert response.status_code == 404


# -- for everybody


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    # It would fetch style sheets a second time, from where they are not.
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [
        f"{each['id']}: {node['target']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.usefixtures("clean")
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


@pytest.mark.usefixtures("clean")
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
    page.get_by_role("heading", name="The lighthouse of Morrowick").wait_for()
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
    labels = lexicon("vi").labels
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
