"""Sentences and chunks: every span is a slice of its document, whatever the text."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT, by_id

from index.chunks import make_chunks
from index.language.sentences import LONGEST_PIECE, split_sentences
from index.normalise import normalise
from index.readers import document_files, read_document
from index.settings import SHIPPED_DOCUMENTS
from index.types import Document, Sentence, Span


def make_document(text: str, language: str = "en", marked: tuple[Span, ...] = ()) -> Document:
    return Document(
        id="d",
        path="d.txt",
        title="",
        language=language,
        source_url=None,
        text=text,
        media_type="text/plain",
        marked=marked,
    )


def check_spans(document: Document, *, size: int = 50, overlap: int = 0) -> None:
    sentences = split_sentences(document)
    tokens = [max(1, len(sentence.text) // 4) for sentence in sentences]
    chunks = make_chunks(document, sentences, tokens, size=size, overlap=overlap)
    for span in (*sentences, *chunks):
        assert document.text[span.start : span.end] == span.text
        assert span.text.strip()
    assert [s.ordinal for s in sentences] == list(range(len(sentences)))
    assert all(a.end <= b.start for a, b in pairwise(sentences))
    held = {ordinal for chunk in chunks for ordinal in range(chunk.first, chunk.last + 1)}
    assert held == set(range(len(sentences)))
    for chunk in chunks:
        assert chunk.start == sentences[chunk.first].start
        assert chunk.end == sentences[chunk.last].end


SHIPPED = document_files(SHIPPED_DOCUMENTS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("overlap", [0, 20])
def test_shipped_documents_are_cut_into_slices(path: Path, overlap: int) -> None:
    document = read_document(path, relative_to=SHIPPED_DOCUMENTS, max_bytes=10**6, max_garbled_share=0.02)
    check_spans(document, overlap=overlap)


@pytest.mark.parametrize("text", by_id({**MULTI_SCRIPT, **HOSTILE}))
def test_texts_of_every_script_are_cut_into_slices(text: str) -> None:
    check_spans(make_document(normalise(text)))


@settings(max_examples=150)
@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400)
    | st.lists(
        st.sampled_from(["ক্যান থো। ", "५४० ", "Dr. X", ". ", "\n", "; ", "্", "😀", "你好。", "100,5 "])
    ).map("".join),
    st.integers(1, 80),
    st.integers(0, 40),
)
def test_hostile_text_is_cut_into_slices(text: str, size: int, overlap: int) -> None:
    check_spans(make_document(normalise(text)), size=size, overlap=overlap)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        pytest.param("bn", "এটি এক। ওটি দুই।", ["এটি এক।", "ওটি দুই।"], id="danda"),
        pytest.param("hi", "यह है। क्या? हाँ!", ["यह है।", "क्या?", "हाँ!"], id="hindi question"),
        pytest.param("en", "Dr. Smith left. He ran.", ["Dr. Smith left.", "He ran."], id="abbreviation"),
        pytest.param(
            "sv", "Den bl.a. ökade. Sedan föll den.", ["Den bl.a. ökade.", "Sedan föll den."], id="swedish"
        ),
        pytest.param("zh", "你好。再见。", ["你好。", "再见。"], id="no spaces"),
        pytest.param("en", "A caption\nA sentence.", ["A caption", "A sentence."], id="line end"),
        pytest.param("en", "... --- !!!", [], id="no words"),
        pytest.param("en", "", [], id="empty"),
    ],
)
def test_sentence_boundaries(language: str, text: str, expected: list[str]) -> None:
    assert [s.text for s in split_sentences(make_document(text, language))] == expected


def test_a_long_sentence_is_cut_at_semicolons_and_never_left_whole() -> None:
    listed = (
        "; ".join(f"the office issued permit number {n} to a very patient applicant" for n in range(8)) + "."
    )
    assert [s.text[:10] for s in split_sentences(make_document(listed))] == ["the office"] * 8
    endless = split_sentences(make_document("x" * 5000))
    assert max(len(s.text) for s in endless) <= LONGEST_PIECE


def test_marked_spans_give_sentences_their_kind() -> None:
    text = "A view of the meeting\nThe two sides agreed."
    sentences = split_sentences(make_document(text, marked=(Span(0, 21, "caption"),)))
    assert [s.kind for s in sentences] == ["caption", "body"]


def sentences_of_length(*tokens: int) -> tuple[Document, list[Sentence]]:
    document = make_document("\n".join("w" * count for count in tokens))
    return document, split_sentences(document)


@pytest.mark.parametrize(
    ("tokens", "size", "overlap", "expected"),
    [
        pytest.param([10], 100, 0, [(0, 0)], id="one"),
        pytest.param([50, 50, 10, 10], 100, 0, [(0, 0), (1, 3)], id="balanced, not a chunk and a stub"),
        pytest.param([30, 30, 30], 90, 0, [(0, 2)], id="exactly full"),
        pytest.param([500, 10], 100, 0, [(0, 0), (1, 1)], id="a sentence larger than a chunk"),
        pytest.param([40, 10, 40, 40], 90, 10, [(0, 1), (1, 3)], id="overlap of whole sentences"),
    ],
)
def test_chunks_are_whole_sentences(
    tokens: list[int], size: int, overlap: int, expected: list[tuple[int, int]]
) -> None:
    document, sentences = sentences_of_length(*tokens)
    chunks = make_chunks(document, sentences, tokens, size=size, overlap=overlap)
    assert [(chunk.first, chunk.last) for chunk in chunks] == expected
