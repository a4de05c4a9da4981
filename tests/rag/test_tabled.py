"""Questions that the rows of a table answer together, asked in any language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from rag.asking import Ask
from rag.assistant import Assistant
from rag.settings import RagSettings

if TYPE_CHECKING:
    from index.settings import IndexSettings

BOATS = """Boat,Skipper,Length (m),Built,Crew
Alma,Oda Brekke,9.4,1971,3
Brage,Nils Foss,14.2,1988,5
Cora,Liv Moen,7.1,2003,2
Dagny,Per Aas,14.2,1999,4
Total,,44.9,,14
"""
MILL = "The mill of Brattby stands on the east bank. It grinds rye and was built by two brothers. Its wheel is large."


@pytest.fixture(scope="module")
def harbour(index_of: Callable[..., IndexSettings]) -> Iterator[Assistant]:
    """An assistant that knows a table of boats, and something else."""
    index = index_of({"boats.csv": BOATS, "mill.txt": MILL})
    with Assistant.open(RagSettings(index=index, _env_file=None)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "short", "confidence"),
    [
        ("Which boat has the largest crew?", "Brage", "answered"),
        ("Which skipper has the smallest crew?", "Liv Moen", "answered"),
        ("Which boat is the shortest in length?", "Cora", "answered"),
        ("Vilken båt har flest personer ombord?", "Brage", "perhaps"),
        ("किस नाव की लंबाई सबसे कम है?", "Cora", "perhaps"),
    ],
)
def test_the_row_with_the_most_or_the_least(
    harbour: Assistant, question: str, short: str, confidence: str
) -> None:
    answer = harbour.answer(Ask(question))
    assert (answer.short_answer, answer.confidence) == (short, confidence)
    assert short in answer.citations[0].quote
    assert " 4 " in answer.answer.split("[1]")[0], "of how many rows; a sum is none"


def test_rows_that_are_equal_are_all_named(harbour: Assistant) -> None:
    answer = harbour.answer(Ask("Which boat has the largest length?"))
    assert answer.short_answer == "Brage, Dagny"
    assert [citation.marker for citation in answer.citations] == [1, 2]


def test_a_long_table_is_looked_at_whole_and_its_quotes_are_checked(
    index_of: Callable[..., IndexSettings],
) -> None:
    """Rows far from the passages that were found, in columns whose names hold numbers too."""
    rows = [f"Village {n:03},Headman {n:03},{50 + n * 37 % 601}" for n in range(300)]
    most = max(range(300), key=lambda n: 50 + n * 37 % 601)
    index = index_of({"villages.csv": "\n".join(["Village,Headman,Households", *rows])})
    with Assistant.open(RagSettings(index=index, _env_file=None)) as assistant:
        largest = assistant.answer(Ask("Which village has the largest number of households?"))
        assert (largest.short_answer, largest.grounding) == (f"Village {most:03}", "verified")
        counted = assistant.answer(Ask("How many villages are listed?"))
    assert (counted.short_answer, counted.grounding, len(counted.citations)) == ("300", "verified", 12)


def test_rows_are_counted_and_named(harbour: Assistant) -> None:
    answer = harbour.answer(Ask("How many boats are listed?"))
    assert (answer.short_answer, answer.grounding) == ("4", "verified")
    assert [citation.quote.split(";")[0] for citation in answer.citations] == [
        "Boat: Alma", "Boat: Brage", "Boat: Cora", "Boat: Dagny",
    ]  # fmt: skip


@pytest.mark.parametrize("question", ["Which lake is the largest?", "Which mill is the largest?"])
def test_what_no_column_holds_is_not_read_out_of_a_table(harbour: Assistant, question: str) -> None:
    answer = harbour.answer(Ask(question))
    assert not any(citation.quote.startswith("Boat:") for citation in answer.citations) or answer.refused
