"""What the fuzzer looks for, with hypothesis' own inputs: bytes, texts of every script, pieces of real files.

The targets are those of `tests.fuzz`; what the fuzzer once found stands here as an example.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.upload_names import safe_name
from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS

EXAMPLES = {"readers": 60, "spans": 60, "questions": 30}

# fmt: off
_PIECES = st.sampled_from([
    "540", "৫৪০", "५ ", "1,2", ".5", "%", "€", "-", "/", "10/11/2025", "3 May", "মে", "tháng ", "½", "IV", "57-NQ/TW",
    "million", "লাখ", " lakh", "fem", "hai mươi", ".", "। ", "\n", "\n\n", " ", "\u00a0", "\u0301", "\u200d", "্", "```",
    "Can Tho", "ক্যান", "漢字", "ไทย", "\u202e", "\x00", "\u00df", "\u0130", "😀", "# ", "<p>", "</", "&amp;", "|",
])
# fmt: on
_TEXTS = st.text(max_size=200) | st.lists(_PIECES, max_size=30).map("".join)


def _inputs(target: str) -> st.SearchStrategy[bytes]:
    """Bytes for a target: texts behind the bytes that choose, raw bytes, and its first inputs with a piece replaced."""
    texts = st.tuples(st.binary(min_size=1, max_size=3), _TEXTS).map(
        lambda pair: pair[0] + pair[1].encode("utf-8", "surrogatepass")
    )
    first = st.sampled_from(corpus.inputs(target))
    damaged = st.builds(_damaged, first, st.floats(0, 1), st.floats(0, 1), st.binary(max_size=20))
    return texts | st.binary(max_size=300) | damaged


def _damaged(content: bytes, start: float, length: float, other: bytes) -> bytes:
    """An input with a piece replaced."""
    first = int(start * len(content))
    return content[:first] + other + content[first + int(length**4 * len(content)) :]


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_the_bytes_are(target: str) -> None:
    check(target, TARGETS[target])


def check(name: str, target: Callable[[bytes], None]) -> None:
    @settings(max_examples=EXAMPLES.get(name, 100))
    @given(_inputs(name))
    def run(data: bytes) -> None:
        target(data)

    run()


@pytest.mark.parametrize("target", TARGETS)
def test_the_first_inputs_of_the_fuzzer(target: str) -> None:
    for content in corpus.inputs(target):
        TARGETS[target](content)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param("a \udcff \udcff report.txt", "a report.txt", id="dropped characters left spaces"),
        pytest.param(
            "e\u0301" * 60 + "x" * 79 + ". " + "y" * 90, "\u00e9" * 60 + "x" * 79, id="cut at a dot"
        ),
    ],
)
def test_names_that_the_fuzzer_found(given: str, name: str) -> None:
    assert safe_name(given) == name
