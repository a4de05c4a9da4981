"""A document and the list of documents as HTML: every text stays text, and the whole of it is there."""

from __future__ import annotations

import html as markup
import itertools
import re
import string
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT, by_id

from index.catalogue import DocumentInfo
from index.errors import SkipReason
from index.language.lexicon import languages
from index.types import Chunk, Document, Span, span_id
from ui import document_html as shown
from ui.answer_html import plain
from ui.document_html import DocumentView, document_html, document_url, part_html, part_starts, source_html
from ui.labels import labels_in
from ui.page import documents_html
from ui.page.documents_html import DocumentList, Limits, list_html, tab_html

TAGS = {
    "a", "article", "bdi", "button", "caption", "data", "dd", "div", "dl", "dt", "form", "h2", "h3", "header", "input",
    "label", "mark", "nav", "option", "p", "section", "select", "span", "strong", "table", "tbody", "td", "th", "thead",
    "time", "tr", "ul",
}  # fmt: skip
VOID = {"input"}
LABELS = labels_in("en")
LIMITS = Limits(file_mb=50, request_mb=200, request_files=100)


class Seen(HTMLParser):
    """The elements of a piece of HTML, its marked words, and its text without what is only said or numbered."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.marked, self.all = "", "", ""
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag
        if tag in ("p", "h3"):
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.all += data
        if any("pd-number" in kind or "pd-part" in kind for _, kind in self._open):
            return
        self.text += data
        if any(tag == "mark" for tag, _ in self._open):
            self.marked += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def view_of(
    text: str,
    cuts: list[tuple[int, int]],
    *,
    quoted: tuple[int, int] | None = None,
    language: str = "en",
    **changes: object,
) -> DocumentView:
    document = Document("d0", "a.txt", "A title", language, "https://city.example/a", text, "text/plain")
    chunks = [
        Chunk(span_id("d0", start, end), "d0", at, start, end, text[start:end], language, at, at)
        for at, (start, end) in enumerate(cuts)
    ]
    values = {"document": document, "info": info(), "chunks": chunks, "quoted": quoted, **changes}
    return DocumentView(**values)  # type: ignore[arg-type]


def info(**changes: object) -> DocumentInfo:
    values = {
        "id": "d0",
        "folder": "/shipped",
        "path": "a.txt",
        "title": "A title",
        "language": "bn",
        "source_url": "https://city.example/a",
        "media_type": "text/plain",
        "characters": 5,
        "chunks": 1,
        "sentences": 1,
        "added_at": "2026-01-31T08:30:00+00:00",
    }
    return DocumentInfo(**{**values, **changes})  # type: ignore[arg-type]


def listed(*infos: DocumentInfo, **changes: object) -> DocumentList:
    values = {
        "infos": infos,
        "found": len(infos),
        "total": len(infos),
        "number": 1,
        "words": "",
        "order": "newest",
        "uploads": "/uploads",
        "may_write": True,
        "off": False,
    }
    return DocumentList(**{**values, **changes})  # type: ignore[arg-type]


def read(view: DocumentView, language: str = "en") -> Seen:
    return Seen(document_html(view, labels=labels_in(language), language=language))


def body(view: DocumentView) -> Seen:
    """All parts of the text, one after the other."""
    parts = range(len(part_starts(view)))
    return Seen("".join(part_html(view, part, labels=LABELS) for part in parts))


def normal(text: str) -> str:
    """As a browser shows it: white space folded, and no control characters."""
    return " ".join(Seen(f"<p>{plain(text)}</p>").text.split())


# -- a document


@st.composite
def _views(draw: st.DrawFn) -> DocumentView:
    pieces = draw(
        st.lists(
            st.sampled_from([*MULTI_SCRIPT.values(), *HOSTILE.values(), "\n", "\n\n", " ", "a b"]),
            min_size=1,
            max_size=12,
        )
    )
    text = "".join(pieces)
    edges = sorted(draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=8)) | {0, len(text)})
    cuts = [(a, b) for a, b in itertools.pairwise(edges) if text[a:b].strip()]
    # Some overlap: each begins a little before the one before it ends.
    if draw(st.booleans()):
        cuts = [(max(0, a - 3 * (at > 0)), b) for at, (a, b) in enumerate(cuts)]
        cuts = [cut for at, cut in enumerate(cuts) if at == 0 or cut[0] > cuts[at - 1][0]]
    start, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return view_of(text, cuts, quoted=(start, end) if start < end else None)


@given(_views())
def test_the_whole_text_is_there_once_with_its_quote_marked(view: DocumentView) -> None:
    seen = body(view)
    assert "".join(seen.text.split()) == "".join(normal(view.document.text).split())
    quoted = "" if view.quoted is None else view.document.text[slice(*view.quoted)]
    assert "".join(seen.marked.split()) == "".join(normal(quoted).split())
    assert {tag for tag, _ in seen.elements} <= {"p", "h3", "span", "mark"}
    ids = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), "no id twice"


def test_each_passage_has_its_number_where_it_begins() -> None:
    text = "One is here. Two is there.\nThree stands below."
    html = part_html(view_of(text, [(0, 12), (13, 26), (27, 46)]), 0, labels=LABELS)
    begun = re.findall(r'id="pd-passage-(\d)" title="(Passage \d)">.*?</span></span>(\w+)', html)
    assert begun == [("1", "Passage 1", "One"), ("2", "Passage 2", "Two"), ("3", "Passage 3", "Three")]
    assert re.findall(r"pd-(even|odd)", html) == ["even", "odd", "even"]


@pytest.mark.parametrize(
    ("language", "expected"), [("bn", "ltr"), ("ar", "rtl"), ("he", "rtl"), ("und", "auto")]
)
def test_the_text_says_its_language_and_direction(language: str, expected: str) -> None:
    seen = read(view_of("words", [(0, 5)], language=language, info=info(language=language)))
    spoken = [each for _, each in seen.elements if each.get("lang") == language]
    assert [each["class"] for each in spoken] == ["pd-name", "pd-text"]
    assert {each["dir"] for each in spoken} == {expected}


def test_a_passage_in_another_language_says_so() -> None:
    view = view_of("Some words. كلمات أخرى.", [(0, 11), (12, 23)])
    other = view.chunks[1]
    arabic = Chunk(other.id, "d0", 1, other.start, other.end, other.text, "ar", 1, 1)
    html = part_html(
        DocumentView(document=view.document, info=view.info, chunks=[view.chunks[0], arabic]),
        0,
        labels=LABELS,
    )
    assert '<span class="pd-passage pd-odd" lang="ar" dir="rtl">' in html
    assert html.count("lang=") == 1


def test_headings_and_captions_look_like_themselves() -> None:
    text = "A heading\nA caption\nWords"
    document = Document(
        "d0", "a", "t", "en", None, text, "text/plain", (Span(0, 9, "heading"), Span(10, 19, "caption"))
    )
    html = part_html(DocumentView(document=document, info=info(), chunks=[]), 0, labels=LABELS)
    assert html == '<h3>A heading</h3><p class="pd-caption">A caption</p><p>Words</p>'


def test_a_long_text_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "PART_CHARACTERS", 30)
    text = " ".join(f"Sentence {number:02}." for number in range(20))
    view = view_of(text, [(at, at + 12) for at in range(0, 260, 13)], quoted=(130, 142))
    starts = part_starts(view)
    assert starts == [0, 39, 78, 117, 156, 195, 234]
    assert " ".join(body(view).text.split()) == text
    first = read(view)
    assert text[130:142] in first.text, "it begins with the part that holds the quote"
    buttons = [each["data-part"] for tag, each in first.elements if tag == "button"]
    assert buttons == ["2", "4"]
    assert part_html(view, len(starts), labels=LABELS) == ""


def test_the_quote_is_linked_to_and_the_source_opens_at_it() -> None:
    seen = read(view_of("One is here. Two is there.", [(0, 12), (13, 26)], quoted=(13, 20)))
    links = [each["href"] for tag, each in seen.elements if tag == "a"]
    assert links == ["https://city.example/a#:~:text=Two%20is", "#pd-quote"]
    assert "in passage 2" in seen.text


def test_other_versions_are_links_of_this_page() -> None:
    seen = read(view_of("words", [(0, 5)], parallel=[("d1", "hi"), ("d2", "sv")]), "sv")
    links = {each["href"] for tag, each in seen.elements if each.get("class") == "pd-version"}
    assert links == {document_url("d1"), document_url("d2")} == {"/?document=d1", "/?document=d2"}
    assert "hindi" in seen.text
    assert document_url("d1", start=3, end=9) == "/?document=d1&start=3&end=9"


@pytest.mark.parametrize("text", by_id({**HOSTILE, **MULTI_SCRIPT}))
@pytest.mark.parametrize("place", ["text", "title", "path", "source_url", "language", "id"])
def test_nothing_of_a_document_becomes_markup(place: str, text: str) -> None:
    changed = info(**{place: text}) if place != "text" else info()
    body_text = text if place == "text" else "words"
    view = view_of(body_text, [(0, len(body_text))], info=changed, parallel=[(text, text)], deletable=True)
    row = listed(changed, words=text, uploads="/shipped")
    for seen in (
        read(view),
        Seen(tab_html(row, LIMITS, labels=LABELS, language="en")),
        Seen(list_html(row, labels=LABELS, language="en")),
    ):
        assert {tag for tag, _ in seen.elements} <= TAGS
        assert not [name for _, each in seen.elements for name in each if name.startswith("on")]
        links = [str(each["href"]) for tag, each in seen.elements if tag == "a"]
        assert all(link.startswith(("/?document=", "https://", "http://", "#pd-")) for link in links)
    if place == "text":
        assert normal(text) in " ".join(read(view).text.split())


# -- the list


def test_a_row_tells_all_about_a_document() -> None:
    seen = Seen(list_html(listed(info()), labels=labels_in("sv"), language="sv"))
    for words in (
        "A title",
        "bengali",
        "city.example/a",
        "2026-01-31",
        "Titel",
        "Språk",
        "Avsnitt",
        "Dokument: 1",
    ):
        assert words in seen.all
    heads = [each for tag, each in seen.elements if tag == "th"]
    assert {each["scope"] for each in heads} == {"col", "row"}
    assert ("time", {"datetime": "2026-01-31T08:30:00+00:00"}) in seen.elements


@pytest.mark.parametrize(
    ("folder", "may_write", "buttons", "said"),
    [
        ("/uploads", True, 1, "Delete"),
        ("/shipped", True, 0, "Shipped"),
        ("/uploads", False, 0, None),
        ("/shipped", False, 0, None),
    ],
)
def test_only_what_can_be_deleted_offers_it(
    folder: str, may_write: bool, buttons: int, said: str | None
) -> None:
    html = list_html(listed(info(folder=folder), may_write=may_write), labels=LABELS, language="en")
    assert html.count("<button") == buttons
    assert html.count("<td") == (5 if may_write else 4), "no empty column for those who may not"
    assert ("Shipped" in html, "data-delete" in html) == (said == "Shipped", said == "Delete")
    view = view_of("words", [(0, 5)], kept=said == "Shipped", deletable=said == "Delete")
    whole = document_html(view, labels=LABELS, language="en")
    assert ("data-delete" in whole) == (said == "Delete")
    assert (markup.escape(LABELS["documents_kept"][:20]) in whole) == (said == "Shipped")


@pytest.mark.parametrize(
    ("may_write", "off", "label"),
    [(True, False, None), (False, False, "documents_read_only"), (False, True, "documents_off")],
)
def test_only_who_may_write_can_upload(may_write: bool, off: bool, label: str | None) -> None:
    html = tab_html(listed(may_write=may_write, off=off), LIMITS, labels=LABELS, language="en")
    assert ('type="file"' in html) == may_write
    seen = Seen(html)
    assert LABELS["documents_none"] in seen.all
    for name in ("documents_read_only", "documents_off"):
        assert (LABELS[name] in seen.text) == (name == label)


def test_pages_are_turned_at_both_ends_only_inward() -> None:
    for number, last in ((1, False), (2, None), (3, True)):
        made = listed(info(), found=documents_html.PAGE * 2 + 1, number=number)
        seen = Seen(list_html(made, labels=LABELS, language="en"))
        turns = [("disabled" in each) for _, each in seen.elements if "pd-turn" in str(each.get("class"))]
        assert turns == [number == 1, number == 3], last
        assert f"Page {number} of 3" in seen.all
    assert "pd-pages" not in list_html(listed(info()), labels=LABELS, language="en")


def test_words_that_find_nothing_say_so() -> None:
    html = list_html(listed(found=0, total=7, words="zz"), labels=LABELS, language="en")
    assert plain(LABELS["documents_not_found"]) in html


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://city.example/a?b=c", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//city.example", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_are_links(url: str | None, link: bool) -> None:
    assert ("<a " in source_html(url, None, label="Open")) == link


def test_labels_are_the_same_in_every_language() -> None:
    own = _own(LABELS)
    assert own
    for language in languages():
        there = labels_in(language)
        assert {name: _fields(there[name]) for name in own} == {name: _fields(LABELS[name]) for name in own}
        if language != "en":
            same = [name for name in own if there[name] == LABELS[name]]
            assert same == [], "each is translated"


def _own(labels: object) -> list[str]:
    return [name for name in labels if name.startswith("documents_")]  # type: ignore[attr-defined]


def _fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_every_reason_has_words() -> None:
    # A duplicate has a state of its own.
    reasons = [reason.value for reason in SkipReason if reason is not SkipReason.DUPLICATE]
    assert [reason for reason in reasons if f"documents_reason_{reason}" not in LABELS] == []
