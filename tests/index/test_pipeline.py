"""What is read ahead comes in order, takes no more room than it may, and fails where the item stands."""

from __future__ import annotations

import threading
from threading import Event

import pytest

from index.pipeline import Background, ReadAhead, Report

PATIENCE = 30.0  # seconds to wait for another thread; only a fault takes so long


def test_results_come_in_the_order_of_the_items_from_another_thread() -> None:
    with ReadAhead(range(200), lambda n: (n, threading.get_ident()), size=lambda _: 1, most=7) as reading:
        found = list(reading)
    assert [(item, result[0]) for item, result in found] == [(n, n) for n in range(200)]
    assert {result[1] for _, result in found}.isdisjoint({threading.get_ident()})


def test_nothing_to_read_is_no_fault() -> None:
    nothing: list[int] = []
    with ReadAhead(nothing, str, size=len, most=10) as reading:
        assert list(reading) == []


@pytest.mark.parametrize(
    ("sizes", "most", "ahead"),
    [
        pytest.param([1] * 9, 3, 3, id="as-many-as-the-room-holds"),
        pytest.param([100] * 9, 3, 1, id="one-that-is-larger-than-the-room"),
        pytest.param([2, 100, 1, 1], 3, 2, id="a-large-one-behind-a-small-one"),
    ],
)
def test_no_more_is_prepared_than_there_is_room_for(sizes: list[int], most: int, ahead: int) -> None:
    prepared: list[int] = []
    filled = Event()

    def prepare(size: int) -> int:
        prepared.append(size)
        if len(prepared) == ahead:
            filled.set()
        return size

    with ReadAhead(sizes, prepare, size=lambda size: size, most=most) as reading:
        assert filled.wait(PATIENCE)
        assert not threading.Event().wait(0.05), "time for one too many"
        assert len(prepared) == ahead
        assert [result for _, result in reading] == sizes


def test_an_error_is_raised_after_the_items_before_it() -> None:
    seen: list[int] = []
    with (
        pytest.raises(ZeroDivisionError),
        ReadAhead([4, 2, 0, 1], lambda n: 8 // n, size=lambda _: 1, most=10) as reading,
    ):
        seen.extend(result for _, result in reading)
    assert seen == [2, 4]


def test_whoever_leaves_early_ends_the_reading() -> None:
    numbers = iter(range(1000))
    with ReadAhead(numbers, str, size=lambda _: 1, most=2) as reading:
        assert next(iter(reading)) == (0, "0")
    assert next(numbers) < 10, "the rest was left"
    assert not any(thread.name == "read-ahead" for thread in threading.enumerate())


def test_what_is_told_in_the_background_is_reported_in_the_thread_that_waits() -> None:
    reports: list[tuple[int, int]] = []

    def work(tell: Report) -> int:
        for count in (3, 4):
            tell(count)
        return threading.get_ident()

    with Background() as background:
        worker = background.start(work).result(lambda count: reports.append((count, threading.get_ident())))
    assert reports == [(3, threading.get_ident()), (4, threading.get_ident())]
    assert worker != threading.get_ident()


def test_an_error_in_the_background_is_raised_where_it_is_waited_for() -> None:
    def work(tell: Report) -> None:
        tell(1)
        raise LookupError("lost")

    reports: list[int] = []
    with Background() as background, pytest.raises(LookupError, match="lost"):
        background.start(work).result(reports.append)
    assert reports == [1]


def test_what_nobody_waits_for_any_more_ends_when_it_next_tells_something() -> None:
    began, ended = Event(), Event()

    def work(tell: Report) -> None:
        try:
            while True:
                began.set()
                tell(1)
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt), Background() as background:
        background.start(work)
        assert began.wait(PATIENCE)
        raise KeyboardInterrupt
    assert ended.is_set()
