"""What a run's scores amount to: means with intervals, comparisons with a baseline, percentiles of time.

The unit of chance is the group, not the case: translations of one question succeed and fail together, and
counting them as independent would make every interval too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from eval.records import Comparison, Estimate
from index.errors import UsageError

_CONFIDENCE = 0.95
_RESAMPLES = 2000
# Up to this many groups every pattern of signs is tried (2^14 = 16,384); above, this many random ones.
_EXACT_GROUPS = 14
_FLIPS = 10_000
# Scores that differ by less are the same score computed in another order.
_TIE = 1e-9
# Resamples x groups drawn at once: bounds memory, at some tens of megabytes.
_DRAWN_AT_ONCE = 2_000_000
_SHOWN = 5

Floats = npt.NDArray[np.float64]


def estimate(
    values: Sequence[float], groups: Sequence[str], *, seed: int = 0, resamples: int = _RESAMPLES
) -> Estimate:
    """The mean over cases, with its 95 % percentile interval by bootstrap over groups.

    Groups are drawn with replacement, as many as there are, with all their cases; the statistic of a draw is the
    sum of its values over the number of its cases. Percentile method: Efron & Tibshirani 1993, chapter 13;
    resampling whole clusters: Field & Welsh 2007. One group says nothing of chance: low = high = value.

    Args:
        values: one a case.
        groups: the group of each case, in the same order.
        seed: the same seed, values and groups give the same interval, whatever the order of the cases.

    Raises:
        UsageError: no values, or not one group a value.
    """
    if not values or len(values) != len(groups):
        raise UsageError(
            f"an estimate needs at least one value and a group for each, not {len(values)} values and "
            f"{len(groups)} groups: leave out metrics that no case has"
        )
    sums, sizes = _by_group(values, groups)
    low, high = _interval(sums, sizes, seed=seed, resamples=resamples)
    return Estimate(
        value=float(sums.sum() / sizes.sum()), low=low, high=high, cases=len(values), groups=len(sums)
    )


def compare(
    metric: str,
    current: Mapping[str, float],
    baseline: Mapping[str, float],
    groups: Mapping[str, str],
    *,
    seed: int = 0,
) -> Comparison:
    """This run minus the baseline on one metric, case by case.

    `p` is the two-sided p-value of a paired permutation test: under the hypothesis of no difference each group's
    summed difference could as well have the other sign (Efron & Tibshirani 1993, chapter 15; Smucker et al.
    2007). Every pattern of signs is tried when at most 14 groups differ, else 10,000 random ones, observed one
    included. The interval is `estimate`'s, over the differences. Differences below 1e-9 are ties.

    Args:
        current: case id -> value; `baseline` the same for the run compared with.
        groups: case id -> group, for at least these cases.

    Raises:
        UsageError: the two runs do not have the same cases, or a case has no group; the text names them.
    """
    _check_ids(metric, current, baseline, groups)
    ids = sorted(current)
    differences = np.array([current[case] - baseline[case] for case in ids])
    differences[np.abs(differences) < _TIE] = 0.0
    names = [groups[case] for case in ids]
    mean = estimate(differences.tolist(), names, seed=seed)
    sums, _ = _by_group(differences.tolist(), names)
    return Comparison(
        metric=metric,
        difference=mean.value,
        low=mean.low,
        high=mean.high,
        p=_sign_flip_p(sums, seed=seed),
        win=int((differences > 0).sum()),
        tie=int((differences == 0).sum()),
        loss=int((differences < 0).sum()),
    )


def percentiles(latencies: Sequence[float]) -> dict[str, float]:
    """{"p50", "p95", "max"} in the unit given, by linear interpolation between ranks (Hyndman & Fan 1996, type 7).

    Raises:
        UsageError: no latencies.
    """
    if not latencies:
        raise UsageError(
            "percentiles need at least one latency: no question was asked, or asking failed every time"
        )
    p50, p95 = np.percentile(latencies, (50, 95))
    return {"p50": float(p50), "p95": float(p95), "max": float(max(latencies))}


def _by_group(values: Sequence[float], groups: Sequence[str]) -> tuple[Floats, Floats]:
    """The sum of values and the number of cases of each group, both (groups,), in order of the groups' names."""
    names, index = np.unique(np.array(groups, dtype=object), return_inverse=True)
    sums = np.bincount(index, weights=np.asarray(values, dtype=np.float64), minlength=len(names))
    return sums.astype(np.float64), np.bincount(index, minlength=len(names)).astype(np.float64)


def _interval(sums: Floats, sizes: Floats, *, seed: int, resamples: int) -> tuple[float, float]:
    if len(sums) == 1:
        value = float(sums[0] / sizes[0])
        return value, value
    drawn = stats.bootstrap(
        (sums, sizes),
        _mean_over_cases,
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=_CONFIDENCE,
        n_resamples=resamples,
        batch=max(1, _DRAWN_AT_ONCE // len(sums)),
        rng=np.random.default_rng(seed),
    )
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def _mean_over_cases(sums: Floats, sizes: Floats, axis: int = -1) -> Floats:
    mean: Floats = sums.sum(axis=axis) / sizes.sum(axis=axis)
    return mean


def _sign_flip_p(sums: Floats, *, seed: int) -> float:
    # A group without a difference is the same under either sign.
    sums = sums[np.abs(sums) >= _TIE]
    if len(sums) <= 1:
        return 1.0
    tested = stats.permutation_test(
        (sums,),
        _size_of_sum,
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        # SciPy tries every pattern when there are no more than this many.
        n_resamples=2**_EXACT_GROUPS if len(sums) <= _EXACT_GROUPS else _FLIPS,
        batch=max(1, _DRAWN_AT_ONCE // len(sums)),
        rng=np.random.default_rng(seed),
    )
    return float(tested.pvalue)


def _size_of_sum(differences: Floats, axis: int = -1) -> Floats:
    size: Floats = np.abs(differences.sum(axis=axis))
    return size


def _check_ids(
    metric: str, current: Mapping[str, float], baseline: Mapping[str, float], groups: Mapping[str, str]
) -> None:
    faults = [
        f"{what}: {_listed(ids)}"
        for what, ids in (
            ("only in this run", current.keys() - baseline.keys()),
            ("only in the baseline", baseline.keys() - current.keys()),
            ("without a group", (current.keys() & baseline.keys()) - groups.keys()),
        )
        if ids
    ]
    if faults:
        raise UsageError(
            f"{metric} cannot be compared, the cases differ ({'; '.join(faults)}): compare runs over the same cases"
        )


def _listed(ids: set[str]) -> str:
    first = ", ".join(sorted(ids)[:_SHOWN])
    return first if len(ids) <= _SHOWN else f"{first} and {len(ids) - _SHOWN:,} more"
