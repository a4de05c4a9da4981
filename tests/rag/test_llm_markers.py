"""Markers in a text that streams: what is given is the same wherever the pieces were cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT, by_id

from rag.llm.markers import SENTINEL, MarkerStream

COUNT = 5
MARKER = re.compile(r"\[(\d{1,3})\]")


def through(text: str, *, cuts: Sequence[int] = (), count: int = COUNT) -> tuple[str, list[int], bool]:
    """What comes of a text that is fed in pieces: the text, the order, whether it declines."""
    stream = MarkerStream(count)
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    given_back = [stream.feed(text[start:end]) for start, end in pairwise(places)]
    given_back.append(stream.finish())
    return "".join(given_back), stream.order, stream.not_in_documents


@pytest.mark.parametrize(
    ("text", "expected", "order"),
    [
        pytest.param("", "", [], id="empty"),
        pytest.param("One [1]. Two [2].", "One [1]. Two [2].", [1, 2], id="in-order"),
        pytest.param("One [4]. Two [2]. Three [4].", "One [1]. Two [2]. Three [1].", [4, 2], id="renumbered"),
        pytest.param("Both [3][1].", "Both [1][2].", [3, 1], id="side-by-side"),
        pytest.param("Both [3, 1].", "Both [1][2].", [3, 1], id="comma"),
        pytest.param("Both [3;1].", "Both [1][2].", [3, 1], id="semicolon"),
        pytest.param("All [2-4].", "All [1][2][3].", [2, 3, 4], id="range"),
        pytest.param("Twice [2, 2].", "Twice [1].", [2], id="repeated-within"),
        pytest.param("দুই [২]।", "দুই [1]।", [2], id="bengali-digit"),
        pytest.param("तीन [३, १]।", "तीन [1][2]।", [3, 1], id="devanagari-digits"),
        pytest.param("四【4】。五［5］", "四[1]。五[2]", [4, 5], id="wide-brackets"),
        pytest.param("ثلاثة [٣، ٢].", "ثلاثة [1][2].", [3, 2], id="arabic-digits-and-comma"),
        pytest.param("Wrong [9].", "Wrong.", [], id="outside-goes-with-its-space"),
        pytest.param("None [0].", "None.", [], id="zero"),
        pytest.param("Half [2, 77].", "Half [1].", [2], id="one-of-two-outside"),
        pytest.param("A [sic] b [] c [1a] d", "A [sic] b [] c [1a] d", [], id="other-brackets-stay"),
        pytest.param("In [2024] it was", "In [2024] it was", [], id="a-year-is-none"),
        pytest.param("Open [1", "Open [1", [], id="never-closed"),
        pytest.param("Open [", "Open [", [], id="only-opened"),
        pytest.param("See [the page](x) [1]", "See [the page](x) [1]", [1], id="after-a-link"),
    ],
)
def test_markers_become_those_of_the_answer(text: str, expected: str, order: list[int]) -> None:
    assert through(text) == (expected, order, False)
    assert through(text, cuts=range(len(text))) == (expected, order, False), "letter by letter"


@pytest.mark.parametrize(
    ("text", "shown", "declines"),
    [
        pytest.param(SENTINEL, "", True, id="alone"),
        pytest.param(f"\n {SENTINEL}\n", "", True, id="with-space-around"),
        pytest.param(f"**{SENTINEL}**", "", True, id="bold"),
        pytest.param(f"[{SENTINEL}]", "", True, id="in-brackets"),
        pytest.param("NOT\\_IN\\_DOCUMENTS", "", True, id="escaped-as-markdown"),
        pytest.param(f"{SENTINEL}. The passages say nothing.", "", True, id="explained"),
        pytest.param(f"They are silent. {SENTINEL}", "They are silent.", True, id="after-words"),
        pytest.param(f"540 [2]. {SENTINEL}", "540 [1].", False, id="after-a-claim"),
        pytest.param("NOT_IN_DOC", "NOT_IN_DOC", False, id="half"),
        pytest.param("Not in documents", "Not in documents", False, id="ordinary-words"),
    ],
)
def test_the_word_for_no_answer_is_never_shown(text: str, shown: str, declines: bool) -> None:
    for cuts in ((), range(len(text)), (3,), (9, 12)):
        found, _, declined = through(text, cuts=list(cuts))
        assert (found, declined) == (shown, declines)


def test_no_half_of_a_marker_is_given() -> None:
    stream = MarkerStream(COUNT)
    assert [stream.feed(piece) for piece in ["Ok ", "[", "1", ", ", "2", "]", "."]] == [
        "Ok", "", "", "", "", " [1][2]", ".",
    ]  # fmt: skip


def test_text_is_not_held_longer_than_needed() -> None:
    stream = MarkerStream(COUNT)
    assert stream.feed("Word by word") == "Word by word"
    assert stream.feed(" NOTHING") == " NOTHING"


pieces_of_text = st.lists(
    st.sampled_from(
        [
            *"[]【】［］ 0123459১৩٣,;-–.\n\\_*",
            "[1]",
            "[2, 3]",
            " [9]",
            "[77",
            "NOT_IN",
            SENTINEL,
            "word",
            "শব্দ",
        ]
    ),
    max_size=30,
).map("".join)


@given(text=pieces_of_text, cuts=st.lists(st.integers(0, 200), max_size=12))
def test_where_the_pieces_were_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    assert through(text, cuts=cuts) == through(text)


@given(text=pieces_of_text | st.text(), count=st.integers(0, 7))
def test_no_marker_without_a_passage_survives(text: str, count: int) -> None:
    shown, order, _ = through(text, count=count)
    assert all(1 <= passage <= count for passage in order)
    assert len(set(order)) == len(order)
    written = [int(number) for number in MARKER.findall(shown)]
    assert set(written) == set(range(1, len(order) + 1))
    firsts = list(dict.fromkeys(written))
    assert firsts == sorted(firsts), "counted in reading order"


@given(text=st.text(st.characters(exclude_characters="[]【】［］_\\")))
def test_text_without_brackets_is_untouched(text: str) -> None:
    assert through(text) == (text, [], False)


@pytest.mark.parametrize("text", [*by_id(MULTI_SCRIPT), *by_id(HOSTILE)])
def test_texts_of_all_kinds_pass(text: str) -> None:
    assert through(text, cuts=range(0, len(text), 3)) == (text, [], False)
