"""Pictures of text: lines drawn in the fonts that the page and matplotlib bring along."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

_FONTS = Path(__file__).resolve().parents[1] / "ui" / "page" / "fonts"
_OWN = {"bn": "noto-sans-bengali-400.woff2", "hi": "noto-sans-devanagari-400.woff2"}
_LATIN = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@cache
def font_file(language: str) -> bytes:
    """A font for a language."""
    if language in _OWN:
        font, data = TTFont(_FONTS / _OWN[language]), io.BytesIO()
        font.flavor = None
        font.save(data)
        return data.getvalue()
    return _LATIN.read_bytes()


def drawn(lines: Sequence[str], language: str, *, dpi: int = 200, points: float = 12) -> Image.Image:
    """A page with lines of text, as high as they need."""
    size = round(points * dpi / 72)
    font = ImageFont.truetype(io.BytesIO(font_file(language)), size)
    wide = max(round(font.getlength(line)) for line in lines) + 4 * size
    page = Image.new("L", (wide, round(1.6 * size * len(lines)) + 4 * size), 255)
    for number, line in enumerate(lines):
        ImageDraw.Draw(page).text((2 * size, 2 * size + round(1.6 * size * number)), line, font=font, fill=0)
    return page


def saved(page: Image.Image, kind: str, *, dpi: int = 200, more: Sequence[Image.Image] = ()) -> bytes:
    """A picture as a file; `more` pages where its kind has several."""
    data = io.BytesIO()
    pages = {"save_all": True, "append_images": list(more)} if more else {}
    page.save(data, kind, dpi=(dpi, dpi), **pages)
    return data.getvalue()
