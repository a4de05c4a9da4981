"""Web pages: the article by trafilatura, captions and the page's own address and title by lxml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from index.errors import ReadError, SkipReason
from index.normalise import normalise_line
from index.readers.blocks import Block, Extract
from index.readers.tables import record, table_blocks
from index.types import SentenceKind

_MEDIA_TYPE = "text/html"
# What holds no text of the page, and what is not its subject where the whole body is taken.
_WITHOUT_TEXT = ("script", "style", "noscript", "template", "button", "svg", "iframe", "select")
_FURNITURE = (*_WITHOUT_TEXT, "nav", "footer", "aside", "form")
# A page of fewer characters that names no part of it as its text is kept whole: its menu or its footer is what it
# says (prices, opening hours). Chosen: a screen of text.
_SHORT_PAGE = 2000
# fmt: off
_BLOCK_TAGS = frozenset(
    {
        "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
        "fieldset", "figure", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th",
        "thead", "tr", "ul",
    }
)
# fmt: on
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Captions outside <figcaption> say so in their class: "wp-caption-text", "PhotoCMS_Caption", "image-caption".
_CAPTIONS = (
    "//figcaption | //*[self::p or self::div or self::td or self::span]"
    "[contains(translate(@class, 'CAPTION', 'caption'), 'caption')]"
)
_LONGEST_CAPTION = 600
_TIGHT = frozenset({"tr", "li"})
_WIDEST = 100  # columns or rows that a cell may span: a page may say any number


def read_html(text: str) -> Extract:
    """The blocks of a page's article; of its whole body where no article can be told.

    Raises:
        ReadError: `broken` when no parser can make a tree of it.
    """
    tree = _parse(text)
    title, address = _title(tree), _address(tree)
    captions = _free_captions(tree)
    if not _claims_article(tree):
        whole = tuple(_body_blocks(_parse(text), captions, _WITHOUT_TEXT))
        if sum(len(block.text) for block in whole) <= _SHORT_PAGE:
            return Extract(whole, _MEDIA_TYPE, title=title, source_url=address)
    body = _article(tree)
    blocks = tuple(_article_blocks(body, captions)) if body is not None else ()
    if not any(block.text.strip() for block in blocks):
        blocks = tuple(_body_blocks(_parse(text), captions, _FURNITURE))
    return Extract(blocks, _MEDIA_TYPE, title=title, source_url=address)


def _claims_article(tree: Any) -> bool:
    """Whether a page says which part of it is its text."""
    return next(tree.iter("article", "main"), None) is not None


def read_page(text: str) -> list[Block]:
    """The blocks of a whole page: one that is all text, such as a chapter of a book or a mail.

    Raises:
        ReadError: `broken` when no parser can make a tree of it.
    """
    tree = _parse(text)
    return list(_body_blocks(tree, _free_captions(tree), _WITHOUT_TEXT))


def _parse(text: str) -> Any:
    # lxml is imported with trafilatura, which takes 0.5 s and is needed for web pages alone.
    from lxml import etree, html

    try:
        # Bytes, because lxml refuses a str that declares an encoding; huge_tree stays off against hostile
        # nesting.
        parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise ReadError(
            SkipReason.BROKEN, "its HTML cannot be parsed; open it in a browser and save it again"
        ) from error
    # What lies deeper than the parser goes is left out, with all that follows.
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise ReadError(
            SkipReason.TOO_LARGE,
            "its HTML is nested too deeply to be read whole; open it in a browser and save its text",
        )
    return tree


def _title(tree: Any) -> str | None:
    headings = [normalise_line(h.text_content()) for h in tree.iter("h1")]
    candidates = [
        *tree.xpath("//meta[@property='og:title']/@content"),
        # Two level-one headings are a list or a logo and a headline; neither can be told to be the title.
        *(headings if len(headings) == 1 else []),
        *(t.text_content() for t in tree.iter("title")),
        *headings,
    ]
    return next((title for title in map(normalise_line, candidates) if title), None)


def _address(tree: Any) -> str | None:
    found = tree.xpath("//link[@rel='canonical']/@href") + tree.xpath("//meta[@property='og:url']/@content")
    return next((str(url).strip() for url in found if str(url).strip().lower().startswith("http")), None)


def _free_captions(tree: Any) -> frozenset[str]:
    """The captions' texts; in the tree they become plain paragraphs, since article extraction drops
    figures."""
    texts: set[str] = set()
    for element in tree.xpath(_CAPTIONS):
        text = normalise_line(element.text_content())
        if not text or len(text) > _LONGEST_CAPTION or element.getparent() is None:
            continue
        texts.add(text)
        tail = element.tail
        for child in list(element):
            element.remove(child)
        element.attrib.clear()
        element.tag, element.text, element.tail = "p", text, tail
        _lift(element)
    return frozenset(texts)


def _lift(caption: Any) -> None:
    """Moves a caption out of its figure, to directly behind it."""
    figure = next(caption.iterancestors("figure"), None)
    if figure is None or figure.getparent() is None:
        return
    caption.tail = None
    caption.getparent().remove(caption)
    figure.addnext(caption)


def _article(tree: Any) -> Any:
    # Imported here because it takes 0.5 s and is needed for web pages alone.
    import trafilatura

    # Its own failures on odd trees must not lose a page whose body is readable.
    try:
        found = trafilatura.bare_extraction(
            tree, include_comments=False, include_tables=True, include_links=True, include_formatting=True
        )
    except Exception:  # noqa: BLE001  # a third-party heuristic over arbitrary input
        return None
    return None if found is None else getattr(found, "body", None)


def _article_blocks(body: Any, captions: frozenset[str]) -> Iterator[Block]:
    """The blocks of trafilatura's tree: head, p, list/item, table/row/cell, quote, code."""
    for element in body:
        if element.tag == "list":
            for i, item in enumerate(element.iter("item")):
                yield Block(_text(item, skip=("list",)), tight=i > 0, links=_links(item))
        elif element.tag == "table":
            rows = [list(row.iter("cell")) for row in element.iter("row")]
            named = bool(rows) and all(cell.get("role") == "head" for cell in rows[0])
            yield from table_blocks([[_text(cell) for cell in row] for row in rows], header=named or None)
        elif element.tag in {"quote", "div"} and any(child.tag in {"p", "list", "head"} for child in element):
            yield from _article_blocks(element, captions)
        elif element.tag == "code":
            # The line ends of code are its own.
            yield Block("".join(element.itertext()))
        else:
            text = _text(element)
            yield Block(text, kind=_kind(element.tag, text, captions), links=_links(element))
        if element.tail and element.tail.strip():
            yield Block(element.tail)


def _kind(tag: str, text: str, captions: frozenset[str]) -> SentenceKind:
    if tag == "head" or tag in _HEADINGS:
        return "heading"
    if tag == "tr":
        return "row"
    return "caption" if tag == "figcaption" or normalise_line(text) in captions else "body"


def _text(element: Any, *, skip: tuple[str, ...] = ()) -> str:
    """The words below `element`, line breaks as such; source text broken over lines is one line."""
    parts = [" ".join((element.text or "").split("\n"))] if element.text else []
    for child in element:
        if child.tag in {"lb", "br"}:
            parts.append("\n")
        elif child.tag not in skip and isinstance(child.tag, str):
            parts.append(_text(child, skip=skip))
        parts.append(" ".join((child.tail or "").split("\n")))
    return "".join(parts)


def _links(element: Any) -> tuple[str, ...]:
    return tuple(ref.get("target") for ref in element.iter("ref") if ref.get("target"))


def _body_blocks(tree: Any, captions: frozenset[str], dropped: Sequence[str]) -> Iterator[Block]:
    """The whole body in blocks, without some elements: for pages that are no article."""
    for element in list(tree.iter(*dropped)):
        if element.getparent() is not None:
            element.drop_tree()
    body = next(tree.iter("body"), tree)
    _write_rows(body)
    before = ""
    for tag, words in _runs(body):
        text = "\n".join(" ".join(line.split()) for line in "".join(words).split("\n"))
        if text.strip():
            yield Block(text, kind=_kind(tag, text, captions), tight=tag == before and tag in _TIGHT)
            before = tag


def _write_rows(body: Any) -> None:
    """Makes each row of a table, and each term of a definition list with what it is, one element of text."""
    for table in list(body.iter("table")):
        rows = list(table.iter("tr"))
        named = bool(rows) and all(cell.tag == "th" for cell in rows[0])
        # A table around tables, or around whole passages, only lays out the page.
        if _is_layout(table):
            continue
        _replace(table, [block.text for block in table_blocks(_grid(rows), header=named or None)])
    for terms in list(body.iter("dl")):
        lines: list[str] = []
        term = ""
        for element in terms.iter("dt", "dd"):
            words = normalise_line(element.text_content()).rstrip(" :：")
            if element.tag == "dd":
                lines.append(record([(term, words)]))
            term = words if element.tag == "dt" else term
        _replace(terms, lines)


def _is_layout(table: Any) -> bool:
    return any(each is not table for each in table.iter("table", "article", "main", "ul", "h1", "h2", "h3"))


def _grid(rows: Sequence[Any]) -> list[list[str]]:
    """The cells of a table's rows; one that spans rows has its value in each."""
    below: dict[int, tuple[int, str]] = {}
    grid = []
    for row in rows:
        cells: list[str] = []
        for cell in row.iter("td", "th"):
            while below.get(len(cells), (0, ""))[0]:
                left, text = below[len(cells)]
                below[len(cells)] = (left - 1, text)
                cells.append(text)
            text = normalise_line(" ".join(cell.itertext()))
            below[len(cells)] = (_span(cell, "rowspan") - 1, text)
            cells += [text, *[""] * (_span(cell, "colspan") - 1)]
        grid.append(cells)
    return grid


def _span(cell: Any, name: str) -> int:
    written = str(cell.get(name, "1")).strip()
    return min(max(int(written), 1), _WIDEST) if written.isdecimal() and len(written) < 4 else 1


def _replace(element: Any, lines: Sequence[str]) -> None:
    for child in list(element):
        element.remove(child)
    element.tag, element.text = "div", None
    for line in lines:
        row = element.makeelement("tr", {})
        row.text = line
        element.append(row)


def _runs(body: Any) -> list[tuple[str, list[str]]]:
    """Runs of inline text, each with the innermost block element it stands in. Iterative: pages nest
    deeply."""
    runs: list[tuple[str, list[str]]] = [("body", [])]
    stack: list[tuple[Any, bool]] = [(body, False)]
    while stack:
        element, leaving = stack.pop()
        block = element.tag in _BLOCK_TAGS
        if leaving:
            if block:
                parent = element.getparent()
                runs.append((parent.tag if parent is not None else "body", []))
            runs[-1][1].append(" ".join((element.tail or "").split("\n")) if element is not body else "")
            continue
        if block:
            runs.append((element.tag, []))
        runs[-1][1].append("\n" if element.tag == "br" else " ".join((element.text or "").split("\n")))
        stack.append((element, True))
        stack.extend((child, False) for child in reversed(element) if isinstance(child.tag, str))
    return runs
