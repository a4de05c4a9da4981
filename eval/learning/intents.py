"""Learns what messages want, for `rag.intent`.

    python -m eval.learning.intents DATA [--work FOLDER]

DATA is a folder like ../shared/data, of whose public questions `eval.learning.intent_texts` takes those that may teach.
The vectors are kept in the work folder. `python -m eval.studies.intents DATA` measures what was learnt.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval.learning.intent_texts import Asked, Wording, mashed, to_learn, varied, vectors, with_other_names
from index.embedder import load_embedder
from index.settings import IndexSettings
from rag.intent import QUESTION, WEIGHTS, surface

Floats = NDArray[np.float32]

# The scale of each group of inputs, which is how freely its weights may grow; the cosine of two texts varies little.
# Best of 10 and 16 for vectors, 3 to 10 for the letters, on public questions and on wordings that did not teach.
_OF_VECTOR, _OF_LETTERS = 16.0, 6.0
_MEASURES = 7
_STRENGTH = 0.1
# What all wordings of one kind and language count together, those of questions and all public questions.
_KIND, _QUESTIONS, _PUBLIC = 40.0, 160.0, 2400.0


def inputs(texts: Sequence[str]) -> Floats:
    """(texts, inputs) the surface of each text."""
    return np.stack([surface(text) for text in texts])


def scales(of_vector: int, of_surface: int) -> Floats:
    """(inputs,) the scale of each input."""
    letters = of_surface - _MEASURES
    return np.concatenate([np.full(of_vector, _OF_VECTOR), np.full(letters, _OF_LETTERS), np.ones(_MEASURES)])


def weighed(wordings: Sequence[Wording], asked: Sequence[Asked]) -> Floats:
    """(texts,) what each text counts."""
    sizes = Counter((wording.kind, wording.language) for wording in wordings)
    each = [
        (_QUESTIONS if wording.kind == QUESTION else _KIND) / sizes[wording.kind, wording.language]
        for wording in wordings
    ]
    return np.array(each + [_PUBLIC / len(asked)] * len(asked))


def fitted(
    table: Floats, names: Sequence[str], weights: Floats | None, scale: Floats
) -> tuple[list[str], Floats]:
    """The classes in order and their weights, (classes, inputs + 1), the last of each its intercept."""
    mean = table.mean(axis=0)
    model = LogisticRegression(C=_STRENGTH, max_iter=200)
    model.fit(((table - mean) * scale).astype(np.float32), np.array(names), sample_weight=weights)
    slopes = model.coef_ * scale
    return model.classes_.tolist(), np.hstack([slopes, (model.intercept_ - slopes @ mean)[:, None]])


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--work", default="build", type=click.Path(path_type=Path), help="Keeps the vectors.")
def main(data: Path, work: Path) -> None:
    """Fit and write the weights."""
    embedder = load_embedder(IndexSettings())
    wordings, asked = varied([*with_other_names(), *mashed()]), to_learn(data)
    texts = [wording.text for wording in wordings] + [question.text for question in asked]
    names = [wording.kind for wording in wordings] + [QUESTION] * len(asked)
    weights = weighed(wordings, asked)
    made, plain = vectors(texts, embedder, work), inputs(texts)
    both = np.hstack([made, plain])
    kinds, of_all = fitted(both, names, weights, scales(made.shape[1], plain.shape[1]))
    _, of_surface = fitted(plain, names, weights, scales(0, plain.shape[1]))
    said = [i for i, wording in enumerate(wordings) if wording.language != "und"]
    languages, of_language = fitted(
        plain[said], [wordings[i].language for i in said], None, scales(0, plain.shape[1])
    )
    np.savez_compressed(
        WEIGHTS,
        kinds=np.array(kinds),
        languages=np.array(languages),
        revision=np.array(embedder.revision),
        all=of_all.astype(np.float16),
        surface=of_surface.astype(np.float16),
        language=of_language.astype(np.float16),
    )
    click.echo(f"{len(wordings)} wordings, {len(asked)} public questions -> {WEIGHTS.name}", err=True)


if __name__ == "__main__":
    sys.exit(main())
