"""Plain text and Markdown: paragraphs, headings, sources, and whose line ends stay."""

from __future__ import annotations

import pytest
from reading import HINDI, SWEDISH, marked, read

from index.readers.wrapped import glue, unwrap


class TestPlain:
    def test_first_sentence_is_the_title(self) -> None:
        document = read(SWEDISH)
        assert document.title == "Regeringen beslutade på måndagen att öppna nya förskolor."
        assert (document.text, document.language, document.source_url) == (SWEDISH, "sv", None)

    def test_headline_is_the_title(self) -> None:
        document = read(f"Nya förskolor\n\n{SWEDISH}")
        assert document.title == "Nya förskolor"
        assert marked(document, "heading") == ["Nya förskolor"]

    def test_path_does_not_change_the_id(self) -> None:
        assert read(SWEDISH, "x/a.txt").id == read(SWEDISH, "b.txt").id != read(HINDI, "b.txt").id

    def test_wrapped_lines_become_paragraphs(self) -> None:
        words = (SWEDISH + " ") * 4
        lines, line = [], ""
        for word in words.split():
            if len(line) + len(word) >= 60:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        wrapped = "\n".join([*lines, line])
        assert unwrap(wrapped) == words.strip()
        assert read(f"{wrapped}\n\n{wrapped}").text == f"{words.strip()}\n\n{words.strip()}"

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("Köp:\nmjölk\nbröd\nsmör och en ganska lång rad som inte får plats\nägg", id="list"),
            pytest.param(
                "Rosor är röda,\nvioler är blå,\nen ganska kort dikt om våren i min stad,\noch så.",
                id="verse",
            ),
            pytest.param(f"{SWEDISH * 2}\n{SWEDISH * 3}\n{SWEDISH * 2}\n{SWEDISH}", id="paragraph-lines"),
            pytest.param("", id="empty"),
        ],
    )
    def test_other_line_ends_stay(self, text: str) -> None:
        assert unwrap(text) == text


@pytest.mark.parametrize(
    ("line", "following", "joined"),
    [
        pytest.param("informa-", "tionen är", "informationen är", id="hyphenated"),
        pytest.param("enligt 57-", "NQ/TW är", "enligt 57-NQ/TW är", id="code"),
        pytest.param("en rad", "till", "en rad till", id="words"),
        pytest.param("国务院", "周三", "国务院周三", id="chinese"),
        pytest.param("একটি", "শহর", "একটি শহর", id="bengali"),
        pytest.param("", "x", "x", id="empty"),
    ],
)
def test_glue(line: str, following: str, joined: str) -> None:
    assert glue([line, following]) == joined


class TestMarkdown:
    TEXT = (
        '---\ntitle: "Läget"\nsource: https://a.example/1\n---\n# Rubrik *ett*\n\nText med **fet**, [länk](https://l.example)'
        " och `kod`,\nrad två.\n\n- a\n- b\n\n| Stad | Antal |\n|---|---|\n| Lund | 540 |\n\nSlut.\n"
    )

    def test_markup_becomes_words(self) -> None:
        document = read(self.TEXT, "a.md")
        assert document.text == (
            "Rubrik ett\n\nText med fet, länk och kod, rad två.\n\na\nb\n\nStad | Antal\nLund | 540\n\nSlut."
        )
        assert marked(document, "heading") == ["Rubrik ett"]
        assert (document.title, document.source_url) == ("Läget", "https://a.example/1")
        assert document.media_type == "text/markdown"

    def test_first_heading_is_the_title(self) -> None:
        assert read("Ingress.\n\n## Rubriken\n\nText.", "a.md").title == "Rubriken"

    def test_source_behind_a_link(self) -> None:
        document = read(f"# T\n\n{SWEDISH}\n\nKälla: [Tidningen](https://t.example/1)", "a.md")
        assert document.source_url == "https://t.example/1"
        assert document.text == f"T\n\n{SWEDISH}"

    def test_a_rule_at_the_start_is_no_front_matter(self) -> None:
        assert read(f"---\n{SWEDISH}\n---\nSlut.", "a.md").text.startswith("Regeringen")

    def test_the_name_decides_between_markdown_and_text(self) -> None:
        assert read("# Rubrik\n\nText här.", "a.txt").text.startswith("# Rubrik")
