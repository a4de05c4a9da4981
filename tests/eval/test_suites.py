"""What holds for every suite of public data: samples, one embedding, progress, limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from public_files import (
    FOREST,
    PARKING,
    RIVER,
    VISIT,
    faq,
    passages,
    write_lines,
    write_squad,
)

from eval import suites
from eval.suites import Suite
from index.errors import UsageError


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_sample_is_the_same_whatever_the_order(seed: int) -> None:
    ids = [f"q{n}" for n in range(50)]
    forwards = suites.sample({"a": ids, "b": ids[:40]}, limit=10, seed=seed)
    backwards = suites.sample({"b": ids[:40][::-1], "a": ids[::-1]}, limit=10, seed=seed)
    assert forwards == backwards
    assert forwards["a"] == forwards["b"]
    assert len(set(forwards["a"])) == 10


def test_another_seed_draws_another_sample() -> None:
    ids = [f"q{n}" for n in range(50)]
    drawn = {suites.sample({"a": ids}, limit=10, seed=seed)["a"] for seed in range(5)}
    assert len(drawn) == 5


Make = Callable[[Path, dict[str, Any]], list[Suite]]


def _pairs(folder: Path, suite_options: dict[str, Any]) -> list[Suite]:
    file = write_squad(folder, "en")
    return list(suites.squad_suites([file], [file], **suite_options))


def _pool(folder: Path, suite_options: dict[str, Any]) -> list[Suite]:
    files = [write_squad(folder, language) for language in ("en", "hi")]
    return [suites.squad_pool(files, files, **suite_options)]


def _nomiracl(folder: Path, suite_options: dict[str, Any]) -> list[Suite]:
    row = passages("1", "hi", "नदी कहाँ गिरती है?", [RIVER, FOREST], answerable=True)
    return [suites.nomiracl_suite([write_lines(folder / "relevant.jsonl", [row])], **suite_options)]


def _swefaq(folder: Path, suite_options: dict[str, Any]) -> list[Suite]:
    row = faq("Var kan jag parkera?", [VISIT, PARKING], 1, "https://hospital.example/faq")
    return [suites.swefaq_suite(write_lines(folder / "faq.jsonl", [row]), **suite_options)]


EVERY_SUITE = [
    pytest.param(_pairs, id="pairs"),
    pytest.param(_pool, id="pool"),
    pytest.param(_nomiracl, id="nomiracl"),
    pytest.param(_swefaq, id="swefaq"),
]


@pytest.mark.parametrize("make", EVERY_SUITE)
def test_a_second_call_embeds_nothing(make: Make, tmp_path: Path, suite_options: dict[str, Any]) -> None:
    first = make(tmp_path, suite_options)
    embedded = suite_options["embedder"].passages
    assert embedded
    assert make(tmp_path, suite_options) == first
    assert suite_options["embedder"].passages == embedded


@pytest.mark.parametrize("make", EVERY_SUITE)
def test_progress_is_reported(make: Make, tmp_path: Path, suite_options: dict[str, Any]) -> None:
    seen: list[tuple[str, int, int]] = []
    make(tmp_path, suite_options | {"progress": lambda *step: seen.append(step)})
    what, done, total = seen[-1]
    assert what.startswith("indexing ")
    assert done == total > 0


@pytest.mark.parametrize("make", EVERY_SUITE)
def test_a_limit_below_one_is_refused(make: Make, tmp_path: Path, suite_options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the limit must be at least 1 question, not 0"):
        make(tmp_path, suite_options | {"limit": 0})
