"""The catalogue: one SQLite file that holds the truth. The only package that imports SQLAlchemy."""

from index.catalogue.catalogue import Catalogue
from index.catalogue.jobs import WAITING, FileState, Job, JobFile, Jobs, JobState, Task
from index.catalogue.listing import Order
from index.catalogue.passages import StoredChunk
from index.catalogue.reader import CatalogueReader
from index.catalogue.records import (
    DocumentInfo,
    Entry,
    FileRecord,
    Generation,
    Manifest,
    Space,
)
from index.catalogue.rows import Row
from index.catalogue.writer import Transaction

__all__ = [
    "WAITING",
    "Catalogue",
    "CatalogueReader",
    "DocumentInfo",
    "Entry",
    "FileRecord",
    "FileState",
    "Generation",
    "Job",
    "JobFile",
    "JobState",
    "Jobs",
    "Manifest",
    "Order",
    "Row",
    "Space",
    "StoredChunk",
    "Task",
    "Transaction",
]
