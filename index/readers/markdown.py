"""Markdown to readable text, by markdown-it-py: headings marked, links and emphasis as their words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import regex
from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.readers.blocks import Block, Extract
from index.readers.wrapped import glue

# Front matter of site generators: a YAML mapping between two lines of dashes at the very start.
_FRONT_MATTER = regex.compile(r"\A\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", regex.S)
_FIELD = regex.compile(r"^(\w+)[ \t]*:[ \t]*(.+?)[ \t]*$", regex.M)
_TITLE_FIELDS = ("title",)
_ADDRESS_FIELDS = ("source_url", "source", "canonical_url", "original_url", "url", "link")
# No tag is longer; the bound keeps a text of unclosed ones linear.
_TAG = regex.compile(r"</?[a-zA-Z][^<>]{0,1000}>")
_LINE_BREAK_TAG = regex.compile(r"<br\s*/?>", regex.I)


def read_markdown(text: str) -> Extract:
    """The blocks of a Markdown file; title and address from its front matter, which is removed."""
    text = text.replace("\r\n", "\n")
    fields: dict[str, str] = {}
    front = _FRONT_MATTER.match(text)
    if front is not None:
        fields = {key.lower(): _scalar(value) for key, value in _FIELD.findall(front.group(1))}
        # A file may also open with a rule and text; without a single field it is no front matter.
        text = text[front.end() :] if fields else text
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    blocks = tuple(_blocks(parser.parse(text)))
    return Extract(
        blocks,
        "text/markdown",
        title=_first(fields, _TITLE_FIELDS) or _first_heading(blocks),
        source_url=_first(fields, _ADDRESS_FIELDS, starting="http"),
    )


def _scalar(value: str) -> str:
    """A YAML scalar on one line, without its quotes."""
    if value[:1] == '"' and value[-1:] == '"' and len(value) > 1:
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    if value[:1] == "'" and value[-1:] == "'" and len(value) > 1:
        return value[1:-1].replace("''", "'")
    return "" if value in {"|", ">", "null", "~"} else value


def _first(fields: dict[str, str], names: Iterable[str], *, starting: str = "") -> str | None:
    return next(
        (fields[name] for name in names if fields.get(name, "").startswith(starting) and fields.get(name)),
        None,
    )


def _first_heading(blocks: tuple[Block, ...]) -> str | None:
    return next((block.text for block in blocks if block.kind == "heading" and block.text.strip()), None)


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    """Blocks of parsed Markdown: a list item or table row follows the one before without a blank line."""
    heading = False
    items = 0
    cells: list[str] | None = None
    for token in tokens:
        match token.type:
            case "heading_open" | "heading_close":
                heading = token.type == "heading_open"
            case "bullet_list_open" | "ordered_list_open":
                items = items or 1
            case "bullet_list_close" | "ordered_list_close":
                items = 0 if token.level == 0 else items
            case "tr_open":
                cells = []
            case "tr_close":
                yield Block(" | ".join(cells or []), tight=items > 1)
                cells, items = None, items + 1 if items else 2
            case "table_open" | "table_close":
                items = 0
            case "inline" if cells is not None:
                cells.append(_inline(token))
            case "inline":
                yield Block(
                    _inline(token), "heading" if heading else "body", tight=items > 1, links=_links(token)
                )
                items += 1 if items else 0
            case "fence" | "code_block":
                yield Block(token.content)
            case "html_block":
                yield Block(_without_tags(token.content))
            case _:
                pass


def _inline(token: Token) -> str:
    """The words of an inline token: link texts, image descriptions, code. A soft line end is a space."""
    paragraphs = [[""]]
    for child in token.children or []:
        if child.type == "softbreak":
            paragraphs[-1].append("")
        elif child.type == "hardbreak":
            paragraphs.append([""])
        else:
            paragraphs[-1][-1] += _words(child)
    return "\n".join(glue(lines, hyphens=False) for lines in paragraphs)


def _words(token: Token) -> str:
    if token.type == "html_inline":
        return _without_tags(token.content)
    return token.content


def _links(token: Token) -> tuple[str, ...]:
    hrefs = (child.attrGet("href") for child in token.children or [] if child.type == "link_open")
    return tuple(str(href) for href in hrefs if href)


def _without_tags(markup: str) -> str:
    return str(_TAG.sub("", _LINE_BREAK_TAG.sub("\n", _without_comments(markup))))


def _without_comments(markup: str) -> str:
    parts: list[str] = []
    position = 0
    while (start := markup.find("<!--", position)) >= 0:
        parts.append(markup[position:start])
        end = markup.find("-->", start)
        # A comment that never closes reaches to the end, as in browsers.
        position = end + 3 if end >= 0 else len(markup)
    return "".join(parts) + markup[position:]
