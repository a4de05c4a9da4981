"""An endless series of training examples out of several parts, each with its share.

Example number i depends on the seed and i alone: a run that goes on after a stop sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Protocol

from eval.learning.examples import augmented
from eval.learning.windows import Example
from eval.learning.word_pairs import WordPairs

# How often each part is drawn from, of 100; a part that is not there gives way to the others. Reading across languages
# is learnt from `passages` (three of four of its examples), `office` and `enumerated`: half of all. Chosen, not fitted.
# Claims are learnt alone: of a network that learnt both, a third of its work went to claims, too little for either.
SHARES = {"pool": 42.0, "passages": 28.0, "office": 14.0, "enumerated": 16.0}


class Draws(Protocol):
    """What examples are drawn from; None where a draw comes to nothing."""

    def draw(self, random: Random) -> Example | None:
        """An example."""
        ...


class Mixture:
    """Draws from `parts` by the shares of their names in SHARES, or from the only one.

    Args:
        parts: by name.
        pairs: mixes languages in what was drawn; None: it stays as it is.
        seed: decides, with an example's number, what it is.
    """

    def __init__(self, parts: Mapping[str, Draws], *, pairs: WordPairs | None = None, seed: int) -> None:
        self._parts, self._pairs, self._seed = parts, pairs, seed
        self._names = list(parts)
        self._shares = [SHARES.get(name, 1.0) for name in self._names]

    def draw(self, number: int) -> Example:
        """Example `number`."""
        random = Random(f"{self._seed}:{number}")  # noqa: S311 - no secret
        while True:
            (name,) = random.choices(self._names, self._shares)
            example = self._parts[name].draw(random)
            if example is None:
                continue
            if self._pairs is not None:
                example = self._pairs.mixed(random, example)
            return augmented(random, example)
