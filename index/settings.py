"""Settings of the index layer, from the environment and `.env`, prefix `RAG_`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.readers.recognition import OCR_SECONDS

SHIPPED_DOCUMENTS = Path(__file__).resolve().parent.parent / "seeds"


class IndexSettings(BaseSettings):
    """Where the state lies, how files are read, cut and embedded, and when Chroma is rebuilt."""

    model_config = SettingsConfigDict(
        env_prefix="RAG_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    data_dir: Path = Field(
        Path("data"), description="All state: the catalogue, Chroma's files, the rebuilt model, uploads."
    )
    seeds_dir: Path = Field(
        SHIPPED_DOCUMENTS, description="The documents that `rag index` takes when no folder is given."
    )
    embed_model: str = Field(
        "bundled",
        description="`bundled` (multilingual-e5-small), or any sentence-transformers name or path.",
    )
    embed_batch_tokens: int = Field(
        4096,
        ge=256,
        le=65536,
        description="Tokens of one embedding batch of a model other than the bundled one; more is faster and "
        "takes more memory.",
    )
    embed_threads: int = Field(0, ge=0, le=256, description="CPU threads of the embedder; 0: all cores.")
    chunk_tokens: int = Field(192, ge=32, le=512, description="Size of a chunk in the embedder's own tokens.")
    chunk_overlap: int = Field(
        0, ge=0, le=256, description="Tokens of whole sentences that a chunk repeats from the one before."
    )
    language_correction: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Share of a language's own direction taken out of its vectors, "
        "so that the question's language does not crowd out the others.",
    )
    max_file_mb: float = Field(
        50.0, gt=0, le=2048, description="A larger file is skipped with a reason. Megabytes (10^6 bytes)."
    )
    max_garbled_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="A text with a larger share of impossible mark sequences and replacement characters "
        "is skipped.",
    )
    max_document_chars: int = Field(
        5_000_000,
        ge=1000,
        le=100_000_000,
        description="An uploaded file with a longer text, in characters, is refused with a reason.",
    )
    max_document_sentences: int = Field(
        200_000,
        ge=1000,
        le=10_000_000,
        description="An uploaded file with more sentences is refused with a reason: each takes 1.5 kB on the disk.",
    )
    read_seconds: float = Field(
        120.0,
        ge=1,
        le=3600,
        description="An uploaded file that takes longer to read, in seconds, is refused with a reason.",
    )
    ocr_seconds: float = Field(
        OCR_SECONDS,
        ge=0,
        le=86400,
        description="A file whose pictures of text take longer to recognise, in seconds, is refused with a reason; "
        "0: nothing is recognised. Needs Tesseract (docs/formats.md).",
    )
    read_memory_mb: int = Field(
        2048,
        ge=256,
        le=65536,
        description="An uploaded file whose reading takes more memory, in megabytes (10^6 bytes), is refused "
        "with a reason.",
    )
    max_queued_uploads: int = Field(
        500, ge=1, le=100_000, description="Uploaded files that may wait to be indexed; more are turned away."
    )
    chroma_url: str | None = Field(
        None, description="Empty: Chroma's files in the data directory; else the URL of a Chroma server."
    )
    database_url: SecretStr | None = Field(
        None,
        description="Empty: the catalogue is a file in the data directory; else `postgresql+psycopg://...`, a "
        "database that several processes share (docs/scaling.md).",
    )
    shared_dir: Path | None = Field(
        None,
        description="With RAG_DATABASE_URL a folder that every process reaches under the same path: uploads and API "
        "keys lie there; empty: in the data directory.",
    )
    chroma_rebuild_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of rows newer or deleted since the Chroma version in service "
        "that makes `rag index` build a new one.",
    )
