"""The frozen types of the answering side: Hit -> Found, Answer(Citation). One schema everywhere they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from index.types import Chunk, Place, Sentence, place_at

Grounding = Literal["verified", "partial", "none"]
Confidence = Literal["answered", "perhaps", "none"]
"""How sure an answer is: the source says it; the nearest that was found, which may not answer; nothing."""
ClaimVerdict = Literal["supported", "contradicted", "unsupported"]
Intent = Literal["question", "smalltalk", "collection", "summary", "meta", "unclear"]
"""What was wanted: an answer from the documents; a few kind words; what there is to ask; a document in short; something
about the answer before; nothing that can be told."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """Another language version of a cited document."""

    document_id: str
    language: str


@dataclass(frozen=True, slots=True)
class Gloss:
    """A quote as its reader can read it: `text` is `text[start:end]` of the document's own version in `language`."""

    language: str
    text: str
    document_id: str
    title: str
    start: int
    end: int
    how: Literal["parallel"] = "parallel"


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved chunk with its scores.

    `score` orders hits, larger first; it is about 0.4 (nothing in common) to 1.1 (the same sentence with
    its names). `dense` is the cosine of the chunk, `sentence` the best cosine of one of its sentences, `lexical` the
    bonus for shared words and names (0: none shared).
    """

    chunk: Chunk
    title: str
    source_url: str | None
    document_language: str
    score: float
    dense: float
    sentence: float
    lexical: float
    parallel: tuple[Parallel, ...] = ()
    path: str = ""
    places: tuple[Place, ...] = ()

    def located(self, start: int) -> dict[str, Any]:
        """What citations and search hits say of where the words that begin at `start` stand: see `located`."""
        return located(self.places, start, self.path)

    def cited(self, span: Chunk | Sentence, *, marker: int, score: float) -> Citation:
        """The citation of the hit's chunk, or of a sentence of it; `score`: the probability that it answers."""
        return Citation(
            marker=marker,
            document_id=span.document_id,
            source_url=self.source_url,
            title=self.title,
            language=span.language,
            quote=span.text,
            start=span.start,
            end=span.end,
            score=round(score, 4),
            parallel=self.parallel,
            **self.located(span.start),
        )

    def found(self) -> Found:
        """The hit as it is shown."""
        chunk = self.chunk
        return Found(
            chunk_id=chunk.id,
            document_id=chunk.document_id,
            source_url=self.source_url,
            title=self.title,
            language=chunk.language,
            text=chunk.text,
            start=chunk.start,
            end=chunk.end,
            score=round(self.score, 4),
            **self.located(chunk.start),
        )


def located(places: Sequence[Place], start: int, path: str) -> dict[str, Any]:
    """The fields of a citation that say where in which file the words at `start` stand."""
    place = place_at(places, start)
    return {
        "page": place.page if place else None,
        "section": place.section if place else None,
        "path": path,
        "recognised": place is not None and place.recognised,
    }


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that a search found, as every door shows it: the search hit of the contract."""

    chunk_id: str
    document_id: str
    source_url: str | None
    title: str
    language: str
    text: str
    start: int
    end: int
    score: float
    page: int | None = None
    section: str | None = None
    path: str = ""
    recognised: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of a document: `quote == document.text[start:end]`, always.

    `marker` is the n of [n] in the answer, from 1 in reading order. In a refusal the citations are the nearest
    passages and the answer has no markers. `page` (of a PDF, slide of a presentation) counts from 1; `section` is the
    heading or sheet that the words stand under; None where the file has none. `path` is the file's in its folder.
    `recognised`: the words were read off a picture, and may differ from it by a letter. `gloss`: what another version
    of the document says there in the reader's language; None where there is none, or the quote is in it.
    """

    marker: int
    document_id: str
    source_url: str | None
    title: str
    language: str
    quote: str
    start: int
    end: int
    score: float
    parallel: tuple[Parallel, ...] = ()
    page: int | None = None
    section: str | None = None
    path: str = ""
    recognised: bool = False
    gloss: Gloss | None = None


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim and what was found of it.

    Attributes:
        text: what it says, without markers.
        markers: those it has in the verified text.
        verdict: what the passages it cites say to it; "unsupported" where they say neither.
        score: the probability that they say it, 0 to 1; 0 when it cites nothing that is there.
        missing: its facts and names that stand nowhere in them, as written in the claim.
    """

    text: str
    markers: tuple[int, ...]
    verdict: ClaimVerdict
    score: float
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds."""

    retrieve: float = 0.0
    answer: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant says, and the words it rests on. `to_dict` is the answer schema of the contract.

    `engine` is the name of what wrote it, one of `rag.engines.ENGINES`.
    `notice` is one line in the answer's language where something went otherwise than asked, such as a language model
    that did not answer; else None.
    `short_gloss` is the short answer as a reader of the answer's language can read it: its numbers, dates and units as
    that language writes them, its names in letters that it uses; None where the short answer is so already.
    `claims` are the sentences that a language model wrote, as they were checked, those that were left out too.
    `parts` are the answers to each question of a text that asks several, in order. `alternatives` are other documents'
    answers to the same question that differ from this one, the newer first; `date` is then the day of its document by
    ISO 8601, as far as the document tells ("2025", "2025-03-09"), else None.
    """

    id: str
    question: str
    standalone_question: str
    language: str
    answer: str
    short_answer: str | None
    refused: bool
    refusal_reason: str | None
    engine: str
    model: str | None
    grounding: Grounding
    citations: tuple[Citation, ...]
    timings_ms: Timings = field(default_factory=Timings)
    notice: str | None = None
    intent: Intent = "question"
    confidence: Confidence = "answered"
    claims: tuple[CheckedClaim, ...] = ()
    parts: tuple[Answer, ...] = ()
    alternatives: tuple[Answer, ...] = ()
    date: str | None = None
    short_gloss: str | None = None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The answer that `to_dict` wrote, by this version or another: fields that it does not know are left out.

        Raises:
            KeyError, TypeError, AttributeError: it is no answer.
        """
        values = _known(cls, content)
        values["citations"] = tuple(
            Citation(
                **{
                    **_known(Citation, each),
                    "parallel": tuple(Parallel(**_known(Parallel, other)) for other in each["parallel"]),
                    "gloss": Gloss(**_known(Gloss, each["gloss"])) if each.get("gloss") else None,
                }
            )
            for each in content["citations"]
        )
        values["timings_ms"] = Timings(**_known(Timings, content["timings_ms"]))
        values["claims"] = tuple(
            CheckedClaim(
                **{
                    **_known(CheckedClaim, each),
                    "markers": tuple(each["markers"]),
                    "missing": tuple(each["missing"]),
                }
            )
            for each in content.get("claims", ())
        )
        for name in ("parts", "alternatives"):
            values[name] = tuple(cls.from_dict(each) for each in content.get(name, ()))
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, ready for JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["citations"] = [
            dict(asdict(citation), parallel=[asdict(each) for each in citation.parallel])
            for citation in self.citations
        ]
        values["timings_ms"] = asdict(self.timings_ms)
        values["claims"] = [
            dict(asdict(claim), markers=list(claim.markers), missing=list(claim.missing))
            for claim in self.claims
        ]
        for name in ("parts", "alternatives"):
            values[name] = [answer.to_dict() for answer in values[name]]
        return values


def _known(kind: type[Any], content: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in content.items() if name in names}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an answer while it is written. The answer that comes last replaces all pieces before it."""

    text: str


def answer_of(items: Iterable[Token | Answer]) -> Answer:
    """The answer that a stream ends with.

    Raises:
        ValueError: there is none: the stream was stopped.
    """
    for item in items:
        if isinstance(item, Answer):
            return item
    raise ValueError("the stream was stopped before its answer")


_PIECE = re.compile(r"\s*\S+\s*|\s+")


def pieces(text: str) -> list[str]:
    """Cut a text between words; joined, the pieces are the text."""
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str
