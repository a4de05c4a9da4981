"""How well the sentences of two language versions are aligned: `python -m eval.studies.alignment XQUAD [--left-out 1]`.

XQUAD is a folder of XQuAD files: the same paragraphs in several languages. The paragraphs of an article, in order, are
one text in each. Where both languages cut a paragraph into as many sentences, the first is taken to say what the first
says, and so on: precision, recall and F1 are over the pairs of these paragraphs. `--left-out N` takes every Nth
paragraph away from the second language, as versions that say less.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder, load_embedder
from index.language.boundaries import sentence_spans
from index.neutral import LanguageDirections
from rag.alignment import align
from rag.settings import load_settings

_LANGUAGES = ("en", "hi", "sv", "vi")
Floats = NDArray[np.float32]


class Version:
    """An article in one language: the sentences of its paragraphs with the paragraph of each, and their vectors."""

    def __init__(self, paragraphs: Sequence[tuple[int, str]], language: str) -> None:
        self.sentences: list[str] = []
        self.paragraph: list[int] = []
        for number, text in paragraphs:
            for start, end in sentence_spans(text, language):
                self.sentences.append(text[start:end])
                self.paragraph.append(number)
        self.language = language
        self.vectors: Floats = np.zeros((0, 1), np.float32)

    def embed(self, embedder: Embedder, directions: LanguageDirections) -> None:
        """Make the vectors, as the index has them."""
        rows = embedder.embed_passages(self.sentences)
        self.vectors = directions.neutralise(rows, [self.language] * len(rows))


def pairs_of(here: Version, there: Version) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """What was paired and what is right, in paragraphs that both cut into as many sentences; by sentence."""
    counts = [{n: version.paragraph.count(n) for n in version.paragraph} for version in (here, there)]
    equal = {n for n in counts[0] if counts[0][n] == counts[1].get(n)}
    places = [[i for i, n in enumerate(version.paragraph) if n in equal] for version in (here, there)]
    right = set(zip(*places, strict=True))
    # What stands in one alone has no counterpart: a pair that says otherwise is wrong.
    inside = {i for i, n in enumerate(here.paragraph) if n in equal or n not in counts[1]}
    found = {
        (i, j)
        for pair in align(here.vectors, there.vectors)
        for i in range(pair.here, pair.here_end)
        for j in range(pair.there, pair.there_end)
        if i in inside
    }
    return found, right


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.studies.alignment", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("xquad", type=Path)
    parser.add_argument("--articles", type=int, default=48, help="so many of them")
    parser.add_argument("--left-out", type=int, default=0, help="every so manieth paragraph of the second")
    options = parser.parse_args(arguments)
    settings = load_settings().index
    embedder = load_embedder(settings)
    directions = LanguageDirections(
        embedder, strength=settings.language_correction, folder=settings.data_dir / "models"
    )
    versions: dict[tuple[str, bool], list[Version]] = {}
    for language in _LANGUAGES:
        data = json.loads((options.xquad / f"xquad.{language}.json").read_text("utf-8"))["data"]
        for shorter in (False, True) if options.left_out else (False,):
            versions[language, shorter] = [
                Version(
                    [
                        (number, paragraph["context"] or "")
                        for number, paragraph in enumerate(article["paragraphs"])
                        if not shorter or (number + 1) % options.left_out
                    ],
                    language,
                )
                for article in data[: options.articles]
            ]
            for version in versions[language, shorter]:
                version.embed(embedder, directions)
    print("| pair | sentences | precision | recall | F1 |\n|---|---:|---:|---:|---:|")  # noqa: T201
    for one, other in combinations(_LANGUAGES, 2):
        both = zip(versions[one, False], versions[other, bool(options.left_out)], strict=True)
        sets = [pairs_of(here, there) for here, there in both]
        hits = sum(len(found & right) for found, right in sets)
        found, right = sum(len(f) for f, _ in sets), sum(len(r) for _, r in sets)
        f1 = 2 * hits / max(found + right, 1)
        print(  # noqa: T201
            f"| {one}-{other} | {right} | {hits / max(found, 1):.3f} | {hits / max(right, 1):.3f} | {f1:.3f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
