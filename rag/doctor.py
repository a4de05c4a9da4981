"""The lines of `rag doctor` for the reader and the judge."""

from __future__ import annotations

from index.doctor import Check
from index.errors import ModelError
from rag.settings import BUNDLED_JUDGE, BUNDLED_READER, RagSettings, judge_file, reader_file

# Text that no one asks about: that the reader finds the number in it shows that its file is whole and runs.
_QUESTION = "How many lamps does the hall have?"
_WINDOW = "The hall was painted last year. It has 64 lamps."
# Two claims about it, the first of which is true.
_CLAIMS = ("The hall was painted last year.", "The hall was not painted last year.")
_OFF = "answers are chosen by similarity alone"


def check_reader(settings: RagSettings) -> Check:
    """Whether the reader that the settings name is there and reads."""
    name = "reader"
    path = reader_file(settings)
    if path is None:
        return Check(name, True, f"off: {_OFF}")
    from rag.reader.openvino_reader import Reader  # openvino: only for this

    remedy = "unset RAG_READER_MODEL (or make the file with `python -m eval.learning.train`)"
    if path == BUNDLED_READER:
        remedy = f"install the project again: {path} belongs to it; until then {_OFF}"
    try:
        (reading,) = Reader.load(path, threads=settings.index.embed_threads).read(_QUESTION, [_WINDOW])
    except ModelError as error:
        return Check(name, False, str(error).rstrip("."), remedy)
    found = "" if reading.best is None else _WINDOW[reading.best.start : reading.best.end]
    if "64" not in found:
        return Check(name, False, f"{path} does not read as it should: it found {found!r} for 64", remedy)
    return Check(
        name, True, f"{path.name}, {path.stat().st_size / 1e6:.0f} MB, finds the answer in a known text"
    )


def check_judge(settings: RagSettings) -> Check:
    """Whether the judge that the settings name is there and judges."""
    name, path = "judge", judge_file(settings)
    if path is None:
        return Check(
            name, True, "off: no text of a language model is called verified, yes/no questions get a quote"
        )
    from rag.reader.openvino_judge import Judge  # openvino: only for this

    remedy = "unset RAG_JUDGE_MODEL (or make the file with `python -m eval.learning.train --only claims`)"
    if path == BUNDLED_JUDGE:
        remedy = f"install the project again: {path} belongs to it"
    try:
        found = Judge.load(path, threads=settings.index.embed_threads).judge(
            _CLAIMS, [_WINDOW] * len(_CLAIMS)
        )
    except ModelError as error:
        return Check(name, False, str(error).rstrip("."), remedy)
    if not found[0].supported > found[1].supported:
        return Check(
            name, False, f"{path} does not judge as it should: it cannot tell {_CLAIMS[1]!r}", remedy
        )
    return Check(
        name, True, f"{path.name}, {path.stat().st_size / 1e6:.0f} MB, tells a true claim from a false one"
    )
