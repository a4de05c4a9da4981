"""Documents and their uploads as they go over the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from index.catalogue import WAITING, FileState, Job, JobState
from rag.api.schemas import Count, DocumentId, End, LanguageCode, Moment, ParallelOut, SourceUrl, Start, Title


class DocumentOut(BaseModel):
    """A document without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: DocumentId
    path: str = Field(
        description="Its file, relative to the indexed folder.", examples=["reports/open-data.html"]
    )
    title: Title
    language: LanguageCode
    source_url: SourceUrl
    media_type: str = Field(description="What kind of file it was.", examples=["text/plain"])
    characters: Count = Field(description="Length of its text in code points.", examples=[5120])
    chunks: Count = Field(description="Passages it was cut into.")
    sentences: Count = Field(description="Sentences it has.", examples=[48])
    added_at: Moment = Field(description="When it was indexed: ISO 8601, UTC.")
    uploaded: bool = Field(
        description="Whether it was uploaded, and so can be deleted over HTTP.", examples=[True]
    )


class DocumentsOut(BaseModel):
    """A page of the list of documents."""

    documents: list[DocumentOut] = Field(description="The documents of this page.")
    total: Count = Field(description="How many there are in all, with the filter applied.")
    limit: Count = Field(description="The largest number of documents of a page, as asked.", examples=[50])
    offset: Count = Field(description="How many stand before this page, as asked.", examples=[0])


class ChunkOut(BaseModel):
    """Where a passage lies in the document's text."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="The passage's id.", examples=["f38a4b3e95ad912d-3"])
    ordinal: Count = Field(description="Its place in the document, from 0.", examples=[3])
    start: Start
    end: End
    language: LanguageCode


class FullDocumentOut(DocumentOut):
    """A document with its text: the one that offsets of citations and passages refer to."""

    text: str = Field(
        description="The text, normalised once (NFC) when it was read.",
        examples=["Open data in the city\n\nThe city has published more than 540 datasets."],
    )
    chunk_offsets: list[ChunkOut] = Field(description="Its passages, in their order.")
    parallel: list[ParallelOut] = Field(description="Other language versions of it.")


class JobFileOut(BaseModel):
    """One file of an upload."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="Its name, as it was sent.", examples=["minutes.pdf"])
    size: Count = Field(description="Bytes.", examples=[48123])
    state: FileState = Field(
        description="`queued`, `working`; then `indexed`, `duplicate` (a document with the same content is there), "
        "`refused` (it cannot be a document) or `failed` (the server could not do the work)."
    )
    document_id: str | None = Field(
        description="The document that holds its content.", examples=["f38a4b3e95ad912d"]
    )
    reason: str | None = Field(
        description="Why it was refused, to be compared; `cancelled` when its sender gave it up.",
        examples=[None, "unsupported"],
    )
    detail: str = Field(
        description="Why, in words, and what to do; empty when there is nothing to say.",
        examples=["", "this is a picture; upload PDF, DOCX, HTML, Markdown or plain text"],
    )


class JobOut(BaseModel):
    """An upload: what became of its files, in their order."""

    id: str = Field(description="The upload's id.", examples=["3f9a0c51d2"])
    state: JobState = Field(description="`done` when every file has come to its end.")
    created: Moment = Field(description="When it came in: ISO 8601, UTC.")
    finished: Moment | None = Field(
        description="ISO 8601, UTC; null until it is done.", examples=["2026-01-31T08:30:04+00:00"]
    )
    files: list[JobFileOut] = Field(description="Its files, in the order they were sent.")
    files_done: Count = Field(description="Files that have come to their end.", examples=[1])
    files_total: Count = Field(description="All its files.", examples=[2])

    @classmethod
    def of(cls, job: Job) -> JobOut:
        """Return a job as it is shown."""
        files = [JobFileOut.model_validate(file) for file in job.files]
        return cls(
            id=job.id,
            state=job.state,
            created=job.created,
            finished=job.finished,
            files=files,
            files_done=sum(file.state not in WAITING for file in files),
            files_total=len(files),
        )


class JobsOut(BaseModel):
    """The latest uploads."""

    jobs: list[JobOut] = Field(description="The uploads, the newest first.")
    waiting: Count = Field(description="Files of all uploads that have work before them.")
