"""Bytes to text: the encoding of a file, or the finding that it is not text.

In order: a byte order mark, strict UTF-8, UTF-16 without a mark, what the file itself declares, UTF-8 with
a few broken bytes, the single-byte encoding whose reading has the letters of one Latin-script language, and
at last charset-normalizer. It comes last because it takes short Swedish for cp1250 and short German for
cp775.
"""

from __future__ import annotations

import codecs
import tomllib
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path

import regex

from index.errors import ReadError, SkipReason

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 20_000
# Text has tabs, line ends, form feeds, perhaps an escape; a larger share of control bytes is no text.
_MAX_CONTROL_SHARE = 0.01
_CONTROLS = frozenset({"Cc", "Cs"})
_CONTROL = bytes(c for c in range(32) if c not in b"\t\n\r\x0b\x0c\x1a\x1b")
# Of all bytes beyond ASCII, at most this share may be broken for the file still to be UTF-8.
_MAX_BROKEN_SHARE = 0.05
# At least this share of the letters beyond ASCII must belong to one language (the others are in foreign
# names).
_MIN_OF_ONE_LANGUAGE = 0.6
# Punctuation and signs that every language's typography shares; they tell nothing about a code page's
# letters.
_TYPOGRAPHY = frozenset("\u00a0«»‹›“”„‘’‚–—…•·§°©®™€£¿¡×÷±²³½¼¾µ")
_SIGN_IN_WORD = regex.compile(r"(?<=\p{L})[^\p{L}\p{M}\p{N}\p{Z}\x00-\x7f’–·](?=\p{L})")
_ASCII_LETTERS = [bytes([c]) for c in range(128) if chr(c).isalpha()]
_HIGH = bytes(range(128, 256))
_TABLE = Path(__file__).parent.parent / "data" / "code_pages.toml"
_DECLARED = regex.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})""",
    regex.I,
)


def decode(data: bytes) -> str:
    """The text of `data`, not normalised.

    Raises:
        ReadError: `binary` when no encoding makes text of it.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            # A cut-off last character costs itself, not the document.
            return data[len(mark) :].decode(name, "replace")
    text = _utf16(data) if b"\x00" in data else _utf8(data)
    odd = _CONTROLS
    if text is None and not _binary(data):
        text = _declared(data) or _almost_utf8(data) or _guessed(data)
        # In a guess an unassigned character speaks against it; in UTF-8 it is one newer than Python's tables.
        odd = _CONTROLS | {"Cn"}
    if text is None or _unprintable(text, odd):
        raise ReadError(
            SkipReason.BINARY,
            "it is not text in any known encoding; save it as UTF-8 text, PDF, HTML or DOCX",
        )
    return text


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: spaces and line ends show the byte order, in every script."""
    for order, blanks in (("utf-16-le", (b" \x00", b"\n\x00")), ("utf-16-be", (b"\x00 ", b"\x00\n"))):
        even = sum(_count_even(data, blank) for blank in blanks)
        # Words are rarely longer than 50 letters, and no byte pair of binary data is a space so often.
        if even * 100 >= len(data) or (even and len(data) < 200):
            try:
                return data[: len(data) // 2 * 2].decode(order)
            except UnicodeDecodeError:
                continue
    return None


def _count_even(data: bytes, pair: bytes) -> int:
    units = memoryview(data[: len(data) // 2 * 2]).cast("H").tolist() if len(data) < 2 * _SAMPLE else None
    if units is None:
        return _count_even(data[:_SAMPLE], pair) * len(data) // _SAMPLE
    return units.count(memoryview(pair).cast("H")[0])


def _binary(data: bytes) -> bool:
    if b"\x00" in data:
        return True
    control = len(data) - len(data.translate(None, _CONTROL))
    return control > _MAX_CONTROL_SHARE * len(data)


def _declared(data: bytes) -> str | None:
    """What a web page says of itself; None when it says nothing, or something untrue."""
    match = _DECLARED.search(data[:4096])
    if match is None:
        return None
    name = (match.group(1) or match.group(2)).decode("ascii", "replace")
    try:
        # Browsers read these names as windows-1252, and pages rely on it (WHATWG Encoding Standard).
        text = data.decode("cp1252" if name.lower() in {"iso-8859-1", "latin1", "us-ascii"} else name)
    except (LookupError, UnicodeDecodeError):
        return None
    # Codecs such as "rot13" or "hex" give no str; their names are no encodings of text.
    return text if isinstance(text, str) else None


def _almost_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    beyond_ascii = sum(1 for c in text if c > "\x7f")
    return text if broken <= _MAX_BROKEN_SHARE * beyond_ascii else None


def _guessed(data: bytes) -> str | None:
    # The encoding shows early; cut at a line end, not inside a character.
    head = data[: data.rfind(b"\n", 0, _SAMPLE) + 1 or _SAMPLE]
    latin = _latin_code_page(head)
    if latin is not None:
        return _read_as(latin, data)
    # Imported here because it takes 0.1 s and nearly every file is UTF-8.
    import charset_normalizer

    best = charset_normalizer.from_bytes(head).best()
    return None if best is None else _read_as(best.encoding, data)


def _latin_code_page(head: bytes) -> str | None:
    """The code page whose reading of `head` has the letters of one language; None for other scripts."""
    ascii_letters = sum(map(head.count, _ASCII_LETTERS))
    beyond = len(head) - len(head.translate(None, _HIGH))
    if ascii_letters < beyond:
        return None
    best, score = None, _MIN_OF_ONE_LANGUAGE
    for encoding, alphabets in _code_pages():
        found = _of_one_language(head.decode(encoding, "replace"), alphabets)
        if found > score:
            best, score = encoding, found
    return best


def _of_one_language(text: str, alphabets: tuple[frozenset[str], ...]) -> float:
    """The largest share of the characters beyond ASCII that are letters of one of the languages, or
    typography."""
    # A quotation mark inside a word is a misread letter: mac_roman makes "C‚te" of "Câte".
    text = _SIGN_IN_WORD.sub("\ufffd", text.lower())
    beyond = Counter(c for c in text if c > "\x7f" and c not in _TYPOGRAPHY)
    total = beyond.total()
    if not total:
        return 1.0
    return max(sum(n for c, n in beyond.items() if c in letters) for letters in alphabets) / total


@lru_cache(maxsize=1)
def _code_pages() -> tuple[tuple[str, tuple[frozenset[str], ...]], ...]:
    """Each encoding with the alphabets of its languages, likelier encodings first."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return tuple(
        (encoding, tuple(frozenset(letters) for code, letters in row.items() if code != "encodings"))
        for row in table.values()
        for encoding in row["encodings"]
    )


def _read_as(name: str, data: bytes) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        # A code page has holes; one stray byte must not lose a file whose head was read well.
        text = data.decode(name, "replace")
        return text if text.count("\ufffd") <= _MAX_BROKEN_SHARE * len(text) else None


def _unprintable(text: str, odd: frozenset[str]) -> bool:
    """True for binary data that an encoding happens to accept: too many characters of the categories
    `odd`."""
    sample = text[:_SAMPLE]
    found = sum(unicodedata.category(c) in odd and c not in "\t\n\r\x0b\x0c\x85" for c in sample)
    # Two in a short text are no sign yet.
    return found > _MAX_CONTROL_SHARE * max(len(sample), 200)
