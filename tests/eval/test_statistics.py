"""Means, intervals, paired tests, percentiles: against arithmetic and against slow obvious versions."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.records import Estimate
from eval.statistics import compare, estimate, percentiles
from index.errors import UsageError

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30)


def slow_interval(values: list[float], groups: list[str], draws: int) -> tuple[float, float]:
    """Draw groups with replacement, pool their cases, take the mean; then the 2.5 and 97.5 % points."""
    chance = random.Random(1)
    names = sorted(set(groups))
    members = {name: [v for v, g in zip(values, groups, strict=True) if g == name] for name in names}
    means = []
    for _ in range(draws):
        pooled = [value for name in chance.choices(names, k=len(names)) for value in members[name]]
        means.append(sum(pooled) / len(pooled))
    means.sort()
    return means[int(0.025 * draws)], means[int(0.975 * draws)]


def slow_p(sums: list[float]) -> float:
    """The share of all sign patterns whose sum is at least as far from zero."""
    observed = abs(sum(sums))
    signs = list(itertools.product((1, -1), repeat=len(sums)))
    far = [abs(sum(s * d for s, d in zip(row, sums, strict=True))) >= observed - 1e-12 for row in signs]
    return sum(far) / len(signs)


def numbered(values: list[float]) -> dict[str, float]:
    return {f"case{n}": value for n, value in enumerate(values)}


def test_the_mean_is_over_cases_not_groups() -> None:
    found = estimate([1, 1, 1, 0], ["a", "a", "a", "b"])
    assert (found.value, found.cases, found.groups) == ((1 + 1 + 1 + 0) / 4, 4, 2)
    # Two groups: a quarter of the draws are "a" alone and a quarter "b" alone, so both ends are reached.
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        pytest.param([0.25], ["a"], id="one case"),
        pytest.param([0.0, 0.5], ["a", "a"], id="one group"),
        pytest.param([0.25] * 6, list("abcdef"), id="no variance"),
    ],
)
def test_nothing_that_varies_gives_a_point(values: list[float], groups: list[str]) -> None:
    assert estimate(values, groups) == Estimate(0.25, 0.25, 0.25, len(values), len(set(groups)))


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        pytest.param([n % 3 / 2 for n in range(60)], [f"g{n // 3}" for n in range(60)], id="groups of three"),
        pytest.param([float(n % 4 > 0) for n in range(40)], [f"g{n}" for n in range(40)], id="each its own"),
        pytest.param(
            [float(n < 30) for n in range(60)], [f"g{n // 5}" for n in range(60)], id="alike in a group"
        ),
        pytest.param(
            [float(n % 7 > 2) for n in range(50)], [f"g{n % 17}" for n in range(50)], id="unequal groups"
        ),
    ],
)
def test_the_interval_is_that_of_a_slow_bootstrap(values: list[float], groups: list[str]) -> None:
    found = estimate(values, groups, resamples=10_000)
    low, high = slow_interval(values, groups, 10_000)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.02), pytest.approx(high, abs=0.02))


def test_translations_that_move_together_widen_the_interval() -> None:
    values = [float(n < 50) for n in range(100)]
    together = estimate(values, [f"g{n // 5}" for n in range(100)])
    apart = estimate(values, [f"g{n}" for n in range(100)])
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_same_seed_gives_the_same_interval_in_any_order() -> None:
    values, groups = [n / 32 for n in range(30)], [f"g{n % 10}" for n in range(30)]
    assert estimate(values, groups, seed=3) == estimate(values[::-1], groups[::-1], seed=3)
    assert estimate(values, groups, seed=3) != estimate(values, groups, seed=4)


@settings(max_examples=25)
@given(SCORES)
def test_the_interval_holds_the_mean_and_stays_in_range(values: list[float]) -> None:
    found = estimate(values, [f"g{n % 7}" for n in range(len(values))], resamples=500)
    assert min(values) <= found.low <= found.high <= max(values)
    assert found.value == pytest.approx(sum(values) / len(values))


@pytest.mark.parametrize(
    ("values", "groups"), [pytest.param([], [], id="empty"), pytest.param([1.0], ["a", "b"], id="uneven")]
)
def test_an_estimate_of_nothing_is_refused(values: list[float], groups: list[str]) -> None:
    with pytest.raises(UsageError, match="at least one value and a group for each"):
        estimate(values, groups)


@pytest.mark.parametrize(
    ("current", "baseline", "difference", "counts"),
    [
        pytest.param([1, 1, 0], [0, 1, 1], (1 + 0 - 1) / 3, (1, 1, 1), id="one of each"),
        pytest.param([1, 1, 1], [0, 0, 0], (1 + 1 + 1) / 3, (3, 0, 0), id="all better"),
        pytest.param([0.5], [0.75], -0.25, (0, 0, 1), id="one case"),
        pytest.param([0.1 + 0.2], [0.3], 0.0, (0, 1, 0), id="rounding is a tie"),
    ],
)
def test_compare_counts(
    current: list[float], baseline: list[float], difference: float, counts: tuple[int, int, int]
) -> None:
    found = compare("f1", numbered(current), numbered(baseline), {case: case for case in numbered(current)})
    assert found.metric == "f1"
    assert found.difference == pytest.approx(difference)
    assert (found.win, found.tie, found.loss) == counts


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        pytest.param([0, 0, 0], 1.0, id="no difference"),
        pytest.param([1], 1.0, id="one group proves nothing"),
        pytest.param([1, 1], 2 / 2**2, id="two"),
        pytest.param([1, 1, 1, 1, 1, 1], 2 / 2**6, id="six better"),
        pytest.param([-1] * 14, 2 / 2**14, id="fourteen worse"),
        pytest.param([1] * 6 + [0] * 20, 2 / 2**6, id="ties do not count"),
    ],
)
def test_p_is_exact_for_few_groups(differences: list[float], p: float) -> None:
    cases = numbered(differences)
    found = compare("f1", cases, dict.fromkeys(cases, 0.0), {case: case for case in cases})
    assert found.p == pytest.approx(p)


@settings(max_examples=25)
@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=1, max_size=8))
def test_p_is_that_of_a_slow_enumeration(differences: list[float]) -> None:
    cases = numbered(differences)
    found = compare("f1", cases, dict.fromkeys(cases, 0.0), {case: case for case in cases})
    assert found.p == pytest.approx(slow_p(differences))


def test_p_is_near_the_exact_one_for_many_groups() -> None:
    # 12 better, 6 worse: the binomial sign test, summed from both tails.
    differences = numbered([1.0] * 12 + [-1.0] * 6)
    ways = sum(len(list(itertools.combinations(range(18), k))) for k in range(7))
    found = compare("f1", differences, dict.fromkeys(differences, 0.0), {case: case for case in differences})
    assert found.p == pytest.approx(2 * ways / 2**18, abs=0.02)


def test_p_is_never_zero() -> None:
    differences = numbered([1.0] * 40)
    found = compare("f1", differences, dict.fromkeys(differences, 0.0), {case: case for case in differences})
    assert found.p == pytest.approx(1 / (10_000 + 1))


def test_translations_are_flipped_together() -> None:
    current = numbered([1.0] * 6)
    groups = {case: f"g{n // 3}" for n, case in enumerate(current)}
    assert compare("f1", current, dict.fromkeys(current, 0.0), groups).p == pytest.approx(2 / 2**2)


def test_the_interval_of_a_comparison_is_that_of_its_differences() -> None:
    current, baseline = numbered([1, 0, 1, 1, 0, 1]), numbered([0, 0, 1, 0, 1, 1])
    groups = {case: f"g{n // 2}" for n, case in enumerate(current)}
    differences = [current[case] - baseline[case] for case in current]
    expected = estimate(differences, [groups[case] for case in current], seed=5)
    found = compare("f1", current, baseline, groups, seed=5)
    assert (found.difference, found.low, found.high) == (expected.value, expected.low, expected.high)


@pytest.mark.parametrize(
    ("current", "baseline", "groups", "text"),
    [
        pytest.param(["a", "b"], ["a"], ["a", "b"], r"only in this run: b\)", id="new"),
        pytest.param(["a"], ["a", "c"], ["a"], r"only in the baseline: c\)", id="gone"),
        pytest.param(["a"], ["a"], [], r"without a group: a\)", id="no group"),
        pytest.param(list("abcdefg"), [], [], "only in this run: a, b, c, d, e and 2 more", id="many"),
    ],
)
def test_other_cases_are_refused_by_name(
    current: list[str], baseline: list[str], groups: list[str], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        compare(
            "f1", dict.fromkeys(current, 1.0), dict.fromkeys(baseline, 1.0), {case: case for case in groups}
        )


def test_a_comparison_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one value"):
        compare("f1", {}, {}, {})


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [
        pytest.param([7.0], {"p50": 7, "p95": 7, "max": 7}, id="one"),
        pytest.param([3.0, 1.0], {"p50": 1 + 0.5 * 2, "p95": 1 + 0.95 * 2, "max": 3}, id="two"),
        pytest.param([float(n) for n in range(101)], {"p50": 50, "p95": 95, "max": 100}, id="many"),
    ],
)
def test_percentiles(latencies: list[float], expected: dict[str, float]) -> None:
    assert percentiles(latencies) == pytest.approx(expected)


def test_percentiles_of_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one latency"):
        percentiles([])
