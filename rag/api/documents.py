"""The operations that list and read documents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from index.uploads import upload_folder
from rag.api import problems
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


def add_documents(app: FastAPI, corpus: Corpus, settings: RagSettings) -> None:
    """Add the operations to an application."""
    uploads = str(upload_folder(settings.index))

    def shown(info: DocumentInfo) -> DocumentOut:
        return DocumentOut.model_validate({**asdict(info), "uploaded": info.folder == uploads})

    @app.get(
        "/v1/documents",
        tags=["documents"],
        summary="List the documents",
        responses=problems.responses(422, 503),
    )
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
        total, page = corpus.reader().page(
            limit=limit,
            offset=offset,
            language=language,
            folder=uploads if uploaded else None,
            other_than=uploads if uploaded is False else None,
            words=query,
        )
        return DocumentsOut(documents=[shown(info) for info in page], total=total, limit=limit, offset=offset)

    @app.get(
        "/v1/documents/{document_id}",
        tags=["documents"],
        summary="Read a document",
        response_model=FullDocumentOut,
        responses=problems.responses(404, 422, 503),
    )
    def document(document_id: DocumentIdIn) -> Any:
        """Return a document with its full text and where its passages lie in it."""
        found = corpus.document(document_id)
        info = corpus.document_infos([document_id]).get(document_id)
        if found is None or info is None:
            return unknown_document(document_id)
        return FullDocumentOut(
            **shown(info).model_dump(),
            text=found.text,
            chunk_offsets=[ChunkOut.model_validate(chunk) for chunk in corpus.chunks_of(document_id)],
            parallel=[
                ParallelOut(document_id=other, language=language)
                for other, language in corpus.parallel(document_id)
            ],
        )
