"""Text made ready for matching: folded strings, whole words, and the tokens of the MLQA score.

Three views of one text. `fold` keeps everything that a reader would say aloud and evens out how it is written;
`contains` looks for a folded string with its edges checked. `words` cuts a folded text into words and numbers.
`tokens` is what published F1 and exact-match figures count.
"""

from __future__ import annotations

import unicodedata

import regex

from index.language.digits import ungrouped
from index.language.terms import fold_digits
from index.normalise import normalise

# Stored with every run: scores made by another version are not comparable. Raise it when a rule here changes.
NORMALISER = "1"

_JOINERS = {0x200C: None, 0x200D: None}
_ASCII = (
    dict.fromkeys(map(ord, "‘’‚‛′‹›´ʼ"), "'")
    | dict.fromkeys(map(ord, "“”„‟″«»"), '"')
    | dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
    | dict.fromkeys(map(ord, "٪％﹪"), "%")
    | {ord("٫"): ".", ord("٬"): ","}
)
# Scripts that put no space between words.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_SPACED_LETTER = regex.compile(rf"[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]", regex.V1)
# One letter of such a script with its marks, or a run of anything else.
_PIECES = regex.compile(rf"[[{_UNSPACED}]&&\p{{L}}]\p{{M}}*|[^{_UNSPACED}]+|.", regex.V1)
_WORDS = regex.compile(r"[0-9]+(?:[.,:'][0-9]+)*|[\p{L}\p{M}\p{N}]+")
_NUMBER = regex.compile(r"[0-9]")
# A digit, or what joins one to the next: "5" is no part of "1.5", "30" none of "10:30".
_DIGIT_BEFORE = regex.compile(r"[0-9][.,:']?$")
_DIGIT_AFTER = regex.compile(r"[.,:']?[0-9]")
# Arabic and Hebrew write "and", "in", "to", "the" onto the next word.
_PROCLITIC = regex.compile(r"(?<![\p{L}\p{M}])(?:[وف]?[بكل]?(?:ال)?|[והבכלמש]{1,3})$")

_DROPPED = regex.compile(r"[\p{P}\p{S}]")
# The lists of MLQA's script; Swedish is not in it and gets its articles here.
_ARTICLES: dict[str, frozenset[str]] = {
    "en": frozenset({"a", "an", "the"}),
    "es": frozenset({"un", "una", "unos", "unas", "el", "la", "los", "las"}),
    "vi": frozenset({"của", "là", "cái", "chiếc", "những"}),
    "de": frozenset(
        {"ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"}
    ),
    "sv": frozenset({"en", "ett", "den", "det", "de"}),
}


def fold(text: str) -> str:
    """`text` as it is compared: one line, NFC, case folded, ASCII digits, quotes and dashes, numbers ungrouped.

    "1,540", "1.540", "১,৫৪০", "1'540" and "1 540" (with a no-break space) all give "1540"; "3, 4" stays a list.
    A plain space separates words as often as thousands and stays; a leading zero makes a decimal ("0,125"). "1.540" is
    read as thousands whatever the language: both sides of a comparison are folded alike, so that a true "1.540" still
    equals itself. Diacritics stay. Idempotent. May change the length.
    """
    plain = _plain(text).translate(_ASCII)
    return " ".join(ungrouped(plain).split())


def contains(text: str, expected: str) -> bool:
    """Whether `expected` stands in `text`, both folded; False where nothing is expected.

    A digit at an edge of `expected` must not go on as a number ("54" is not in "540", "5" not in "1.5"). A letter
    at its left edge must not stand inside a word, in scripts with spaces between words; the right edge is free,
    because case endings are glued on ("ক্যান থো" is in "ক্যান থোর"). One-letter words that Arabic and Hebrew
    write onto the next one may precede.
    """
    haystack, needle = fold(text), fold(expected)
    position = haystack.find(needle) if needle else -1
    while position >= 0:
        if _starts_free(haystack, position) and _ends_free(haystack, position + len(needle)):
            return True
        position = haystack.find(needle, position + 1)
    return False


def words(text: str) -> list[str]:
    """The words and numbers of a text, folded, in order. Signs are dropped, so "540+" and "~540" give "540".

    A number with a decimal or time separator is one word ("1.5", "10:30"); ratios and ranges are two. A run
    of a script without spaces between words is one word; `pieces` cuts it.
    """
    return list(_WORDS.findall(fold(text)))


def is_number(word: str) -> bool:
    """Whether one of `words` is a number."""
    return _NUMBER.match(word) is not None


def pieces(word: str) -> list[str]:
    """A word's letters, each with its marks, where its script has no spaces between words; else the word itself."""
    return list(_PIECES.findall(word))


def tokens(text: str, language: str) -> list[str]:
    """The tokens of the MLQA score, in order: lower case, no punctuation, no articles of `language`.

    After mlqa_evaluation_v1.py of github.com/facebookresearch/MLQA (Lewis et al. 2020). As there, a removed sign
    joins what it stood between ("1.5" gives "15") and Arabic loses every "ال". Unlike there: digits of every
    script are ASCII; symbols beyond ASCII go too; letters of Chinese, Japanese, Thai and their like are single
    tokens whatever the language, each with its marks; Swedish has its articles; other languages have none.
    """
    plain = _DROPPED.sub("", _plain(text))
    if language == "ar":
        plain = plain.replace("ال", " ")
    articles = _ARTICLES.get(language, frozenset())
    return [piece for word in plain.split() if word not in articles for piece in pieces(word)]


def _plain(text: str) -> str:
    visible = normalise(text).translate(_JOINERS)
    # Canonical caseless matching (Unicode 3.13, D145): decompose, fold, compose.
    folded = unicodedata.normalize("NFD", visible).casefold()
    return fold_digits(unicodedata.normalize("NFC", folded))


def _starts_free(text: str, start: int) -> bool:
    """Whether what begins at `start` does not go on to the left."""
    if start == 0:
        return True
    if _NUMBER.match(text, start):
        return _DIGIT_BEFORE.search(text, max(0, start - 2), start) is None
    inside = _SPACED_LETTER.match(text, start) and _SPACED_LETTER.match(text, start - 1)
    return not inside or _PROCLITIC.search(text, max(0, start - 4), start) is not None


def _ends_free(text: str, end: int) -> bool:
    """Whether a number that ends at `end` does not go on to the right."""
    return _NUMBER.match(text, end - 1) is None or _DIGIT_AFTER.match(text, end) is None
