"""What another version of a document says is shown beside the quote, in the language of who reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from rag.alignment import Pair, align
from rag.answer import Answer
from rag.asking import Ask
from rag.assistant import Assistant
from rag.settings import RagSettings

if TYPE_CHECKING:
    from index.embedder import Embedder
    from index.settings import IndexSettings

SOURCE = "https://news.example/mill"
ENGLISH = (
    "The mill of Brattby\n\nThe mill of Brattby was built in 1788 by two brothers. It has four pairs of stones. "
    "Flour is sold on Fridays. The miller is called Ragna Holt. "
    "In winter the wheel stands still because of the ice.\n\n"
)
# The third sentence is missing, and one is added.
SWEDISH = (
    "Kvarnen i Brattby\n\nKvarnen i Brattby byggdes 1788 av två bröder. Den har fyra par stenar. "
    "Mjölnaren heter Ragna Holt. Hon är född i byn. På vintern står hjulet stilla på grund av isen.\n\n"
)


@pytest.fixture(scope="module")
def mill(index_of: Callable[..., IndexSettings]) -> Iterator[Assistant]:
    """An assistant that knows a page in two languages."""
    texts = {"mill.en.txt": f"{ENGLISH}Source: {SOURCE}\n", "mill.sv.txt": f"{SWEDISH}Källa: {SOURCE}\n"}
    with Assistant.open(RagSettings(index=index_of(texts), _env_file=None)) as opened:
        yield opened


def asked(mill: Assistant, question: str, *, page: str | None, within: str) -> Answer:
    (document,) = [info.id for info in mill.corpus.documents() if info.language == within]
    return mill.answer(Ask(question, interface=page, documents=(document,)))


def test_the_version_in_the_readers_language_says_it_too(mill: Assistant) -> None:
    answer = asked(mill, "चक्की का पहिया सर्दियों में क्यों रुक जाता है?", page="sv", within="en")
    (citation, *_) = answer.citations
    assert citation.quote == "In winter the wheel stands still because of the ice."
    assert citation.gloss is not None
    assert citation.gloss.text == "På vintern står hjulet stilla på grund av isen."
    document = mill.corpus.document(citation.gloss.document_id)
    assert document is not None
    assert document.text[citation.gloss.start : citation.gloss.end] == citation.gloss.text
    assert Answer.from_dict(answer.to_dict()) == answer


def test_what_the_other_version_leaves_out_has_none(mill: Assistant) -> None:
    answer = asked(mill, "Trên những ngày nào bột được bán?", page="sv", within="en")
    assert answer.citations[0].quote == "Flour is sold on Fridays."
    assert answer.citations[0].gloss is None


def test_who_reads_the_quote_needs_none(mill: Assistant) -> None:
    answer = asked(mill, "Who is the miller of Brattby?", page="sv", within="en")
    assert answer.citations[0].gloss is None


def test_texts_of_different_length_are_paired_in_order(embedder: Embedder) -> None:
    here = embedder.embed_passages(
        ["The bridge was closed.", "It snowed for a week.", "The school stayed open."]
    )
    there = embedder.embed_passages(["Bron stängdes.", "Skolan höll öppet."])
    assert align(here, there) == [Pair(0, 1, 0, 1), Pair(2, 3, 1, 2)]
    assert align(here, here[:0]) == []
