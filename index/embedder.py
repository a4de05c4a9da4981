"""Texts to vectors: the protocol, and its implementation over sentence-transformers for models by name.

The bundled model has an implementation of its own that needs no torch (`index.bundled.embedder`).

load_embedder(settings)   the model that RAG_EMBED_MODEL names, ready to use
verify_bundled(settings)  every byte of the bundled model checked, for `rag doctor`
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from index.bundled import build
from index.errors import ModelError
from index.settings import IndexSettings
from index.token_batches import token_batches

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Float32 = npt.NDArray[np.float32]

BUNDLED = "bundled"

log = logging.getLogger(__name__)


class Embedder(Protocol):
    """Turns texts into unit vectors whose dot products are cosines.

    Attributes:
        name: the model's name, for people and the manifest.
        revision: changes whenever the same text would get another vector.
        dimension: width of a vector.
        max_tokens: tokens of a text, by `count_tokens`, that the model reads; what follows is cut off. The
            prompt and the special tokens are already subtracted.
        query_prompt, passage_prompt: what is put before each text, "" for nothing.
    """

    name: str
    revision: str
    dimension: int
    max_tokens: int
    query_prompt: str
    passage_prompt: str

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """Vectors of texts to be found.

        Args:
            texts: any length, any order; an empty text is a text.
            progress: called now and then with the number of texts done since the last call.

        Returns:
            (texts, dimension) float32, rows of length 1 in the order of `texts`; (0, dimension) for none.
        """
        ...

    def embed_queries(self, texts: Sequence[str]) -> Float32:
        """Vectors of questions: as `embed_passages`, with the prompt for questions."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in the model's own vocabulary, without prompt and special tokens."""
        ...


class SentenceTransformerEmbedder:
    """An `Embedder` over any sentence-transformers model. Safe to call from several threads.

    Args:
        model: the loaded model.
        name, revision: see `Embedder`.
        batch_tokens: padded tokens given to the model at once.
    """

    def __init__(
        self, model: SentenceTransformer, *, name: str, revision: str, batch_tokens: int = 4096
    ) -> None:
        self.name = name
        self.revision = revision
        self.query_prompt = _declared_prompt(model, "query")
        # The names that sentence-transformers itself tries for documents, in its order.
        self.passage_prompt = _declared_prompt(model, "document", "passage", "corpus")
        self._model = model
        self._batch_tokens = batch_tokens
        self._tokenizer = _own_tokenizer(model)
        dimension = model.get_embedding_dimension()
        self.dimension = int(dimension) if dimension else self._encode_passages([""]).shape[1]
        self.max_tokens = self._room_for_text()

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """See `Embedder.embed_passages`."""
        return self._embed(texts, self._encode_passages, progress)

    def embed_queries(self, texts: Sequence[str]) -> Float32:
        """See `Embedder.embed_queries`."""
        return self._embed(texts, self._encode_queries, None)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder.count_tokens`."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def _embed(
        self,
        texts: Sequence[str],
        encode: Callable[[list[str]], Float32],
        progress: Callable[[int], None] | None,
    ) -> Float32:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        # One text, the usual question, needs no sorting.
        lengths = self.count_tokens(texts) if len(texts) > 1 else [1] * len(texts)
        for batch in token_batches(lengths, self._batch_tokens):
            vectors[batch] = encode([texts[index] for index in batch])
            if progress is not None:
                progress(len(batch))
        return vectors

    def _encode_passages(self, texts: list[str]) -> Float32:
        encoded = self._model.encode_document(
            texts, prompt=self.passage_prompt, batch_size=len(texts), show_progress_bar=False
        )
        return _unit_rows(np.asarray(encoded, np.float32))

    def _encode_queries(self, texts: list[str]) -> Float32:
        encoded = self._model.encode_query(
            texts, prompt=self.query_prompt, batch_size=len(texts), show_progress_bar=False
        )
        return _unit_rows(np.asarray(encoded, np.float32))

    def _room_for_text(self) -> int:
        longest = self._model.max_seq_length or 512
        special = self._tokenizer.num_special_tokens_to_add(False)
        prompts = max(self.count_tokens([self.query_prompt, self.passage_prompt]))
        return max(1, int(longest) - special - prompts)


def load_embedder(settings: IndexSettings) -> Embedder:
    """The model that `settings.embed_model` names.

    `bundled` is rebuilt on first use under `settings.data_dir / "models"` and needs no network. Where its
    package does not exist for the platform, the same model is taken by its hub name, and a warning says so.
    Any other name is looked up as a folder, then among the downloaded models, then on the Hugging Face hub.

    Raises:
        ModelError: there is no such model, or it cannot be downloaded, rebuilt or loaded.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Said explicitly, or the tokenizers library warns when a child process is forked after its use.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    if settings.embed_model != BUNDLED:
        return _load_named(settings, settings.embed_model)
    source = build.find_source()
    if source is None:
        log.warning(
            "The package with the bundled model does not exist for this platform: using %s, which is "
            "downloaded on first use. Set RAG_EMBED_MODEL to the path of a model to avoid this.",
            build.HUB_NAME,
        )
        return _load_named(settings, build.HUB_NAME)
    return _load_bundled(settings, source)


def verify_bundled(settings: IndexSettings) -> list[str]:
    """What is wrong with the bundled model's files, by the hash of every byte; empty when nothing is.

    Empty too when another model is configured, when the package does not exist for this platform, and when
    the model was not rebuilt yet. Reads about 200 MB.
    """
    source = build.find_source() if settings.embed_model == BUNDLED else None
    if source is None:
        return []
    return build.full_problems(source, build.model_folder(source, _models(settings)))


def _models(settings: IndexSettings) -> Path:
    return settings.data_dir / "models"


def _load_bundled(settings: IndexSettings, source: build.BundledSource) -> Embedder:
    folder = build.prepare(source, _models(settings))
    # OpenVINO is imported after what can fail fast.
    from index.bundled.embedder import BundledEmbedder

    return BundledEmbedder(source, folder, threads=settings.embed_threads)


def _load_named(settings: IndexSettings, name: str) -> SentenceTransformerEmbedder:
    folder = Path(name).expanduser()
    if not folder.is_dir() and _is_path(name):
        raise ModelError(f"RAG_EMBED_MODEL: there is no folder {name}. {_ALLOWED}")
    # Seconds, which only another model than the bundled one costs.
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if settings.embed_threads:
        torch.set_num_threads(settings.embed_threads)
    prompts = _UNDECLARED_PROMPTS.get(name)
    try:
        if folder.is_dir():
            model = SentenceTransformer(str(folder), prompts=prompts, local_files_only=True)
            revision = _folder_revision(folder)
        else:
            model = _from_hub(SentenceTransformer, name, prompts)
            revision = _hub_revision(name)
        return SentenceTransformerEmbedder(
            model, name=name, revision=revision, batch_tokens=settings.embed_batch_tokens
        )
    # Loading runs the code of several libraries over foreign files: whatever they raise means the same here.
    except Exception as error:
        raise ModelError(
            f"RAG_EMBED_MODEL: {name} cannot be loaded ({_first_line(error)}). {_ALLOWED}"
        ) from error


_ALLOWED = (
    "Allowed: `bundled`, the folder of a sentence-transformers model, or its name on the Hugging Face hub."
)

# Models whose cards ask for prompts that their configuration does not declare.
_E5_PROMPTS = {"query": "query: ", "document": "passage: "}
_UNDECLARED_PROMPTS = {f"intfloat/multilingual-e5-{size}": _E5_PROMPTS for size in ("small", "base", "large")}


def _is_path(name: str) -> bool:
    """Whether a name can only be meant as a path: hub names have at most one slash, inside."""
    return name.count("/") > 1 or name.startswith((".", "~", "/")) or name.endswith("/") or "\\" in name


def _from_hub(
    factory: type[SentenceTransformer], name: str, prompts: dict[str, str] | None
) -> SentenceTransformer:
    """The model from the local cache, else downloaded: what was downloaded once needs no network again."""
    try:
        return factory(name, prompts=prompts, local_files_only=True)
    except (OSError, ValueError):  # not in the cache, or only in part
        log.info("Downloading the embedding model %s.", name)
        return factory(name, prompts=prompts)


def _hub_revision(name: str) -> str:
    """The commit of the downloaded model, "unknown" when the cache does not tell."""
    from huggingface_hub import try_to_load_from_cache  # slow, and only for a model of the hub

    cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")
    for repository in (name, f"sentence-transformers/{name}"):
        if repository.count("/") == 1:
            found = try_to_load_from_cache(repository, "config.json", cache_dir=cache)
            if isinstance(found, str):
                return Path(found).parent.name[:16]
    return "unknown"


def _folder_revision(folder: Path) -> str:
    """16 hex digits over names, sizes and contents of a model's files; large files are sampled."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            size = path.stat().st_size
            digest.update(f"{path.relative_to(folder).as_posix()}:{size}:".encode())
            with path.open("rb") as file:
                for start in range(0, size, max(_SAMPLE_BYTES, size // 64)):
                    file.seek(start)
                    digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]


# Training changes every weight, so 64 samples of this size spread over a file tell two models apart.
_SAMPLE_BYTES = 65536


def _declared_prompt(model: SentenceTransformer, *names: str) -> str:
    """The first prompt of these names that says anything, else the model's default prompt, else ""."""
    # sentence-transformers fills in "" for names that a model does not declare.
    for name in (*names, model.default_prompt_name):
        if name is not None and model.prompts.get(name):
            return str(model.prompts[name])
    return ""


def _own_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """The model's Rust tokenizer, without truncation and padding, shared with nobody who would set them."""
    from tokenizers import Tokenizer  # 0.1 s, and only for another model than the bundled one

    tokenizer: Any = model.tokenizer
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelError(f"its tokenizer ({type(tokenizer).__name__}) is not of the tokenizers library")
    own = Tokenizer.from_str(backend.to_str())
    own.no_truncation()
    own.no_padding()
    return own


def _unit_rows(vectors: Float32) -> Float32:
    """Rows scaled to length 1; a row of zeros, which has no direction, becomes the first axis."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    silent = lengths[:, 0] == 0
    if silent.any():
        vectors = vectors.copy()
        vectors[silent, 0] = 1.0
        lengths[silent] = 1.0
    units: Float32 = (vectors / lengths).astype(np.float32)
    return units


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
