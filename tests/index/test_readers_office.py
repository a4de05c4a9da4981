"""Office formats: what is kept of each, as it is found and quoted."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
from reading import make_zip, marked, read, refusal

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.chunks import make_chunks
from index.errors import SkipReason
from index.language.sentences import split_sentences
from index.types import Document, place_at
from tests.office_files import FILES, WARDS, epub, mail, odf, pptx, xlsx


def where(document: Document, words: str) -> tuple[int | None, str | None]:
    place = place_at(document.places, document.text.index(words))
    return (None, None) if place is None else (place.page, place.section)


def rows(document: Document) -> list[str]:
    return [sentence.text for sentence in split_sentences(document) if sentence.kind == "row"]


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_read_whatever_its_name(name: str) -> None:
    document = read(FILES[name], name if name.endswith((".csv", ".json")) else "harbour")
    assert "1987" in document.text
    assert all(document.text[s.start : s.end] == s.text for s in split_sentences(document))


@pytest.mark.parametrize("name", [name for name in FILES if FILES[name].startswith(b"PK")])
def test_archives_have_limits_and_may_be_damaged(name: str) -> None:
    assert refusal(FILES[name], name, max_bytes=len(FILES[name]) // 40).reason is SkipReason.TOO_LARGE
    assert refusal(FILES[name][:-90], name).reason is SkipReason.BROKEN


class TestTables:
    def test_a_row_carries_the_names_of_its_columns(self) -> None:
        document = read(
            "Ward,Councillor,Population\nRiver Side,Harun Sheikh,9870\nHill View,Tomas Berg,4310\n", "w.csv"
        )
        assert rows(document) == [
            "Ward: River Side; Councillor: Harun Sheikh; Population: 9870",
            "Ward: Hill View; Councillor: Tomas Berg; Population: 4310",
        ]

    @pytest.mark.parametrize(
        ("text", "name", "expected"),
        [
            pytest.param(
                "Produkt;Pris\nLampa;1.234,50\nStol;899,00\n",
                "a.csv",
                ["Produkt: Lampa; Pris: 1.234,50", "Produkt: Stol; Pris: 899,00"],
                id="decimal-commas",
            ),
            pytest.param('a\tb\n"x; y"\t2\n', "a.tsv", ["a: x; y; b: 2"], id="tabs-and-quotes"),
            pytest.param(
                "Budget 2026,,\nPost,Kronor,År\nVäg,500,2026\n",
                "a.csv",
                ["Post: Väg; Kronor: 500; År: 2026"],
                id="title-row",
            ),
            pytest.param(
                "Phone,08-123\nOpen,11-14\n", "a.csv", ["Phone: 08-123", "Open: 11-14"], id="no-header"
            ),
            pytest.param("1,2,3\n4,5,6\n", "a.csv", ["1 | 2 | 3", "4 | 5 | 6"], id="numbers-alone"),
            pytest.param("নাম,বয়স\nরহিম,৩৪\n", "a.csv", ["নাম: রহিম; বয়স: ৩৪"], id="bengali"),
        ],
    )
    def test_delimited(self, text: str, name: str, expected: list[str]) -> None:
        assert rows(read(text, name)) == expected

    def test_wide_rows_come_in_lines_that_begin_with_their_key(self) -> None:
        head = ",".join(f"Column {i}" for i in range(40))
        document = read(f"{head}\n{','.join(f'value number {i}' for i in range(40))}\n", "a.csv")
        lines = document.text.split("\n")
        assert len(lines) > 1
        assert all(line.startswith("Column 0: value number 0; ") and len(line) < 900 for line in lines)

    def test_sheets(self) -> None:
        document = read(xlsx({"Wards": WARDS, "Boats": [["Boat", "Length"], ["Ellida", 9.4]]}), "wards.xlsx")
        assert document.text == (
            "Wards\n\nWard: River Side; Councillor: Harun Sheikh; Population: 9870\n"
            "Ward: Hill View; Councillor: Tomas Berg; Population: 4310.5\n\nBoats\n\nBoat: Ellida; Length: 9.4"
        )
        assert document.title == "wards.xlsx"
        assert where(document, "Ellida") == (None, "Boats")
        chunks = make_chunks(document, split_sentences(document), [5, 20, 1, 5, 30], size=40, overlap=0)
        assert [chunk.text.split("\n")[0] for chunk in chunks] == ["Wards", "Boats"], (
            "a heading goes with its table"
        )

    def test_merged_cells_have_the_value_in_every_row(self) -> None:
        grid: list[list[str | float]] = [
            ["Zone", "Day", "Driver"],
            ["West", "Thu", "Aune"],
            ["", "Fri", "Berge"],
        ]
        assert (
            rows(read(xlsx({"S": grid}, merged="A2:A3"), "a.xlsx"))[1]
            == "Zone: West; Day: Fri; Driver: Berge"
        )

    def test_a_sheet_with_far_corners_is_refused(self) -> None:
        cells = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        with zipfile.ZipFile(io.BytesIO(xlsx({"S": [["x"]]}))) as archive:
            parts = {name: archive.read(name).replace(b"</sheetData>", cells) for name in archive.namelist()}
        assert refusal(make_zip(parts), "a.xlsx").reason is SkipReason.TOO_LARGE

    def test_records(self) -> None:
        row = '{"name": "Stn7", "at": {"height_m": 107}, "tags": ["a", "b"]}'
        text = f'{{"title": "Stations", "rows": [{row}, {{"name": null}}]}}'
        document = read(text, "s.json")
        assert rows(document) == ["title: Stations", "name: Stn7; at.height_m: 107; tags: a, b"]
        assert (document.title, where(document, "Stn7")) == ("Stations", (None, "rows"))
        assert rows(read('{"a": 1}\n{"a": 2}\n', "log.jsonl")) == ["a: 1", "a: 2"]


def test_slides_have_pages_notes_and_tables() -> None:
    document = read(
        pptx([("Harbour plan", ["Work starts on 4 May."], "Thank the board."), ("Costs", ["9 million."], "")])
    )
    assert marked(document, "heading") == ["Harbour plan", "Costs"]
    assert marked(document, "note") == ["Thank the board."]
    assert rows(document) == ["Quay: North; Metres: 340", "Quay: North; Metres: 90"]
    assert where(document, "9 million") == (2, "Costs")
    assert where(document, "4 May") == (1, None), "a section that repeats the title says nothing"
    assert "7" not in document.text


def test_opendocument_text() -> None:
    body = (
        '<text:h text:outline-level="1">Ferry</text:h><text:p>A bicycle<text:s text:c="1"/>costs 35 kronor.'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Children 10.</text:p>"
        "</text:note-body></text:note></text:p><text:list><text:list-item><text:p>one</text:p></text:list-item>"
        "<text:list-item><text:p>two</text:p></text:list-item></text:list>"
    )
    styles = "<style:header><text:p>Case 7/2026</text:p></style:header>"
    meta = "<dc:title>Ferry rules</dc:title>"
    document = read(odf("text", body, styles=styles, meta=meta))
    assert document.text == "Ferry\n\nA bicycle costs 35 kronor.\n\nChildren 10.\n\none\ntwo\n\nCase 7/2026"
    assert marked(document, "note") == ["Children 10.", "Case 7/2026"]
    assert (document.title, where(document, "bicycle")) == ("Ferry rules", (None, "Ferry"))


def test_an_e_book_is_read_in_the_order_of_its_spine() -> None:
    document = read(
        epub(["<h2>Two</h2><p>It was lit.</p>", "<h2>One</h2><p>It was built.</p>"], title="Lighthouse")
    )
    assert document.text == "One\n\nIt was built.\n\nTwo\n\nIt was lit."
    assert (document.title, where(document, "lit")) == ("Lighthouse", (None, "Two"))


def test_rich_text() -> None:
    document = read(rb"{\rtf1\ansi\ansicpg1252 {\info{\title Bad}}Caf\'e9 \u8211? 82 000 kr.\par Next.}")
    assert (document.text, document.title) == ("Café \u2013 82 000 kr.\n\nNext.", "Bad")


def test_a_mail_has_its_headers_its_text_and_what_is_attached() -> None:
    inner = mail("Inside.", attachments={})
    attached = {
        "dues.csv": b"Berth,Kronor\nNorth,900\nSouth,700\n",
        "old.eml": inner,
        "x.png": b"\x89PNG\r\n\x1a\n" * 9,
    }
    document = read(mail("Hi Bo,\n\nthe dues are attached.\n\n> When do we pay?\n", attachments=attached))
    assert document.title == "Harbour dués"
    assert rows(document)[:2] == ["From: Ada Öberg <ada@a.example>", "To: bo@b.example"]
    assert "Date: Mon, 04 May 2026 09:30:00 +0200" in document.text
    assert "When do we pay?" in document.text
    assert where(document, "Berth: North; Kronor: 900") == (None, "dues.csv")
    assert where(document, "Inside.") == (None, "old.eml")
    assert "x.png" not in document.text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("minutes of May.txt", "minutes of May.txt"),
        ("5f0c9d6b2a7e4f1c.txt", "It rained."),
        ("会议.txt", "会议.txt"),
    ],
)
def test_a_text_without_a_heading_has_its_files_name(name: str, title: str) -> None:
    assert read("It rained. Then it stopped.", name).title == title


def test_a_browsers_title_is_none() -> None:
    page = "<html><head><title>about:blank</title></head><body><h2>Opening hours</h2><p>We open at nine.</p></body>"
    assert read(page).title == "Opening hours"
