"""The catalogue's tables. Full-text tables are made per generation, see `fulltext.py`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects import postgresql

from index.catalogue.records import Space

SCHEMA_VERSION = 1
"""Kept in SQLite's `user_version`, in PostgreSQL in `meta`; a catalogue with another one is refused."""

# Compared and sorted by code point in both databases, whatever language a server was set up in.
Text = AnyText().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# SQLite numbers rows of itself in INTEGER columns alone, which hold 64 bits there.
Number = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

# Small facts by name: the folders that are indexed, and the counters that tell readers what moved.
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

generations = Table(
    "generations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("manifest", Text, nullable=False),
    Column("state", Text, nullable=False),  # live, building, or retired: invisible and about to be deleted
    Column("created", Text, nullable=False),
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("generation", Integer, ForeignKey("generations.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("source_url", Text),
    Column("media_type", Text, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("sentences", Integer, nullable=False),
    Column("added_at", Text, nullable=False),
    Column("marked", Text, nullable=False),  # JSON: [[start, end, kind], ...]
    # Last, so that the columns before it are read without walking the pages of a long text.
    Column("text", Text, nullable=False),
    Index("documents_by_source", "generation", "source_url"),
    Index("documents_by_path", "generation", "path"),
    # Holds all that counting needs: a scan of the table would read the texts' pages.
    Index("documents_by_counts", "generation", "chunks", "sentences"),
)

# `document_id` has no foreign key: while one transaction replaces a document, its file points to either.
files = Table(
    "files",
    metadata,
    Column("generation", Integer, ForeignKey("generations.id"), primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("size", Number, nullable=False),
    Column("document_id", Text),
    Column("skip_reason", Text),
    Column("detail", Text, nullable=False),
    Index("files_by_document", "generation", "document_id"),
)


def _span_table(name: str, *own: Column[object]) -> Table:
    """A table of spans of documents. `row` only ever grows: no deleted number is given out again,
    so "rows up to N" names the same rows for good."""
    return Table(
        name,
        metadata,
        Column("row", Number, primary_key=True),
        Column("generation", Integer, nullable=False),
        Column("id", Text, nullable=False),
        Column("document_id", Text, nullable=False),
        Column("ordinal", Integer, nullable=False),
        Column("start", Integer, nullable=False),
        Column("end", Integer, nullable=False),
        Column("language", Text, nullable=False),
        *own,
        Column("vector", LargeBinary, nullable=False),  # little-endian float32
        ForeignKeyConstraint(["generation", "document_id"], ["documents.generation", "documents.id"]),
        Index(f"{name}_by_id", "generation", "id", unique=True),
        Index(f"{name}_by_document", "generation", "document_id", "ordinal", unique=True),
        # A generation's rows in order, without vectors: SQLite ends every index in the row number by itself.
        Index(f"{name}_by_generation", "generation").ddl_if(dialect="sqlite"),
        Index(f"{name}_in_order", "generation", "row").ddl_if(dialect="postgresql"),
        sqlite_autoincrement=True,
    )


chunks = _span_table(
    "chunks", Column("first", Integer, nullable=False), Column("last", Integer, nullable=False)
)
sentences = _span_table("sentences", Column("kind", Text, nullable=False))

SPANS: dict[Space, Table] = {"chunks": chunks, "sentences": sentences}

# Spans that earlier versions stored, too. Not made any more: their rows go with the generation that they are of, for
# they hold on to its documents, and programs of those versions may answer from it until then.
EARLIER_SPANS = Table("clauses", MetaData())

# Tables that came later: a writer adds them to a catalogue that lacks them, readers do without.
jobs = Table(
    "jobs",
    metadata,
    Column("number", Number, primary_key=True),  # the order in which they came
    Column("id", Text, nullable=False, unique=True),
    Column("created", Text, nullable=False),
    Column("finished", Text),
    sqlite_autoincrement=True,
)

job_files = Table(
    "job_files",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("size", Number, nullable=False),
    Column("state", Text, nullable=False),
    Column("document_id", Text),
    Column("reason", Text),
    Column("detail", Text, nullable=False),
    Column("path", Text),
    Column("attempts", Integer, nullable=False),
    Index("job_files_by_state", "state"),
)

# Where ranges of a document's text stand in its file: see `index.types.Place`.
places = Table(
    "places",
    metadata,
    Column("generation", Integer, primary_key=True),
    Column("document_id", Text, primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    Column("section", Text),
    ForeignKeyConstraint(["generation", "document_id"], ["documents.generation", "documents.id"]),
)

# The places whose text was read off a picture; a table of its own, so that catalogues from before it are read.
recognised = Table(
    "recognised",
    metadata,
    Column("generation", Integer, primary_key=True),
    Column("document_id", Text, primary_key=True),
    Column("start", Integer, primary_key=True),
    ForeignKeyConstraint(
        ["generation", "document_id", "start"], ["places.generation", "places.document_id", "places.start"]
    ),
)

# Files of deleted documents that are still on the disk: nothing may index them again.
doomed_files = Table(
    "doomed_files",
    metadata,
    Column("folder", Text, primary_key=True),
    Column("path", Text, primary_key=True),
)
