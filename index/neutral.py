"""Vectors without their language: takes from a passage's vector what only its language put there.

A multilingual encoder places texts of one language near each other whatever they say: in a pool of languages
the passages of the question's own language crowd out the one that knows. The direction of a language is
measured on text that says the same in every language, CLDR's names of countries: the mean vector of a
language's names minus the mean over many languages. A share of it is subtracted from every passage vector,
which is then brought back to unit length. The measurement is in docs/benchmarks.md. Subtracting language means is
known from Libovický et al. 2020, "On the Language Neutrality of Pre-trained Multilingual Representations"
(https://arxiv.org/abs/2004.05160); taking them from CLDR needs no corpus.
"""

from __future__ import annotations

import logging
import secrets
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from babel import Locale
from babel.core import UnknownLocaleError
from numpy.typing import NDArray

from index.embedder import Embedder

log = logging.getLogger(__name__)

# Raise it when the same embedder would give other directions; the index is then rebuilt.
NEUTRAL_VERSION = 1
# The languages whose mean stands for "no language": widely apart in script and family.
_REFERENCE = ("ar", "bn", "de", "en", "es", "fi", "fr", "hi", "id", "ja", "ru", "sw", "tr", "vi", "zh")
_NAMES_PER_TEXT = 8  # eight names with commas are about as long as a sentence
_FEWEST_NAMES = 100  # a locale that translates fewer says more about English than about itself


class LanguageDirections:
    """The directions of languages in one embedder's space, measured when first needed and kept in a file."""

    def __init__(self, embedder: Embedder, *, strength: float, folder: Path) -> None:
        """Use `strength` in [0, 1] of each direction (0: leave vectors alone); keep measurements in `folder`."""
        self._embedder = embedder
        self._strength = strength
        self._file = folder / f"languages-{embedder.revision[:16]}-{NEUTRAL_VERSION}.npz"
        self._means: dict[str, NDArray[np.float32]] = self._load()

    def neutralise(self, vectors: NDArray[np.float32], languages: Sequence[str]) -> NDArray[np.float32]:
        """Subtract from each row its language's direction and restore unit length.

        Args:
            vectors: (n, dimension) float32, unit rows.
            languages: (n,) ISO 639-1 codes; a language that CLDR does not name countries in leaves its row alone.

        Returns:
            (n, dimension) float32, unit rows; `vectors` itself where there is nothing to do.
        """
        if not self._strength or not len(vectors):
            return vectors
        self._measure({*languages, *_REFERENCE})
        centre = np.mean([self._means[language] for language in _REFERENCE], axis=0)
        offsets = {
            language: self._strength * (self._means[language] - centre)
            for language in set(languages)
            if self._means[language].any()
        }
        if not offsets:
            return vectors
        none = np.zeros(vectors.shape[1], np.float32)
        moved = vectors - np.stack([offsets.get(language, none) for language in languages])
        unit: NDArray[np.float32] = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _measure(self, languages: set[str]) -> None:
        missing = sorted(languages - self._means.keys())
        if not missing:
            return
        for language in missing:
            texts = country_names(language)
            if texts:
                self._means[language] = self._embedder.embed_passages(texts).mean(axis=0)
            else:
                self._means[language] = np.zeros(self._embedder.dimension, np.float32)
        self._save()

    def _load(self) -> dict[str, NDArray[np.float32]]:
        try:
            with self._file.open("rb") as file, np.load(file) as stored:
                means = {name: stored[name] for name in stored.files}
            if any(mean.shape != (self._embedder.dimension,) for mean in means.values()):
                raise ValueError("it holds vectors of another width")
            return means
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            log.warning("%s is damaged (%s) and is measured again", self._file, error)
            return {}

    def _save(self) -> None:
        """Replace the file as a whole: a reader sees the old one or the new one.

        Where it cannot be written the next process measures again.
        """
        draft = self._file.with_name(f".{self._file.stem}.{secrets.token_hex(4)}.npz")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("xb") as file:
                np.savez(file, allow_pickle=False, **self._means)
            draft.replace(self._file)
        except OSError as error:
            draft.unlink(missing_ok=True)
            log.warning(
                "%s cannot be written (%s): it is measured again next time", self._file, error.strerror
            )


def country_names(language: str) -> list[str]:
    """CLDR's country names in a language, eight to a text; empty when the locale hardly translates them."""
    try:
        territories = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        return []
    codes = sorted(str(code) for code in Locale("en").territories)
    names = [
        str(territories[code]) for code in codes if len(code) == 2 and code.isalpha() and code in territories
    ]
    if len(names) < _FEWEST_NAMES:
        return []
    return [", ".join(names[i : i + _NAMES_PER_TEXT]) for i in range(0, len(names), _NAMES_PER_TEXT)]
