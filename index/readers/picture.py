"""Pictures of text, such as scans and photographs of letters: their text as the program for recognition reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.errors import ReadError, SkipReason
from index.readers.blocks import Extract
from index.readers.pdf import page_blocks
from index.readers.recognition import Recogniser, left_out, no_program, unsure

if TYPE_CHECKING:
    from PIL.Image import Image

# Larger ones are no page of paper; unpacked, one takes as many bytes.
_MOST_PIXELS = 120_000_000
_MOST_PAGES = 500
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
# Cameras and screenshots say nothing of the paper, or 72: then the page is taken for one of A4's width, in inches.
_LEAST_DPI, _MOST_DPI = 90, 1200
_WIDTH = 8.27


def read_picture(data: bytes, recogniser: Recogniser) -> Extract:
    """The text in a picture, or in the pages of a TIFF file.

    Raises:
        ReadError: `unsupported` without the program for recognition, `empty` without text, `garbled` when it cannot be
            recognised for sure, `too_large` or `broken`.
    """
    # Imported here because it is needed for pictures alone.
    from PIL import Image

    pages = []
    unread: list[int] = []
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            media_type = Image.MIME[image.format or ""]
            if not recogniser.available:
                raise no_program(SkipReason.UNSUPPORTED, "it is an image")
            for number, (page, dpi) in enumerate(_pages(image), 1):
                runs = recogniser.runs(page, dpi=dpi)
                pages.append(runs or [])
                if runs is None:
                    unread.append(number)
    except (ReadError, MemoryError):
        raise
    except Exception as error:  # a damaged file raises anything
        raise ReadError(SkipReason.BROKEN, "the image is damaged; save or scan it again") from error
    if not any(pages):
        if unread:
            raise unsure()
        raise ReadError(SkipReason.EMPTY, "no text was recognised in the image; add its text or remove it")
    blocks = page_blocks(pages, numbered=len(pages) > 1)
    return Extract(tuple(blocks), media_type, notice=left_out(unread, installed=True))


def _pages(image: Image) -> Iterator[tuple[Image, float]]:
    # Imported here because it is needed for pictures alone.
    from PIL import ImageOps, ImageSequence

    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if frame.width * frame.height > _MOST_PIXELS or number == _MOST_PAGES:
            raise ReadError(
                SkipReason.TOO_LARGE,
                f"the image has more than {_MOST_PIXELS // 1_000_000} million pixels or {_MOST_PAGES} pages; "
                "scan it at 300 dpi, in parts",
            )
        told = float((frame.info.get("dpi") or (0,))[0])
        page = ImageOps.exif_transpose(frame)
        yield page, told if _LEAST_DPI <= told <= _MOST_DPI else max(_LEAST_DPI, page.width / _WIDTH)
