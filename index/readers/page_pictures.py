"""Pages of a PDF that are pictures, drawn for recognition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from index.readers.recognition import is_blank

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 300.0
_POINTS = 72.0
_GLANCE_DPI = 50.0
# Pages larger than A3 are drawn coarser.
_MOST_PIXELS = 18_000_000
# A page with fewer letters and a picture over at least this share of it is a scan with a stamp or a page number.
_FEW_LETTERS = 60
_COVERED = 0.6


def pictured(data: bytes, letters: Sequence[int]) -> Iterator[tuple[int, Image, float]]:
    """(place from 0, picture, its pixels per inch) of the pages that are pictures of text; blank ones are left out.

    Args:
        data: a PDF.
        letters: how many each of its pages has in its text layer.

    Raises:
        Exception: PDFium's own where it cannot draw the page.
    """
    # Imported here because it is needed for PDF files alone.
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        document.init_forms()  # what is written in fields is drawn, too
        for number, count in enumerate(letters):
            if count >= _FEW_LETTERS:
                continue
            page = document[number]
            try:
                if (count == 0 or _is_covered(page)) and not is_blank(_drawn(page, _GLANCE_DPI)):
                    width, height = page.get_size()
                    dpi = min(DPI, _POINTS * (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
                    yield number, _drawn(page, dpi), dpi
            finally:
                page.close()
    finally:
        document.close()


def _is_covered(page: Any) -> bool:
    """Whether one picture takes most of a page."""
    # Imported here because it is needed for PDF files alone.
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    boxes = [each.get_bounds() for each in page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=3)]
    return any(
        (right - left) * (top - bottom) >= _COVERED * width * height for left, bottom, right, top in boxes
    )


def _drawn(page: Any, dpi: float) -> Image:
    drawn: Image = page.render(scale=dpi / _POINTS, grayscale=True).to_pil()
    return drawn
