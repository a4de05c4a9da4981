"""The operations that list and read documents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from index.uploads import upload_folder
from rag.api import problems
from rag.api.declared import declares
from rag.api.document_schemas import ChunkOut, DocumentOut, DocumentsOut, FullDocumentOut
from rag.api.schemas import ParallelOut
from rag.settings import RagSettings

_MAX_PAGE = 500

DocumentIdIn = Annotated[str, Path(max_length=64, description="The document's id.")]


def unknown_document(document_id: str) -> problems.ProblemResponse:
    """Return the problem of an id that no document has."""
    return problems.of_status(
        404, f"there is no document {document_id!r}: GET /v1/documents lists them", name="document-unknown"
    )


class Shelf:
    """The indexed documents as every door shows them."""

    def __init__(self, corpus: Corpus, settings: RagSettings) -> None:
        self._corpus = corpus
        self._uploads = str(upload_folder(settings.index))

    def page(
        self,
        *,
        limit: int,
        offset: int,
        language: str | None,
        query: str | None,
        uploaded: bool | None = None,
    ) -> DocumentsOut:
        """Return a page of them, by folder and file name: those in a language, with all words of `query` in title
        or path, that were uploaded (False: that were not)."""
        total, page = self._corpus.reader().page(
            limit=limit,
            offset=offset,
            language=language,
            folder=self._uploads if uploaded else None,
            other_than=self._uploads if uploaded is False else None,
            words=query,
        )
        return DocumentsOut(
            documents=[self._shown(info) for info in page], total=total, limit=limit, offset=offset
        )

    def document(self, document_id: str) -> FullDocumentOut | None:
        """Return one with its text; None when there is none with this id."""
        found = self._corpus.document(document_id)
        info = self._corpus.document_infos([document_id]).get(document_id)
        if found is None or info is None:
            return None
        return FullDocumentOut(
            **self._shown(info).model_dump(),
            text=found.text,
            chunk_offsets=[ChunkOut.model_validate(chunk) for chunk in self._corpus.chunks_of(document_id)],
            parallel=[
                ParallelOut(document_id=other, language=language)
                for other, language in self._corpus.parallel(document_id)
            ],
        )

    def _shown(self, info: DocumentInfo) -> DocumentOut:
        return DocumentOut.model_validate({**asdict(info), "uploaded": info.folder == self._uploads})


def add_documents(app: FastAPI, shelf: Shelf) -> None:
    """Add the operations to an application."""

    @app.get(
        "/v1/documents",
        tags=["documents"],
        summary="List the documents",
        responses=problems.responses(422, 503),
    )
    @declares("read")
    def documents(
        limit: Annotated[int, Query(ge=1, le=_MAX_PAGE, description="At most so many.")] = 50,
        offset: Annotated[int, Query(ge=0, le=2**53, description="Leave out so many first.")] = 0,
        language: Annotated[
            str | None,
            Query(max_length=35, description="Only documents in this language (ISO 639-1).", examples=["bn"]),
        ] = None,
        query: Annotated[
            str | None,
            Query(max_length=200, description="Only documents with all of these words in title or path."),
        ] = None,
        uploaded: Annotated[
            bool | None, Query(description="Only documents that were uploaded; false: only the others.")
        ] = None,
    ) -> DocumentsOut:
        """Return a page of the indexed documents, by folder and file name, without their texts."""
        return shelf.page(limit=limit, offset=offset, language=language, query=query, uploaded=uploaded)

    @app.get(
        "/v1/documents/{document_id}",
        tags=["documents"],
        summary="Read a document",
        response_model=FullDocumentOut,
        responses=problems.responses(404, 422, 503),
    )
    @declares("read")
    def document(document_id: DocumentIdIn) -> Any:
        """Return a document with its full text and where its passages lie in it."""
        return shelf.document(document_id) or unknown_document(document_id)
