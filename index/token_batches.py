"""Groups texts of similar length, so that little of a padded batch is padding."""

from __future__ import annotations

from collections.abc import Sequence


def token_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Groups texts so that each group, padded to its longest, stays within `budget` tokens.

    Args:
        lengths: tokens of each text.
        budget: padded tokens of a group; a single text longer than that is a group by itself.

    Returns:
        Lists of indices into `lengths`, every index once, longest texts first.
    """
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or longest * (len(batches[-1]) + 1) > budget:
            batches.append([])
            longest = max(lengths[index], 1)
        batches[-1].append(index)
    return batches
