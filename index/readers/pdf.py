"""PDF files: opened by pypdf, their text by PDFium in reading order, its printed lines joined to paragraphs."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import regex

from index.errors import ReadError, SkipReason
from index.normalise import normalise_line
from index.readers.blocks import Block, Extract
from index.readers.page_layout import Column, Line, Part, Run, Table, parts_of
from index.readers.page_pictures import pictured
from index.readers.page_runs import runs_of, sorted_box
from index.readers.recognition import Recogniser, left_out, no_program, unsure
from index.readers.shape import could_be_heading, is_page_number
from index.readers.tables import table_blocks
from index.readers.wrapped import continues, glue, paragraphs

_MEDIA_TYPE = "application/pdf"
# Producers write the file's name or nothing into the title: "Microsoft Word - x.doc", "untitled", "slide 1".
_NO_TITLE = regex.compile(
    r"^(?:microsoft (?:word|powerpoint|excel) - .*"
    r"|.*\.(?:docx?|odt|pdf|rtf|indd|pptx?|xlsx?|tex|dvi|qxp|pages|tmp)"
    r"|untitled.*|document\d*|slide \d+|print|title|\(?anonymous\)?|[\W\d_]*)$",
    regex.I,
)
# A line that opens or closes at least this share of three or more pages, the same on each, is a running header.
_RUNNING_SHARE = 0.5
_FEWEST_PAGES = 3
_EDGE_LINES = 2
# Letters so much larger than those of the text are a heading's. Chosen.
_LARGER = 1.15
# A field may be a box for many lines; what is written in it is of this size. Points.
_FIELD_LETTERS = 11.0
_LEFTWARD = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")


def read_pdf(data: bytes, recogniser: Recogniser) -> Extract:
    """The blocks of a PDF, of pages that are pictures as `recogniser` reads them, without running headers, footers
    and page numbers; filled fields of its forms.

    Raises:
        ReadError: `encrypted` when the empty password does not open it, `empty` without text, `garbled` when no page
            can be recognised for sure, `broken` when it is damaged.
    """
    # Imported here because it takes 0.2 s and is needed for PDF files alone.
    import pypdf
    from pypdf import errors

    # It reports every oddity of a file; what matters arrives as an exception or as garbled text.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted("open it with its password and save it without one")
        title = _title(reader)
        filled = [list(_filled(page)) for page in reader.pages]
        runs = list(runs_of(data))
        letters = [_letters(*page) for page in zip(runs, filled, strict=True)]
        recognised, unread = _recognise(data, letters, runs, recogniser)
        pages = [list(_parts(*page)) for page in zip(runs, filled, strict=True)]
    except errors.DependencyError as error:
        raise _encrypted(
            "install the package `cryptography` to read it, or save it without encryption"
        ) from error
    except errors.FileNotDecryptedError as error:
        raise _encrypted("open it with its password and save it without one") from error
    except (ReadError, MemoryError):
        raise
    except errors.LimitReachedError as error:
        raise ReadError(
            SkipReason.TOO_LARGE, "the PDF unpacks to more than is read of one file; print it in parts"
        ) from error
    except Exception as error:  # a damaged file raises anything, RecursionError included
        raise ReadError(
            SkipReason.BROKEN, "the PDF file is damaged; open it in a viewer and print it to a new PDF"
        ) from error
    if not any(pages):
        raise _no_text(unread, recogniser)
    notice = left_out(unread, installed=recogniser.available)
    return Extract(tuple(_blocks(_without_edges(pages), recognised)), _MEDIA_TYPE, title=title, notice=notice)


def page_blocks(pages: Sequence[list[Run]], *, numbered: bool) -> Iterator[Block]:
    """The blocks of pages that were all recognised, as of a PDF; `numbered`: they have numbers, from 1."""
    parts = [parts_of(runs, leftward=_is_leftward(runs)) for runs in pages]
    for block in _blocks(_without_edges(parts), frozenset(range(1, len(pages) + 1))):
        yield block if numbered else replace(block, page=None, turns=())


def _letters(directions: Sequence[list[Run]], fields: Sequence[Run]) -> int:
    return sum(len(run.text) for runs in [*directions, fields] for run in runs)


def _recognise(
    data: bytes, letters: Sequence[int], runs: list[list[list[Run]]], recogniser: Recogniser
) -> tuple[frozenset[int], list[int]]:
    """Put what is recognised of pages that are pictures into `runs`; (pages recognised, pages not read), from 1."""
    recognised, unread = set(), []
    for place, image, dpi in pictured(data, letters):
        found = recogniser.runs(image, dpi=dpi) if recogniser.available else None
        if found is None:
            unread.append(place + 1)
        elif found:
            runs[place] = [found]
            recognised.add(place + 1)
    return frozenset(recognised), unread


def _no_text(unread: Sequence[int], recogniser: Recogniser) -> ReadError:
    if unread and recogniser.available:
        return unsure()
    if unread:
        return no_program(SkipReason.EMPTY, "the PDF has no text layer, as of a scan without OCR")
    return ReadError(SkipReason.EMPTY, "the PDF has no text, and no picture of one for OCR; remove it")


def _encrypted(remedy: str) -> ReadError:
    return ReadError(SkipReason.ENCRYPTED, f"the PDF is encrypted; {remedy}")


def _title(reader: Any) -> str | None:
    """The title of the metadata when a person wrote it."""
    metadata = reader.metadata
    title = normalise_line(str(metadata.title)) if metadata is not None and metadata.title else ""
    return title if title and not _NO_TITLE.match(title) else None


def _filled(page: Any) -> Iterator[Run]:
    """The values of a page's form fields where they are shown; a box is ticked or not."""
    for annotation in page.get("/Annots") or ():
        field = annotation.get_object()
        parent = field["/Parent"].get_object() if "/Parent" in field else {}
        kind, value = (field.get(key, parent.get(key)) for key in ("/FT", "/V"))
        if kind == "/Btn":
            text = "☐" if str(field.get("/AS", value or "/Off")) == "/Off" else "☑"
            text = text if "/AS" in field or value is not None else ""
        else:
            values = value if isinstance(value, list) else [value]
            text = ", ".join(normalise_line(str(each)) for each in values if each is not None)
        if kind is not None and text.strip() and "/Rect" in field:
            left, bottom, right, top = sorted_box([float(edge) for edge in field["/Rect"]])
            middle, size = (bottom + top) / 2, min(top - bottom, _FIELD_LETTERS)
            yield Run(text, left, middle - size / 2, right, middle + size / 2, size)


def _parts(directions: Sequence[list[Run]], fields: list[Run]) -> Iterator[Part]:
    """The parts of a page: what is written as most of it is, with its fields, then the rest."""
    for i, runs in enumerate(directions or [[]]):
        yield from parts_of(runs if i else [*runs, *fields], leftward=_is_leftward(runs))


def _is_leftward(runs: Sequence[Run]) -> bool:
    letters = "".join(run.text for run in runs)[:2000]
    return 2 * len(_LEFTWARD.findall(letters)) > len(letters)


def _without_edges(pages: Sequence[list[Part]]) -> list[list[Part]]:
    """The pages without the lines that repeat whole at their edges, and without page numbers."""
    edges: Counter[str] = Counter()
    for parts in pages:
        lines = [line.text for part in parts if isinstance(part, Column) for line in part.lines]
        edges.update({*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]})
    least = max(_FEWEST_PAGES, _RUNNING_SHARE * len(pages))
    running = {line for line, n in edges.items() if n >= least}
    return [_kept(parts, running) for parts in pages]


def _kept(parts: list[Part], running: set[str]) -> list[Part]:
    places = [
        (i, j) for i, part in enumerate(parts) if isinstance(part, Column) for j in range(len(part.lines))
    ]
    texts = {(i, j): parts[i].lines[j].text for i, j in places}  # type: ignore[union-attr]
    edges = {*places[:_EDGE_LINES], *places[-_EDGE_LINES:]}
    outermost = {*places[:1], *places[-1:]} if len(places) > 1 else set()
    dropped = {place for place in edges if texts[place] in running} | {
        place for place in outermost if is_page_number(texts[place])
    }
    return [
        Column(tuple(line for j, line in enumerate(part.lines) if (i, j) not in dropped))
        if isinstance(part, Column)
        else part
        for i, part in enumerate(parts)
    ]


def _blocks(pages: Sequence[list[Part]], recognised: Collection[int] = ()) -> Iterator[Block]:
    """Paragraphs, headings and rows; a paragraph that runs on over a column or page is one."""
    usual = _usual_size(pages)
    open_block: Block | None = None
    first = True
    for number, parts in enumerate(pages, 1):
        for part in parts:
            if isinstance(part, Table):
                if open_block is not None:
                    yield open_block
                open_block = None
                for block in table_blocks(part.grid, page=number):
                    yield replace(block, recognised=number in recognised)
                continue
            for i, (paragraph, size) in enumerate(_paragraphs(part.lines)):
                heading = could_be_heading(paragraph) and (size > _LARGER * usual or first)
                first = False
                if (
                    open_block is not None
                    and i == 0
                    and not heading
                    and open_block.recognised == (number in recognised)
                    and continues(open_block.text, paragraph)
                ):
                    open_block = _continued(open_block, paragraph, number)
                    continue
                if open_block is not None:
                    yield open_block
                open_block = Block(
                    paragraph,
                    kind="heading" if heading else "body",
                    page=number,
                    recognised=number in recognised,
                )
                if heading:
                    yield open_block
                    open_block = None
    if open_block is not None:
        yield open_block


def _continued(block: Block, paragraph: str, page: int) -> Block:
    text = glue([block.text, paragraph])
    turned = page != (block.turns[-1][1] if block.turns else block.page)
    turns = (*block.turns, (len(text) - len(paragraph), page)) if turned else block.turns
    return replace(block, text=text, turns=turns)


def _paragraphs(lines: Sequence[Line]) -> Iterator[tuple[str, float]]:
    """(text, size of its letters) of the paragraphs of a column; larger letters begin one of their own."""
    for _, same in groupby(_numbered(lines), key=lambda pair: pair[0]):
        group = [line for _, line in same]
        for paragraph in paragraphs([line.text for line in group]):
            yield paragraph, max(line.size for line in group)


def _numbered(lines: Sequence[Line]) -> Iterator[tuple[int, Line]]:
    """Lines with the number of the group that they are of: one ends at a gap and where the letters change size."""
    number = 0
    for previous, line in pairwise([*lines[:1], *lines]):
        sizes = sorted((previous.size, line.size))
        number += line.after_gap or sizes[1] > _LARGER * sizes[0]
        yield number, line


def _usual_size(pages: Sequence[list[Part]]) -> float:
    """The size of the letters that most of the text is set in."""
    sizes: Counter[float] = Counter()
    for line in (
        line for parts in pages for part in parts if isinstance(part, Column) for line in part.lines
    ):
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0
