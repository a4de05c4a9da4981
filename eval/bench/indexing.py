"""Indexing end to end: read, split, embed, store. A process of its own measures one way of doing it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.bench import recipes
from eval.bench.processes import answer_measure
from index.catalogue import Catalogue
from index.embedder import Embedder, load_embedder
from index.settings import IndexSettings
from index.upkeep import make_index

WAYS = ("polycite", "recipe", "engine")
"""This project; the plain llama-index recipe on torch; the engine of the package with the weights."""


class TimedEmbedder:
    """An `Embedder` that adds up what it did: `seconds`, and the texts and tokens it was given."""

    def __init__(self, embedder: Embedder) -> None:
        self.name = embedder.name
        self.revision = embedder.revision
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.query_prompt = embedder.query_prompt
        self.passage_prompt = embedder.passage_prompt
        self.seconds = 0.0
        self.texts: list[str] = []
        self._embedder = embedder

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `Embedder.embed_passages`."""
        started = time.perf_counter()
        found = self._embedder.embed_passages(texts, progress=progress)
        self.seconds += time.perf_counter() - started
        self.texts += texts
        return found

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed_queries`."""
        return self._embedder.embed_queries(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder.count_tokens`."""
        return self._embedder.count_tokens(texts)


def own(folder: Path, work: Path, models: Path) -> dict[str, float]:
    """This project: chunks and sentences, all embedded; the catalogue and Chroma."""
    settings = settings_for(work, models)
    embedder = TimedEmbedder(load_embedder(settings))
    # The first texts compile the network and measure the languages' directions, once for all indexes.
    warm = work / "warm"
    warm.mkdir()
    # As many as it takes to compile the form that embeds many texts, too.
    years = "".join(f"The park was opened again in {year}, with new paths. " for year in range(1800, 2000))
    (warm / "warm.txt").write_text(years, encoding="utf-8")
    make_index(settings_for(work / "first", models), [warm], embedder=embedder)
    embedder.seconds, embedder.texts = 0.0, []
    started = time.perf_counter()
    make_index(settings, [folder], embedder=embedder)
    seconds = time.perf_counter() - started
    with Catalogue.open(settings.data_dir) as catalogue:
        generation = catalogue.live()
        counts = catalogue.reader(generation).counts() if generation else {}
    return {
        "seconds": seconds,
        "embedding": embedder.seconds,
        "passages": counts.get("chunks", 0),
        "texts_embedded": len(embedder.texts),
        "tokens_embedded": sum(embedder.count_tokens(embedder.texts)),
    }


def settings_for(data_dir: Path, models: Path) -> IndexSettings:
    """Settings of an index of its own, with the models that were set up once."""
    data_dir.mkdir(parents=True, exist_ok=True)
    models.mkdir(parents=True, exist_ok=True)
    link = data_dir / "models"
    if not link.exists():
        link.symlink_to(models.resolve(), target_is_directory=True)
    # Servers would be shared with the documents of the user.
    return IndexSettings(data_dir=data_dir, chroma_url=None, database_url=None)


def main(arguments: Sequence[str]) -> int:
    """Measure one way; see `processes.measure`. Options: way, folder, work, models."""
    options, found = answer_measure(arguments)
    folder, work = Path(options["folder"]), Path(options["work"])
    work.mkdir(parents=True)
    if options["way"] == "polycite":
        result: dict[str, float] = own(folder, work, Path(options["models"]))
    else:
        recipe = {"recipe": recipes.llama_index_recipe, "engine": recipes.engine_recipe}[options["way"]]
        result = asdict(recipe(folder, work))
    found.write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
