"""The reader's file: the trained tensors as safetensors, with the record of their training.

The matrices of the layers are stored as the network runs them, 8-bit integers with a scale for each row
(`index.bundled.network`), under their name and the name with `.scale`; everything else is float16.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from index.errors import ModelError
from rag.reader import FORMAT

Float32 = npt.NDArray[np.float32]

_SCALE = ".scale"
_MAKE = "make it with `python -m eval.learning.train`"


def save_weights(weights: Mapping[str, Float32], path: Path, *, record: Mapping[str, Any]) -> None:
    """Write tensors by name, and a record that is JSON; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored: dict[str, npt.NDArray[Any]] = {}
    for name, value in weights.items():
        stored |= _packed(name, value) if _is_matrix(name, value) else {name: value.astype(np.float16)}
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        draft = Path(file.name)
    save_file(stored, draft, metadata={"format": FORMAT, "record": json.dumps(record)})
    draft.chmod(0o644)
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(path)


def read_weights(path: Path) -> tuple[dict[str, Float32], dict[str, Any]]:
    """The tensors of a file, float32, and its record.

    Raises:
        ModelError: `path` is missing, damaged or not a reader's file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        record = json.loads(metadata.get("record", "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(f"The reader's file {path} cannot be read ({error}): {_MAKE}.") from error
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path} is no reader of this version: {_MAKE}.")
    weights = {
        name: value.astype(np.float32) * stored.get(name + _SCALE, np.float16(1)).astype(np.float32)
        for name, value in stored.items()
        if not name.endswith(_SCALE)
    }
    return weights, record


def _is_matrix(name: str, value: Float32) -> bool:
    return name.startswith("layers.") and value.ndim == 2


def _packed(name: str, value: Float32) -> dict[str, npt.NDArray[Any]]:
    scales = np.maximum(np.abs(value).max(axis=1, keepdims=True) / 127.0, np.finfo(np.float16).tiny)
    scales = scales.astype(np.float16)
    rounded = np.clip(np.rint(value / scales.astype(np.float32)), -127, 127).astype(np.int8)
    return {name: rounded, name + _SCALE: scales}
