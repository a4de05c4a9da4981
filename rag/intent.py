"""What a message wants: a question to the documents, small talk, the collection, a summary, the last answer.

Logistic weights over the message's vector, its letters by threes and fours and a few measures of its form decide,
learnt from the wordings of `rag/intents/*.toml` and from public questions (`python -m eval.learning.intents`). Nothing
but the question's own vector is made for it, which retrieval needs anyway. `python -m eval.studies.intents` measures.
"""

from __future__ import annotations

import math
import tomllib
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import regex
from numpy.typing import NDArray

from index.errors import ModelError
from index.language.short_texts import without_marks
from index.language.terms import fold, split_words
from rag.answer import Intent

QUESTION = "question.question"
UNCLEAR = "unclear.unclear"
EXAMPLES = Path(__file__).parent / "intents"
"""Wordings to learn from, a file for each language."""
WEIGHTS = Path(__file__).parent / "intent.npz"
NAME = regex.compile(r"\{([^}]*)\}")
"""A name in a wording, in whose place any other may stand."""

_TITLE = regex.compile(r"[“”„«\"][^“”„«»\"]{20,}[“”»\"]")

# Letters by threes and fours, words and pairs of words share so many places. Measured: 2,048 of them leave two in a
# hundred of a message's own places to others.
_PLACES = 2048
# From which probability on a message is no question; of so few words a higher one, since they may be a name or what is
# typed into a search box. Measured: 0.7 instead of 0.5 for those took 3 instead of 6 in a hundred of such words for
# something else, and told 1 in a hundred wordings less (docs/intents.md). What is unclear is looked for in the
# documents first.
_LEAST, _LEAST_OF_FEW, _FEW = 0.5, 0.7, 2
# Words of a message that are looked at, and the longest message, in characters, that may be anything but a question.
# Chosen: what people say to greet, to thank or about the collection is a line or two.
_WORDS, _LONGEST = 40, 300
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = frozenset(
    pair for row in _KEYS for keys in (row, row[::-1]) for pair in map("".join, pairwise(keys))
)
_VOWELS = frozenset("aeiouy")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sense:
    """What a message wants.

    Attributes:
        kind: the intent in detail, as the files of wordings name it: "smalltalk.greeting", "question.question".
        language: the language among those with wordings that its words are likeliest of; None where they do not tell.
        sure: the probability that it is no question to the documents.
    """

    kind: str
    language: str | None
    sure: float

    @property
    def intent(self) -> Intent:
        """The intent, as an answer names it."""
        return cast(Intent, self.kind.partition(".")[0])


class Vectors(Protocol):
    """What makes the vectors of messages: an embedder, or something that remembers what one made."""

    revision: str

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """(texts, dimension), rows of length 1."""
        ...


class Intents:
    """Tells what messages want. Safe to share between threads.

    Args:
        vectors: makes those of messages. The weights for vectors were learnt with the bundled model; beside
            another one the letters and the form of a message decide alone.
    """

    def __init__(self, vectors: Vectors, *, file: Path = WEIGHTS) -> None:
        self._vectors = vectors
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
                self._kinds: list[str] = stored["kinds"].tolist()
                self._languages: list[str] = stored["languages"].tolist()
                self._reads_vectors = str(stored["revision"]) == vectors.revision
                name = "all" if self._reads_vectors else "surface"
                self._of_kind = stored[name].astype(np.float32)
                self._of_language = stored["language"].astype(np.float32)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"{file} is damaged ({error}): install this program again") from error

    def of(self, text: str) -> Sense:
        """What `text` wants. A message without a letter or digit is unclear, a long one a question; what is a wording
        in every letter wants what that does."""
        if not any(character.isalnum() for character in text):
            return Sense(UNCLEAR, None, 1.0)
        # A title in quotes is no wording, and says nothing of what is wanted of it.
        around = " ".join(_TITLE.sub(" ", text).split())
        text = around if any(character.isalnum() for character in around) else text
        if len(text) > _LONGEST:
            return Sense(QUESTION, None, 0.0)
        known = _known().get(_bare(text))
        if known is not None:
            return known
        plain = surface(text)
        values = plain
        if self._reads_vectors:
            values = np.concatenate([self._vectors.embed_queries([text])[0], plain])
        kinds = softmax(self._of_kind @ np.append(values, np.float32(1)))
        languages = softmax(self._of_language @ np.append(plain, np.float32(1)))
        question = self._kinds.index(QUESTION)
        others = [i for i in range(len(kinds)) if i != question]
        # A question is the likelier of two, not the likeliest of many: kinds of small talk share their probability.
        other = max(others, key=lambda i: kinds[i])
        few = len(split_words(text)) <= _FEW and self._kinds[other] != UNCLEAR
        best = other if 1 - kinds[question] > (_LEAST_OF_FEW if few else _LEAST) else question
        spoken = int(languages.argmax())
        return Sense(
            self._kinds[best],
            self._languages[spoken] if languages[spoken] >= _TELLS else None,
            round(float(1 - kinds[question]), 4),
        )


# From this probability on the words of a message tell its language better than `detect` does. Measured by
# `eval.studies.intents`.
_TELLS = 0.8


@cache
def _known() -> Mapping[str, Sense]:
    """The wordings themselves, without marks, where all that are alike want the same."""
    found: dict[str, set[tuple[str, str]]] = {}
    for language, kinds in examples().items():
        for kind, texts in kinds.items():
            for text in texts:
                if not NAME.search(text):
                    found.setdefault(_bare(text), set()).add((kind, language))
    return {
        text: Sense(
            kind=next(kind for kind, _ in pairs),
            language=next(language for _, language in pairs) if len(pairs) == 1 else None,
            sure=0.0 if next(kind for kind, _ in pairs) == QUESTION else 1.0,
        )
        for text, pairs in found.items()
        if len({kind for kind, _ in pairs}) == 1
    }


def _bare(text: str) -> str:
    return " ".join(split_words(without_marks(fold(text))))


def softmax(values: Floats) -> Floats:
    """(n,) probabilities of (n,) log odds."""
    grown = np.exp(values - values.max())
    return cast(Floats, grown / grown.sum())


def surface(text: str) -> Floats:
    """(places + measures,) what the letters of a text are, and how it looks; the first part has length 1."""
    folded = split_words(without_marks(fold(text)))[:_WORDS]
    values = np.zeros(_PLACES, np.float32)
    for piece, count in Counter(_pieces(folded)).items():
        values[zlib.crc32(piece.encode()) % _PLACES] += count
    length = float(np.linalg.norm(values)) or 1.0
    return np.concatenate([values / length, np.array(_measures(text, folded), np.float32)])


def _pieces(words: list[str]) -> list[str]:
    pieces = [f"{left} {right}" for left, right in pairwise(words)]
    for word in words:
        padded = f"<{word}>"
        pieces.append(padded)
        for size in (3, 4):
            pieces += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    return pieces


def _measures(text: str, words: list[str]) -> list[float]:
    """How long a text is, whether hands just fell on a keyboard, whether it has names and numbers."""
    letters = "".join(words)
    latin = [word for word in words if word.isascii() and word.isalpha()]
    pairs = [left + right for word in latin for left, right in pairwise(word)]
    silent = sum(len(word) > 2 and _VOWELS.isdisjoint(word) for word in latin)
    capitals = sum(word[:1].isupper() for word in split_words(text)[1:])
    return [
        math.log1p(len(words)),
        math.log1p(len(letters)),
        sum(pair in _BESIDE for pair in pairs) / max(3, len(pairs)),
        silent / max(1, len(words)),
        1 - len(set(letters)) / max(1, len(letters)),
        float(any(letter.isdigit() for letter in letters)),
        capitals / max(1, len(words)),
    ]


@cache
def examples(folder: Path = EXAMPLES) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The wordings of a folder: language -> kind -> texts, names in braces."""
    return {
        path.stem: {
            f"{intent}.{kind}": tuple(texts)
            for intent, kinds in tomllib.loads(path.read_text("utf-8")).items()
            for kind, texts in kinds.items()
        }
        for path in sorted(folder.glob("*.toml"))
    }


def plain(text: str) -> str:
    """A wording without the braces around its name."""
    return str(NAME.sub(r"\1", text))
