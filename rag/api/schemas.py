"""What goes over the wire: requests, and the schemas that the frozen types of `rag.answer` are shown in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag import engines
from rag.answer import ClaimVerdict, Confidence, Grounding, Intent, Turn
from rag.api.page_language import asker_language
from rag.asking import Ask

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[engines.names()]

_QUESTION = "How many open datasets did the city publish?"
ANSWER_ID = "5f0c9d6b2a7e4f1c8b3d0a9e7c6f5b41"
MAX_TURNS = 200
_MAX_CONTENT = 100_000
MAX_CODES = 200
MAX_IDS = 1000
MAX_HITS = 100

# The same in several schemas. A field may describe its own meaning; then that counts.
LanguageCode = Annotated[
    str, Field(min_length=2, max_length=35, description="Its language (ISO 639-1).", examples=["en"])
]
DocumentId = Annotated[
    str, Field(min_length=1, max_length=64, description="The document's id.", examples=["f38a4b3e95ad912d"])
]
SourceUrl = Annotated[
    str | None,
    Field(
        description="Where the document comes from; null: not known.", examples=["https://example.org/report"]
    ),
]
Title = Annotated[str, Field(description="The document's title.", examples=["Open data in the city"])]
Page = Annotated[
    int | None,
    Field(
        ge=1,
        description="The page or slide that it begins on, from 1; null: its file has none.",
        examples=[12],
    ),
]
Section = Annotated[
    str | None,
    Field(description="The heading or sheet that it stands under; null: none.", examples=["Opening hours"]),
]
Recognised = Annotated[
    bool,
    Field(
        strict=True,
        description="Whether the words were recognised in a picture, and may differ from it by a letter.",
    ),
]
Path = Annotated[
    str, Field(description="The name of its file, from its folder on.", examples=["notices/report.pdf"])
]
Start = Annotated[
    int,
    Field(
        ge=0,
        strict=True,
        description="Offset of its beginning in the document's text, in code points.",
        examples=[120],
    ),
]
End = Annotated[int, Field(ge=0, strict=True, description="Offset of its end, excluded.", examples=[166])]
Milliseconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True, examples=[41.7])]
Count = Annotated[int, Field(ge=0, strict=True, examples=[12])]
Moment = Annotated[str, Field(examples=["2026-01-31T08:30:00+00:00"])]


Interface = Annotated[
    str | None,
    Field(
        min_length=2,
        max_length=35,
        description="The language (ISO 639-1) of the page or program that asks: a few words that may be of several "
        "languages are likelier of this one. Null: the one that the Accept-Language header prefers.",
        examples=["vi"],
    ),
]


class StrictRequest(BaseModel):
    """What a client sends, taken exactly as it is described."""

    # A misspelt option that is silently ignored would give a wrong answer; so would "no" taken for a yes.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TurnIn(StrictRequest):
    """One earlier turn of the conversation."""

    role: Literal["user", "assistant"] = Field(description="Who said it.")
    content: str = Field(
        max_length=_MAX_CONTENT,
        description="What was said.",
        examples=["When did the city open its data portal?"],
    )

    def turn(self) -> Turn:
        """Return it as the assistant takes it."""
        return Turn(self.role, self.content)


class Asked(StrictRequest):
    """A question with all that it may be asked with, through whatever door."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"question": _QUESTION}]})

    question: str = Field(min_length=1, description="The question, in any language.", examples=[_QUESTION])
    history: list[TurnIn] = Field(
        default_factory=list,
        max_length=MAX_TURNS,
        description="The turns before it, oldest first; a follow-up question is completed from them.",
        examples=[[{"role": "user", "content": "When did the city open its data portal?"}]],
    )
    languages: list[LanguageCode] | None = Field(
        None,
        max_length=MAX_CODES,
        description="Look only into documents in these languages (ISO 639-1); null: all.",
        examples=[["bn", "hi"]],
    )
    documents: list[DocumentId] | None = Field(
        None, max_length=MAX_IDS, description="Look only into these documents; null: all."
    )
    engine: EngineName | None = Field(
        None,
        description="Who writes the answer: `extractive` quotes the documents, `llm` needs a configured model "
        "server; null: the default.",
    )
    interface: Interface = None

    def ask(self, headers: Mapping[str, str]) -> Ask:
        """Return it as what answers takes it; `headers`: those of the request."""
        return Ask(
            self.question,
            history=tuple(turn.turn() for turn in self.history),
            languages=_tuple(self.languages),
            documents=_tuple(self.documents),
            engine=self.engine,
            interface=self.interface or asker_language(headers),
        )


class AskRequest(Asked):
    """A question."""

    stream: bool = Field(
        False,
        description="Send the answer as server-sent events: `token` events, one `answer` event with the whole "
        "answer, then `done`.",
    )


class SearchRequest(StrictRequest):
    """A search for passages."""

    query: str = Field(min_length=1, description="What to look for, in any language.", examples=[_QUESTION])
    top_k: int = Field(10, ge=1, le=MAX_HITS, description="At most so many passages.")
    languages: list[LanguageCode] | None = Field(
        None,
        max_length=MAX_CODES,
        description="Look only into documents in these languages (ISO 639-1); null: all.",
        examples=[["bn", "hi"]],
    )
    documents: list[DocumentId] | None = Field(
        None, max_length=MAX_CODES, description="Look only into these documents; null: all."
    )
    interface: Interface = None

    def ask(self, headers: Mapping[str, str]) -> Ask:
        """Return it as what answers takes it; `headers`: those of the request."""
        return Ask(
            self.query,
            languages=_tuple(self.languages),
            documents=_tuple(self.documents),
            interface=self.interface or asker_language(headers),
        )


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


class ParallelOut(BaseModel):
    """Another language version of a document: the same source URL."""

    document_id: DocumentId
    language: LanguageCode


class GlossOut(BaseModel):
    """A quote as its reader can read it, in the words of the document's own version in that language."""

    language: LanguageCode
    text: str = Field(
        description="What that version says there, exactly.",
        examples=["Staden har publicerat över 540 datamängder."],
    )
    document_id: DocumentId
    title: Title
    start: Start
    end: End
    how: Literal["parallel"] = Field(
        "parallel", description="How it was made: `parallel`, by another version."
    )


class CitationOut(BaseModel):
    """Words of a document: `quote` is its text from `start` to `end`."""

    marker: int = Field(
        ge=1,
        strict=True,
        description="The n of [n] in the answer. In a refusal: the order of the nearest passages.",
        examples=[1],
    )
    document_id: DocumentId
    source_url: SourceUrl
    title: Title
    language: LanguageCode
    quote: str = Field(
        description="The words, exactly as the document has them.",
        examples=["The city has published more than 540 datasets."],
    )
    start: Start
    end: End
    score: float = Field(
        strict=True, description="How well it fits the question; larger is better.", examples=[0.87]
    )
    parallel: list[ParallelOut] = Field(description="Other language versions of the document.")
    page: Page = None
    section: Section = None
    path: Path = ""
    recognised: Recognised = False
    gloss: GlossOut | None = Field(
        None,
        description="What another version of the document says there in the language of the question, or of the page "
        "that asks; null where there is none or the quote is in it.",
    )


class TimingsOut(BaseModel):
    """How long the answer took, in milliseconds."""

    retrieve: Milliseconds = Field(description="Finding passages.")
    answer: Milliseconds = Field(description="Finding or writing the answer in them.")
    total: Milliseconds = Field(description="Both.")


class ClaimOut(BaseModel):
    """A sentence of an answer that a language model wrote, as it was checked."""

    text: str = Field(
        description="What it says, without markers.", examples=["540 data sets were published."]
    )
    markers: list[Annotated[int, Field(strict=True)]] = Field(
        description="Its markers in the answer; none where it was left out.", examples=[[1]]
    )
    verdict: ClaimVerdict = Field(
        description="What the cited passages say to it: `supported`; `contradicted` (it was left out of the answer); "
        "`unsupported` (neither: it is marked)."
    )
    score: float = Field(
        strict=True, description="The probability that they say it.", ge=0, le=1, examples=[0.93]
    )
    missing: list[str] = Field(
        description="Numbers, dates, codes and names of it that stand nowhere in them.", examples=[[]]
    )


class AnswerOut(BaseModel):
    """An answer with the words it rests on, or a refusal with the nearest passages."""

    id: str = Field(description="Of this answer, for feedback.", examples=[ANSWER_ID])
    question: str = Field(description="The question as it was asked.", examples=[_QUESTION])
    standalone_question: str = Field(
        description="The question as it was completed from the history.", examples=[_QUESTION]
    )
    language: LanguageCode = Field(
        description="Language of the question and so of the answer.", examples=["en"]
    )
    answer: str = Field(
        description="The answer with markers such as [1], in the question's language.",
        examples=["540+ — the source says: “The city has published more than 540 datasets.” [1]"],
    )
    short_answer: str | None = Field(
        description="The number, name or date alone, in ASCII digits.", examples=["540+"]
    )
    refused: bool = Field(
        strict=True, description="Whether the documents do not answer the question.", examples=[False]
    )
    refusal_reason: str | None = Field(
        description="Why: `empty` (nothing was found), `name` (the documents say nothing of that name or number) or "
        "`unanswered`.",
        examples=[None, "unanswered"],
    )
    engine: EngineName = Field(description="Who wrote the answer: see the field of `POST /v1/ask`.")
    model: str | None = Field(
        description="The language model that wrote the answer, if one did.", examples=[None, "qwen3:8b"]
    )
    grounding: Grounding = Field(
        description="Whether the citations bear out the answer: all of it, a part, or none (a refusal)."
    )
    citations: list[CitationOut] = Field(description="The words it rests on, in the order of their markers.")
    timings_ms: TimingsOut = Field(description="How long it took.")
    notice: str | None = Field(
        description="One line in the answer's language where something went otherwise than asked, such as a "
        "language model that did not answer.",
        examples=[None, "The language model did not answer; this is quoted from the documents."],
    )
    intent: Intent = Field(
        "question",
        description="What was wanted: `question` (to the documents), `smalltalk`, `collection` (what is indexed), "
        "`summary` (of a document), `meta` (about the answer before) or `unclear`.",
        examples=["question"],
    )
    confidence: Confidence = Field(
        "answered",
        description="`answered`: the source says it; `perhaps`: the nearest that was found, which may not answer; "
        "`none`: the documents do not answer.",
        examples=["answered"],
    )
    claims: list[ClaimOut] = Field(
        default_factory=list,
        description="The sentences that a language model wrote, as they were checked; else empty.",
        examples=[[]],
    )
    parts: list[AnswerOut] = Field(
        default_factory=list,
        description="Of a text that asks several questions, the answer to each, in order; else empty.",
        examples=[[]],
    )
    alternatives: list[AnswerOut] = Field(
        default_factory=list,
        description="What documents answer to the question where they differ, the newer first; mostly empty.",
        examples=[[]],
    )
    short_gloss: str | None = Field(
        None,
        description="The short answer as a reader of the answer's language can read it: numbers, dates and units as "
        "that language writes them, names in letters that it uses; null where the short answer is so already.",
        examples=[None, "March 12, 2026, 8:00 AM – 4:00 PM", "Sunita Varma"],
    )
    date: str | None = Field(
        None,
        description="Of an alternative: the day of its document by ISO 8601, as far as the document tells.",
        examples=[None, "2025", "2025-03-09"],
    )


class HitOut(BaseModel):
    """A passage: `text` is its document's text from `start` to `end`."""

    chunk_id: str = Field(description="The passage's id.", examples=["f38a4b3e95ad912d-3"])
    document_id: DocumentId
    source_url: SourceUrl
    title: Title
    language: LanguageCode
    text: str = Field(
        description="The passage, exactly as the document has it.",
        examples=["The city has published more than 540 datasets. They are free to use."],
    )
    start: Start
    end: End
    score: float = Field(description="Larger is better; comparable within one search only.", examples=[0.87])
    page: Page = None
    section: Section = None
    path: Path = ""
    recognised: Recognised = False


class SearchOut(BaseModel):
    """What a search found, the best first."""

    query: str = Field(description="What was looked for.", examples=[_QUESTION])
    hits: list[HitOut] = Field(description="The passages, the best first.")


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = Field("alive", description="Always this.")


class Ready(BaseModel):
    """The index is open and the model is loaded."""

    status: Literal["ready"] = Field("ready", description="Always this.")
    documents: Count = Field(description="Indexed documents.")
    chunks: Count = Field(description="Their passages.", examples=[96])
    sentences: Count = Field(description="Their sentences.", examples=[480])
    model: str = Field(description="The embedding model.", examples=["multilingual-e5-small"])


STREAM_EXAMPLE: dict[str, Any] = {
    "text/event-stream": {
        "itemSchema": {
            "type": "object",
            "properties": {
                "event": {"type": "string", "enum": ["token", "answer", "error", "done"]},
                "data": {"type": "string", "contentMediaType": "application/json"},
            },
            "required": ["event", "data"],
        },
        "example": 'event: token\ndata: {"text": "540+ "}\n\n'
        'event: answer\ndata: {"id": "...", "answer": "540+ ...", "citations": ["..."]}\n\n'
        "event: done\ndata: {}\n\n",
    }
}
