"""What goes over the wire: requests, and the schemas that the frozen types of `rag.answer` are shown in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from index.catalogue import WAITING, FileState, Job, JobState
from rag.answer import EngineName, Grounding, Turn
from rag.feedback import MAX_REASON_CHARS, Rating

_QUESTION = "How many open datasets did the city publish?"
_MAX_TURNS = 200
_MAX_CONTENT = 100_000
_MAX_CODES = 200
_MAX_IDS = 1000
MAX_HITS = 100

LanguageCode = Annotated[str, Field(min_length=2, max_length=35, examples=["bn"])]
DocumentId = Annotated[str, Field(min_length=1, max_length=64, examples=["f38a4b3e95ad912d"])]


class _Request(BaseModel):
    # A misspelt option that is silently ignored would give a wrong answer.
    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnIn(_Request):
    """One earlier turn of the conversation."""

    role: Literal["user", "assistant"] = Field(description="Who said it.")
    content: str = Field(max_length=_MAX_CONTENT, description="What was said.")

    def turn(self) -> Turn:
        """Return it as the assistant takes it."""
        return Turn(self.role, self.content)


class AskRequest(_Request):
    """A question."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"question": _QUESTION}]})

    question: str = Field(min_length=1, description="The question, in any language.", examples=[_QUESTION])
    history: list[TurnIn] = Field(
        default_factory=list,
        max_length=_MAX_TURNS,
        description="The turns before it, oldest first; a follow-up question is completed from them.",
        examples=[[{"role": "user", "content": "When did the city open its data portal?"}]],
    )
    languages: list[LanguageCode] | None = Field(
        None,
        max_length=_MAX_CODES,
        description="Look only into documents in these languages (ISO 639-1); null: all.",
        examples=[["bn", "hi"]],
    )
    documents: list[DocumentId] | None = Field(
        None, max_length=_MAX_IDS, description="Look only into these documents; null: all."
    )
    engine: EngineName | None = Field(
        None,
        description="Who writes the answer: `extractive` quotes the documents, `llm` needs a configured model "
        "server; null: the default.",
    )
    stream: bool = Field(
        False,
        description="Send the answer as server-sent events: `token` events, one `answer` event with the whole "
        "answer, then `done`.",
    )


class SearchRequest(_Request):
    """A search for passages."""

    query: str = Field(min_length=1, description="What to look for, in any language.", examples=[_QUESTION])
    top_k: int = Field(10, ge=1, le=MAX_HITS, description="At most so many passages.")
    languages: list[LanguageCode] | None = Field(
        None,
        max_length=_MAX_CODES,
        description="Look only into documents in these languages (ISO 639-1); null: all.",
        examples=[["bn", "hi"]],
    )
    documents: list[DocumentId] | None = Field(
        None, max_length=_MAX_CODES, description="Look only into these documents; null: all."
    )


class ParallelOut(BaseModel):
    """Another language version of a document: the same source URL."""

    document_id: DocumentId
    language: LanguageCode


class CitationOut(BaseModel):
    """Words of a document: `quote` is its text from `start` to `end`."""

    marker: int = Field(
        ge=1,
        description="The n of [n] in the answer. In a refusal: the order of the nearest passages.",
        examples=[1],
    )
    document_id: DocumentId
    source_url: str | None = Field(description="Where the document comes from.")
    title: str
    language: LanguageCode
    quote: str = Field(description="The words, exactly as the document has them.")
    start: int = Field(ge=0, description="Offset of the quote in the document's text, in code points.")
    end: int = Field(ge=0, description="Offset of the end of the quote, excluded.")
    score: float = Field(description="How well it fits the question; larger is better.")
    parallel: list[ParallelOut] = Field(description="Other language versions of the document.")


class TimingsOut(BaseModel):
    """How long the answer took, in milliseconds."""

    retrieve: float
    answer: float
    total: float


class AnswerOut(BaseModel):
    """An answer with the words it rests on, or a refusal with the nearest passages."""

    id: str = Field(description="Of this answer, for feedback.")
    question: str
    standalone_question: str = Field(description="The question as it was completed from the history.")
    language: LanguageCode = Field(description="Language of the question and so of the answer.")
    answer: str = Field(description="The answer with markers such as [1], in the question's language.")
    short_answer: str | None = Field(
        description="The number, name or date alone, in ASCII digits.", examples=["540+"]
    )
    refused: bool = Field(description="Whether the documents do not answer the question.")
    refusal_reason: str | None = Field(description="Why: `empty`, `name` or `unanswered`.")
    engine: EngineName
    model: str | None = Field(description="The language model that wrote the answer, if one did.")
    grounding: Grounding = Field(description="Whether the citations bear out the answer.")
    citations: list[CitationOut]
    timings_ms: TimingsOut
    notice: str | None = Field(
        description="One line in the answer's language where something went otherwise than asked, such as a "
        "language model that did not answer."
    )


class HitOut(BaseModel):
    """A passage: `text` is its document's text from `start` to `end`."""

    chunk_id: str
    document_id: DocumentId
    source_url: str | None
    title: str
    language: LanguageCode
    text: str
    start: int
    end: int
    score: float = Field(description="Larger is better; comparable within one search only.")


class SearchOut(BaseModel):
    """What a search found, the best first."""

    query: str
    hits: list[HitOut]


class DocumentOut(BaseModel):
    """A document without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: DocumentId
    path: str = Field(description="Its file, relative to the indexed folder.")
    title: str
    language: LanguageCode
    source_url: str | None
    media_type: str = Field(examples=["text/plain"])
    characters: int = Field(description="Length of its text in code points.")
    chunks: int
    sentences: int
    added_at: str = Field(description="When it was indexed: ISO 8601, UTC.")
    uploaded: bool = Field(description="Whether it was uploaded, and so can be deleted over HTTP.")


class DocumentsOut(BaseModel):
    """A page of the list of documents."""

    documents: list[DocumentOut]
    total: int = Field(description="How many there are in all, with the filter applied.")
    limit: int
    offset: int


class ChunkOut(BaseModel):
    """Where a passage lies in the document's text."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    ordinal: int = Field(description="Its place in the document, from 0.")
    start: int
    end: int
    language: LanguageCode


class FullDocumentOut(DocumentOut):
    """A document with its text: the one that offsets of citations and passages refer to."""

    text: str
    chunk_offsets: list[ChunkOut]
    parallel: list[ParallelOut]


class FeedbackRequest(_Request):
    """A rating of an answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answer_id": "5f0c9d6b2a7e4f1c8b3d0a9e7c6f5b41",
                    "rating": "down",
                    "reason": "The number is of last year.",
                }
            ]
        }
    )

    answer_id: str = Field(
        min_length=1,
        max_length=64,
        description="The answer's `id`.",
        examples=["5f0c9d6b2a7e4f1c8b3d0a9e7c6f5b41"],
    )
    rating: Rating = Field(description="Whether the answer helped: `up` or `down`.", examples=["down"])
    reason: str | None = Field(
        None,
        max_length=MAX_REASON_CHARS,
        description="Why, in the person's words.",
        examples=["The number is of last year."],
    )
    answer: AnswerOut | None = Field(
        None,
        description="The answer as it was sent. Needed only when the server no longer knows it: it remembers the "
        "last 1,000 answers since it started.",
    )
    history: list[TurnIn] = Field(
        default_factory=list,
        max_length=_MAX_TURNS,
        description="The turns before the question; looked at with `answer` only.",
    )


class FeedbackOut(BaseModel):
    """A rating that was stored."""

    answer_id: str = Field(
        description="The answer that was rated.", examples=["5f0c9d6b2a7e4f1c8b3d0a9e7c6f5b41"]
    )
    rating: Rating = Field(description="What was stored; a later rating of the same answer counts instead.")


class JobFileOut(BaseModel):
    """One file of an upload."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="Its name, as it was sent.")
    size: int = Field(description="Bytes.")
    state: FileState = Field(
        description="`queued`, `working`; then `indexed`, `duplicate` (a document with the same content is there), "
        "`refused` (it cannot be a document) or `failed` (the server could not do the work)."
    )
    document_id: str | None = Field(description="The document that holds its content.")
    reason: str | None = Field(description="Why it was refused, to be compared.", examples=["unsupported"])
    detail: str = Field(description="Why, in words, and what to do; empty when there is nothing to say.")


class JobOut(BaseModel):
    """An upload: what became of its files, in their order."""

    id: str
    state: JobState = Field(description="`done` when every file has come to its end.")
    created: str = Field(description="ISO 8601, UTC.")
    finished: str | None = Field(description="ISO 8601, UTC; null until it is done.")
    files: list[JobFileOut]
    files_done: int = Field(description="Files that have come to their end.")
    files_total: int

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

    jobs: list[JobOut]
    waiting: int = Field(description="Files of all uploads that have work before them.")


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The index is open and the model is loaded."""

    status: Literal["ready"] = "ready"
    documents: int
    chunks: int
    sentences: int
    model: str = Field(description="The embedding model.")


class TokenEvent(BaseModel):
    """The data of a `token` event: joined, the texts are the answer's `answer`."""

    text: str


STREAM_EXAMPLE: dict[str, Any] = {
    "text/event-stream": {
        "schema": {"type": "string"},
        "example": 'event: token\ndata: {"text": "540+ "}\n\n'
        'event: answer\ndata: {"id": "...", "answer": "540+ ...", "citations": ["..."]}\n\n'
        "event: done\ndata: {}\n\n",
    }
}
