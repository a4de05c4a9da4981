"""What is in a suite: `from made_suites import documents_of, words_at, by_id`."""

from __future__ import annotations

from eval.records import Task
from eval.suites import Suite
from index.corpus import Corpus
from index.types import Document


def documents_of(suite: Suite) -> dict[str, Document]:
    """The indexed documents of a suite by id."""
    with Corpus.open(suite.index_settings, manifest_expected=None) as corpus:
        found = [corpus.document(info.id) for info in corpus.documents()]
    return {document.id: document for document in found if document is not None}


def words_at(suite: Suite, task: Task) -> dict[str, str]:
    """What the documents say at the places of a task, by language."""
    documents = documents_of(suite)
    return {p.language: documents[p.document_id].text[p.start : p.end] for p in task.places}


def by_id(suite: Suite) -> dict[str, Task]:
    return {task.id: task for task in suite.tasks}
