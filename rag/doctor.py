"""The reader's line of `rag doctor`."""

from __future__ import annotations

from pathlib import Path

from index.bundled.build import find_source
from index.doctor import Check
from index.errors import ModelError
from rag.settings import RagSettings

# Text that no one asks about: that the reader finds the number in it shows that its file is whole and runs.
_QUESTION = "How many lamps does the hall have?"
_WINDOW = "The hall was painted last year. It has 64 lamps."
_OFF = "answers are chosen by similarity alone"


def check_reader(settings: RagSettings) -> Check:
    """Whether the reader that the settings name is there and reads."""
    name = "reader"
    if settings.reader_model == "off":
        return Check(name, True, f"off: {_OFF}")
    if find_source() is None:
        return Check(name, True, f"not for this platform, as the model that it is built on: {_OFF}")
    from rag.reader.openvino_reader import BUNDLED_READER, Reader  # openvino: only for this

    bundled = settings.reader_model == "bundled"
    path = BUNDLED_READER if bundled else Path(settings.reader_model)
    remedy = (
        "pip install --force-reinstall --no-deps polycite (in a clone: git checkout -- rag/reader)"
        if bundled
        else "unset RAG_READER_MODEL"
    )
    try:
        (reading,) = Reader.load(path, threads=settings.index.embed_threads).read(_QUESTION, [_WINDOW])
    except ModelError as error:
        return Check(name, False, f"{str(error).rstrip('.')}; until then {_OFF}", remedy)
    found = "" if reading.best is None else _WINDOW[reading.best.start : reading.best.end]
    if "64" not in found:
        return Check(name, False, f"{path} does not read as it should: it found {found!r} for 64", remedy)
    return Check(
        name, True, f"{path.name}, {path.stat().st_size / 1e6:.0f} MB, finds the answer in a known text"
    )
