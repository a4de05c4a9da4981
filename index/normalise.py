"""The one normalisation of text, applied once at load: every offset in this project refers to its result."""

from __future__ import annotations

import unicodedata

import regex

# Stored with every index: texts made by another version must be read again, because offsets may differ.
NORMALISER_VERSION: int = 1

# Each of these ends a line for some writer: CRLF, CR, NEL, the Unicode separators, and the vertical tab and
# form feed that Word and PDF files use for soft breaks and pages.
_LINE_ENDS = regex.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

# Invisible characters that carry no text: control characters, soft hyphen, BOM and zero-width space, word
# joiner, bidi overrides and isolates (they can show a quote in another order than it is), tags (they hide
# text from a reader but not from a model) and noncharacters. ZWJ and ZWNJ stay: Indic and Persian spelling
# needs them.
_INVISIBLE = regex.compile(
    r"[[\p{Cc}--[\n\t]]\u00AD\uFEFF\u200B\u2060\u202A-\u202E\u2066-\u2069\U000E0000-\U000E007F"
    r"\p{Noncharacter_Code_Point}]",
    regex.V1,
)
_LONE_SURROGATE = regex.compile("[\ud800-\udfff]")
# The lookbehind lets a run be tried once, from its start: a megabyte of spaces inside a line stays linear.
_TRAILING_SPACE = regex.compile(r"(?<![\t\p{Zs}])[\t\p{Zs}]++$", regex.M)
_BLANK_RUN = regex.compile("\n{4,}")


def normalise(text: str) -> str:
    """`text` in NFC with `\\n` line ends and without what nobody can see.

    Removed: control characters but `\\n` and `\\t`, BOMs, soft hyphens, zero-width spaces, bidi overrides and
    isolates, tag characters, spaces at line ends. Three or more blank lines become one. A lone surrogate
    becomes U+FFFD; a pair of them (as broken JSON decoders leave) becomes its character.

    Idempotent: `normalise(normalise(x)) == normalise(x)` for every `str`.
    """
    text = _LINE_ENDS.sub("\n", whole(text))
    # Removal comes before NFC: it can bring a letter and its mark together.
    text = unicodedata.normalize("NFC", visible(text))
    return str(_BLANK_RUN.sub("\n\n", _TRAILING_SPACE.sub("", text)))


def visible(text: str) -> str:
    """`text` without the invisible characters that `normalise` removes; line ends other than `\\n` are among them."""
    return str(_INVISIBLE.sub("", text))


def whole(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate, which no file and no message can hold; pairs become characters."""
    if _LONE_SURROGATE.search(text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def normalise_line(text: str) -> str:
    """`text` normalised and on one line: every run of white space is one space, none at the ends."""
    return " ".join(normalise(text).split())
