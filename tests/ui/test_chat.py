"""The page as a client without a browser gets it: no other machine, nothing for scripts of others, behind the guard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from shown_html import Shown

from rag.api.page_language import page_language
from rag.asking import Ask
from rag.notices import notices_in
from ui.page.examples import example_questions
from ui.server import build_app

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.settings import RagSettings

HERE = "http://127.0.0.1:8000"
QUESTION = "How many open data sets has the city of Can Tho published?"

# -- the empty page


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("bn-BD,bn;q=0.9,en;q=0.8", "bn"),
        ("de-DE,sv;q=0.5", "sv"),
        ("VI", "vi"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
        (";;,,x", "en"),
    ],
)
def test_the_language_of_the_page(accepted: str | None, expected: str) -> None:
    assert page_language(accepted) == expected


def test_the_examples_come_from_the_documents(assistant: Assistant) -> None:
    examples = example_questions(assistant.corpus)
    documents = assistant.corpus.documents()
    assert 0 < len(examples) <= 5
    for text, shown, language in examples:
        [info] = [
            info
            for info in documents
            if text == notices_in(info.language)["example"].format(title=info.title)
        ]
        assert info.language in {citation.language for citation in assistant.answer(Ask(text)).citations}
        assert len(shown) <= len(text)
        assert language == info.language
    assert len({text for text, _, _ in examples}) == len(examples)


# -- the page


@pytest.fixture(scope="module")
def client(assistant: Assistant, seed_settings: RagSettings) -> Iterator[TestClient]:
    with TestClient(build_app(assistant, seed_settings), base_url=HERE) as opened:
        yield opened


class References(HTMLParser):
    """The addresses that a browser fetches for a page by itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.found += re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        names = {
            "script": "src",
            "link": "href",
            "img": "src",
            "iframe": "src",
            "source": "src",
            "base": "href",
        }
        if values.get(names.get(tag, "")):
            self.found.append(str(values[names[tag]]))


def test_the_page_refers_to_no_other_machine(client: TestClient) -> None:
    page = client.get("/").text
    names = ("page.css", "chat.css", "documents.css")
    sheets = [client.get(path).text for path in ("/theme.css", *(f"/chat/static/{name}" for name in names))]
    references = References(page).found
    assert references, "the page has scripts and styles"
    for found in [*references, *(each for sheet in sheets for each in References(sheet).found)]:
        assert re.match(r"(https?:)?//", found) is None or found.startswith(HERE), found
    # What is left names other sites only for programs that make previews of links; no browser fetches it.
    elsewhere = re.sub(r"<meta[^>]*>", "", page.replace(HERE, ""))
    assert not re.findall(r"https?://[^\s\"'<]+", elsewhere)


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("static/page.js", "javascript", "no-cache"),
        ("static/chat.css", "text/css", "no-cache"),
        ("fonts/noto-sans-bengali-400.woff2", "woff2", "max-age=604800"),
    ],
)
def test_the_pages_files_are_served(client: TestClient, path: str, kind: str, cache: str) -> None:
    response = client.get(f"/chat/{path}")
    assert kind in response.headers["content-type"]
    assert response.headers["cache-control"] == cache
    again = client.get(f"/chat/{path}", headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, cache)


def test_turns_of_another_shape_are_none(client: TestClient, assistant: Assistant) -> None:
    said = assistant.answer(Ask(QUESTION)).to_dict()
    kept = [
        {"answer": said, "day": "2026-01-02"},
        {"answer": {**said, "citations": "none"}},
        {"answer": {**said, "citations": [{**said["citations"][0], "marker": 0}]}},
        {"answer": {}},
        {"answer": None},
    ]
    shown = client.post("/chat/turns", json={"turns": kept}).json()
    assert [text is not None for text in shown] == [True, False, False, False, False]
    assert said["citations"][0]["quote"] in Shown(shown[0]).text
    assert client.post("/chat/turns", json={"turns": [{"html": "<b>"}]}).status_code == 422


def test_a_forged_quote_is_not_put_into_a_passage(client: TestClient, assistant: Assistant) -> None:
    said = assistant.answer(Ask(QUESTION)).to_dict()
    forged = {**said, "citations": [{**said["citations"][0], "quote": "Never said."}]}
    [shown] = client.post("/chat/turns", json={"turns": [{"answer": forged}]}).json()
    source = shown[shown.index("pc-passage") :]
    assert re.search(r'pc-passage"[^>]*><mark>Never said&#46;</mark></blockquote>', source)


def test_the_page_and_the_api_live_together(client: TestClient) -> None:
    assert client.get("/").headers["content-type"].startswith("text/html")
    assert client.get("/v1/documents").json()["total"] > 0
    unknown = client.get("/v1/nothing")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    wrong = client.get("/v1/ask")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert "gradio" not in client.get("/openapi.json").text.lower()


def test_the_page_is_behind_the_guard(client: TestClient) -> None:
    assert client.get("/", headers={"host": "rebound.example"}).status_code == 421
    assert client.get("/config", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get("/").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("HEAD", "/gradio_api/file=0.0"),
        ("GET", "/gradio_api/file=pyproject.toml"),
        ("GET", "/gradio_api/file/0.0"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1/"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/upload_progress"),
        ("POST", "/gradio_api/process_recording"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/gradio_api/dev/reload"),
        ("POST", "/gradio_api/call/v2/relabel"),
        ("OPTIONS", "/gradio_api/upload"),
    ],
)
def test_doors_that_nothing_needs_are_closed(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_the_page_offers_no_second_api(client: TestClient) -> None:
    assert client.get("/gradio_api/info").json() == {"named_endpoints": {}, "unnamed_endpoints": {}}
    assert client.get("/monitoring").status_code == 403
