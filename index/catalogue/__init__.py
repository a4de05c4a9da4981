"""The catalogue: one SQLite file that holds the truth. The only package that imports SQLAlchemy."""

from index.catalogue.catalogue import Catalogue
from index.catalogue.reader import Reader, Row
from index.catalogue.records import (
    DocumentInfo,
    Entry,
    FileRecord,
    Generation,
    Manifest,
    Space,
)
from index.catalogue.writer import Transaction

__all__ = [
    "Catalogue",
    "DocumentInfo",
    "Entry",
    "FileRecord",
    "Generation",
    "Manifest",
    "Reader",
    "Row",
    "Space",
    "Transaction",
]
