"""What must hold for any bytes: one function a target, called by the fuzzer and by the property tests.

A target takes the bytes as the fuzzer makes them and raises when anything is not as it must be. A document is data:
whatever is in it, the answer is a document with exact spans or a `ReadError` with a reason.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from itertools import pairwise

from index.chunks import make_chunks
from index.errors import ReadError
from index.language.comparison import stands_in
from index.language.dates import find_dates
from index.language.detection import detect
from index.language.lexicon import languages
from index.language.numerals import numerals
from index.language.quantities import find_quantities, numbers_held, numbers_in
from index.language.sentences import split_sentences
from index.language.sounds import sounds_of
from index.language.terms import fold, fold_digits, sound_keys, split_words, word_terms
from index.normalise import normalise, normalise_line
from index.readers import document_id, read_bytes
from index.types import Document
from index.upload_names import safe_name
from rag.question import analyse

_NAMES = ("a.txt", "a.html", "a.md", "a.pdf", "a.docx", "a", "a.rst", "a.csv")
_LANGUAGES = (*languages(), "zh", "th", "ar", "de", "fi", "und", "")
_MAX_BYTES = 1_000_000


def readers(data: bytes) -> None:
    """The first byte chooses the file's name, the others are the file."""
    name = _NAMES[data[0] % len(_NAMES)] if data else "a.txt"
    try:
        document = read_bytes(data[1:], name, max_bytes=_MAX_BYTES, max_garbled_share=0.02)
    except ReadError as error:
        assert error.detail
        assert "\n" not in error.detail
        return
    text = document.text
    assert text
    assert normalise(text) == text, "the text of a document is normalised"
    assert document.title
    assert normalise_line(document.title) == document.title
    assert document.id == document_id(document.title, document.source_url, text, path=document.path)
    json.dumps([text, document.title, document.source_url]).encode()
    text.encode()
    assert all(0 <= span.start < span.end <= len(text) for span in document.marked)
    assert all(a.end <= b.start for a, b in pairwise(document.marked))
    _cut(document, size=48, overlap=8)


def normaliser(data: bytes) -> None:
    """Normalising twice is normalising once, and nothing invisible is left."""
    text = _text(data)
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in once)
    once.encode()  # no lone surrogate
    line = normalise_line(text)
    assert normalise_line(line) == line
    assert "\n" not in line
    assert len(once) <= 3 * len(text) + 3


def spans(data: bytes) -> None:
    """Sentences and chunks are slices of their document and cover each other."""
    language, text = _spoken(data[2:])
    size, overlap = (1 + data[0] % 120, data[1] % 60) if len(data) > 2 else (40, 0)
    _cut(_document(normalise(text), language), size=size, overlap=overlap)


def words(data: bytes) -> None:
    """Words, search terms and sound keys are made of any text, and folding is stable."""
    language, text = _spoken(data)
    assert all(split_words(text))
    assert all(word in text for word in split_words(text))
    assert all(term and not term.isspace() for term in word_terms(text))
    assert all(key.isascii() for key in sound_keys(text, language))
    folded = fold(text)
    assert fold_digits(folded) == folded
    assert len(fold_digits(text)) == len(text)
    assert all(heard.heard.isascii() for heard in sounds_of(text[:64], language))
    assert detect(text)


def numbers(data: bytes) -> None:
    """Numbers and dates lie where they say, in order, and stand in their own text."""
    language, text = _spoken(data)
    plain = fold_digits(text)
    found = find_quantities(text, language)
    for quantity in found:
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert text[quantity.start : quantity.end] == quantity.text
        assert quantity.short
    assert all(a.end <= b.start for a, b in pairwise(found))
    dates = find_dates(plain, language)
    assert all(0 <= date.start < date.end <= len(text) for date in dates)
    assert all(a.end <= b.start for a, b in pairwise(dates))
    taken = [(date.start, date.end) for date in dates]
    numbers = numerals(plain, language, taken=taken)
    assert all(0 <= number.start < number.end <= len(text) for number in numbers)
    assert all(number.replace(".", "").isdecimal() for number in numbers_in(text, language))
    assert numbers_in(text, language) <= numbers_held(text, language), "a text holds the numbers it names"
    every = find_quantities(text, language, weak=True)
    assert all(stands_in(quantity, every) for quantity in every), (
        "a quantity stands in the text that it is of"
    )


def questions(data: bytes) -> None:
    """Any text can be analysed as a question."""
    _, text = _spoken(data)
    asked = analyse(text)
    assert asked.text == text
    assert asked.language
    assert all(run and all(run) for run in asked.names)


def names(data: bytes) -> None:
    """Any client's file name becomes one that stays in its folder."""
    name = safe_name(_text(data))
    assert 0 < len(name.encode()) <= 255
    assert not {"/", "\\", "\0"} & set(name)
    assert name not in (".", "..")
    assert not name.startswith(".")
    assert all(unicodedata.category(c) != "Cc" for c in name)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (readers, normaliser, spans, words, numbers, questions, names)
}


def _cut(document: Document, *, size: int, overlap: int) -> None:
    sentences = split_sentences(document)
    tokens = [max(1, len(sentence.text) // 4) for sentence in sentences]
    chunks = make_chunks(document, sentences, tokens, size=size, overlap=overlap)
    for span in (*sentences, *chunks):
        assert document.text[span.start : span.end] == span.text
        assert span.text.strip()
    assert all(a.end <= b.start for a, b in pairwise(sentences))
    held = {ordinal for chunk in chunks for ordinal in range(chunk.first, chunk.last + 1)}
    assert held == set(range(len(sentences)))


def _document(text: str, language: str) -> Document:
    return Document("d", "d.txt", "d", language, None, text, "text/plain")


def _text(data: bytes) -> str:
    # Lone surrogates come from broken JSON and from file names that are not UTF-8.
    return data.decode("utf-8", "surrogateescape")


def _spoken(data: bytes) -> tuple[str, str]:
    """The first byte chooses a language, the others are a text in it, as far as it is UTF-8."""
    return _LANGUAGES[data[0] % len(_LANGUAGES)] if data else "en", data[1:].decode("utf-8", "replace")
