"""PDF files by pypdf: their text layer, its printed lines joined to paragraphs."""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import regex

from index.errors import ReadError, SkipReason
from index.normalise import normalise, normalise_line
from index.readers.blocks import Block, Extract
from index.readers.shape import could_be_heading
from index.readers.wrapped import continues, glue, paragraphs

_MEDIA_TYPE = "application/pdf"
# Producers write the file's name or nothing into the title: "Microsoft Word - x.doc", "untitled", "slide 1".
_NO_TITLE = regex.compile(
    r"^(?:microsoft (?:word|powerpoint|excel) - .*"
    r"|.*\.(?:docx?|odt|pdf|rtf|indd|pptx?|xlsx?|tex|dvi|qxp|pages|tmp)"
    r"|untitled.*|document\d*|slide \d+|print|title|\(?anonymous\)?|[\W\d_]*)$",
    regex.I,
)
# A line that opens or closes at least this share of three or more pages is a running header or footer.
_RUNNING_SHARE = 0.5
_FEWEST_PAGES = 3
_EDGE_LINES = 2
_LONGEST_PAGE_NUMBER = 40
_PAGE_NUMBER = regex.compile(
    r"^[\W_]*(?:\p{L}{0,6}\.?\s*)?\p{Nd}{1,4}(?:\s*(?:/|\p{L}{1,4})\s*\p{Nd}{1,4})?[\W_]*$"
)


def read_pdf(data: bytes) -> Extract:
    """The blocks of a PDF's text layer, without running headers, footers and page numbers.

    Raises:
        ReadError: `encrypted` when the empty password does not open it, `empty` without a text layer,
            `broken` when it is damaged.
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
        pages = [page.extract_text() or "" for page in reader.pages]
        title = _title(reader)
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
    if not any(page.strip() for page in pages):
        raise ReadError(SkipReason.EMPTY, "the PDF has no text layer; run OCR on it, then add the result")
    blocks = tuple(_blocks([normalise(page).split("\n") for page in pages]))
    return Extract(blocks, _MEDIA_TYPE, title=title)


def _encrypted(remedy: str) -> ReadError:
    return ReadError(SkipReason.ENCRYPTED, f"the PDF is encrypted; {remedy}")


def _title(reader: Any) -> str | None:
    """The title of the metadata when a person wrote it."""
    metadata = reader.metadata
    title = normalise_line(str(metadata.title)) if metadata is not None and metadata.title else ""
    return title if title and not _NO_TITLE.match(title) else None


def _blocks(pages: Sequence[list[str]]) -> Iterator[Block]:
    running = _running_lines(pages)
    open_paragraph = ""
    for number, lines in enumerate(pages):
        for i, paragraph in enumerate(paragraphs(_without_edges(lines, running))):
            if open_paragraph and i == 0 and continues(open_paragraph, paragraph):
                open_paragraph = glue([open_paragraph, paragraph])
                continue
            if open_paragraph:
                yield Block(open_paragraph)
            open_paragraph = paragraph
            if number == 0 and i == 0 and could_be_heading(paragraph):
                yield Block(paragraph, kind="heading")
                open_paragraph = ""
    if open_paragraph:
        yield Block(open_paragraph)


def _running_lines(pages: Sequence[list[str]]) -> frozenset[str]:
    if len(pages) < _FEWEST_PAGES:
        return frozenset()
    edges: Counter[str] = Counter()
    for lines in pages:
        edges.update(set(_edge_lines(lines)))
    return frozenset(
        line for line, n in edges.items() if n >= max(_FEWEST_PAGES, _RUNNING_SHARE * len(pages))
    )


def _edge_lines(lines: Sequence[str]) -> list[str]:
    visible = [_bare(line) for line in lines if line.strip()]
    return visible[:_EDGE_LINES] + visible[-_EDGE_LINES:]


def _bare(line: str) -> str:
    """A line without its numbers: "Page 3 of 9" and "Page 4 of 9" are one footer."""
    return str(regex.sub(r"\p{Nd}+", "0", line.strip()))


def _without_edges(lines: Sequence[str], running: frozenset[str]) -> list[str]:
    """The lines of a page without running lines and page numbers among its first and last two."""
    visible = [i for i, line in enumerate(lines) if line.strip()]
    edges = {*visible[:_EDGE_LINES], *visible[-_EDGE_LINES:]}
    outermost = {*visible[:1], *visible[-1:]} if len(visible) > 1 else set()
    dropped = {i for i in edges if _bare(lines[i]) in running} | {
        i for i in outermost if len(lines[i]) <= _LONGEST_PAGE_NUMBER and _PAGE_NUMBER.match(lines[i].strip())
    }
    return [line for i, line in enumerate(lines) if i not in dropped]
