"""Checks each claim of a written answer against the passages it cites, and quotes the words it rests on.

verify(...)            the answer with what is not supported marked, and its citations
quotes_are_exact(...)  whether every quote is its document's text
short_is_quoted(...)   whether the numbers of a short answer stand in the quotes
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from index.embedder import Embedder
from index.language.comparison import stands_in
from index.language.terms import split_words
from index.types import UNDETERMINED
from rag.answer import CheckedClaim, Citation, ClaimVerdict, Grounding, Hit
from rag.matching.lexical import text_terms
from rag.notices import notices_in
from rag.question import Question
from rag.reader.passages import Judges, Read
from rag.reader.verdict import Verdict
from rag.verification import support
from rag.verification.claims import Claim, claims_of, markers_of
from rag.verification.passage import Passage
from rag.verification.support import Source, Stated, facts_in

# A number in so few words is read together with its question. Chosen, not fitted.
_FEW_WORDS = 3
# What the reader's probability that a sentence answers the question adds to its cosine, where it is chosen which one is
# quoted: little, since not every claim is the answer (docs/reader.md).
_READ = 0.02
_STRUCK = -1  # in the place of a passage's number: what is left out


@dataclass(frozen=True, slots=True)
class Verified:
    """A checked answer: contradicted claims are left out, unsupported ones are followed by a notice, markers count from
    1 in reading order. `claims` are all of them.

    `grounding` is "verified" when every claim is supported by a judge's word, "partial" when some are or there was no
    judge, "none" when none is.
    """

    text: str
    citations: tuple[Citation, ...]
    grounding: Grounding
    claims: tuple[CheckedClaim, ...]


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one claim came to: the passages it rests on, and which sentences of each, by their positions."""

    cited: tuple[Source, ...]
    rests_on: Mapping[int, tuple[int, ...]]
    score: float
    missing: tuple[str, ...]
    verdict: ClaimVerdict

    @property
    def supported(self) -> bool:
        return self.verdict == "supported"


def verify(
    text: str,
    order: Sequence[int],
    passages: Sequence[Passage],
    *,
    question: Question,
    embedder: Embedder,
    judge: Judges | None,
    reads: Sequence[Read] = (),
) -> Verified:
    """Check a written answer.

    Args:
        text: the answer with markers [1]..[k] in reading order; a marker beyond `order` is removed.
        order: `order[m - 1]` is the number of the passage that marker m cites.
        passages: those that the answer was written from.
        question: a fact or name of it may be repeated without standing in a passage; its language is the
            answer's.
        judge: says whether a passage supports or contradicts a claim; None: nearness decides.
        reads: what a reader said of the question and windows of the passages' documents; it has a say in which of a
            passage's sentences a claim is quoted with, not in whether the claim is supported.
    """
    text = unicodedata.normalize("NFC", text)
    claims = claims_of(text, question.language)
    check = _Check(passages, question, embedder, judge, reads)
    read_as = [in_full(claim.text, question) for claim in claims]
    statements = support.stated([c.text for c in claims], question.language, embedder, read_as=read_as)
    numbers = [[order[m - 1] for m in claim.markers if 0 < m <= len(order)] for claim in claims]
    findings = check.findings(list(zip(statements, numbers, strict=True)))
    return _written(text, order, claims, findings, language=question.language, judged=judge is not None)


def in_full(claim: str, question: Question) -> str:
    """What a claim means: a number or a date alone says little without its question.

    Other short claims stand for themselves: with the question's words around it any name would seem to be said.
    """
    bare = len(split_words(claim)) <= _FEW_WORDS and bool(facts_in(claim, question.language))
    return f"{question.text} {claim}" if bare else claim


def quotes_are_exact(citations: Sequence[Citation], hits: Sequence[Hit]) -> bool:
    """Whether every quote is exactly the text of one of the hits at its offsets: the catalogue cuts that out of the
    document."""
    return all(citation.quote and any(_holds(hit, citation) for hit in hits) for citation in citations)


def _holds(hit: Hit, citation: Citation) -> bool:
    chunk = hit.chunk
    return (
        chunk.document_id == citation.document_id
        and chunk.start <= citation.start
        and chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.quote
    )


def short_is_quoted(short: str | None, citations: Sequence[Citation]) -> bool:
    """Whether the numbers, dates and codes of a short answer stand in the quotes; True for one without any.

    The short answer may be written as in any of the quotes' languages ("1,2 miljoner").
    """
    if not short:
        return True
    facts = [fact for citation in citations for fact in facts_in(citation.quote, citation.language)]
    readings = {citation.language for citation in citations} or {UNDETERMINED}
    return any(all(stands_in(fact, facts) for fact in facts_in(short, language)) for language in readings)


class _Check:
    """Holds claims against passages."""

    def __init__(
        self,
        passages: Sequence[Passage],
        question: Question,
        embedder: Embedder,
        judge: Judges | None,
        reads: Sequence[Read],
    ) -> None:
        self._reads = reads
        self._sources = support.sources_of([passage for passage in passages if passage.sentences], embedder)
        self._by_number = {source.passage.number: source for source in self._sources}
        self._repeated = facts_in(question.text, question.language)
        self._known = [text_terms(question.text, question.language)]
        self._embedder = embedder
        self._judge = judge

    def findings(self, claims: Sequence[tuple[Stated, Sequence[int]]]) -> list[_Finding]:
        """Each claim against the passages of the numbers that it cites, or, without any, against each that may support
        it alone."""
        against = [
            [self._by_number[number] for number in dict.fromkeys(numbers) if number in self._by_number]
            if numbers
            else [source for source in self._sources if support.stands_alone(source)]
            for _, numbers in claims
        ]
        pairs = [(claim, source) for (claim, _), some in zip(claims, against, strict=True) for source in some]
        verdicts = iter(self._verdicts(pairs))
        found = []
        for (claim, numbers), sources in zip(claims, against, strict=True):
            own = list(islice(verdicts, len(sources))) if self._judge is not None else []
            if not sources:
                found.append(_Finding((), {}, 0.0, (), "unsupported"))
            elif numbers:
                found.append(self._finding(claim, sources, own, cited=True))
            else:
                found.append(self._best(claim, sources, own))
        return found

    def _verdicts(self, pairs: Sequence[tuple[Stated, Source]]) -> list[Verdict]:
        if self._judge is None or not pairs:
            return []
        windows = [support.window_of(claim, source) for claim, source in pairs]
        return self._judge.judge([claim.read_as for claim, _ in pairs], windows)

    def _best(self, claim: Stated, sources: Sequence[Source], verdicts: Sequence[Verdict]) -> _Finding:
        """A claim that cites nothing, with the passage that supports it best; without one, it rests on nothing."""
        found = [
            self._finding(claim, [source], verdicts[place : place + 1], cited=False)
            for place, source in enumerate(sources)
        ]
        best = max(found, key=lambda each: (each.supported, -len(each.missing), each.score))
        return best if best.supported else replace(best, cited=(), rests_on={}, verdict="unsupported")

    def _finding(
        self, claim: Stated, sources: Sequence[Source], verdicts: Sequence[Verdict], *, cited: bool
    ) -> _Finding:
        features, name = support.features_of(claim, sources, verdicts, self._known, self._embedder)
        score = support.probability(features)
        missing = [fact.text for fact in support.missing_facts(claim, sources, self._repeated)]
        if support.wrong_name(features, least=support.name_threshold()):
            missing.append(name)
        supported = not missing and score >= support.threshold(features, cited=cited)
        return _Finding(
            cited=tuple(sources),
            rests_on={source.passage.number: _resting(claim, source, self._reads) for source in sources},
            score=score,
            missing=tuple(dict.fromkeys(missing)),
            verdict="supported"
            if supported
            else "contradicted"
            if support.contradicted(features)
            else "unsupported",
        )


def nearest_first(claim: Stated, source: Source, reads: Sequence[Read]) -> list[int]:
    """Positions of a passage's sentences, the one that a claim is quoted with first: by cosine and the reader's say."""
    answered = [
        max((each.answer_in(s.document_id, s.start, s.end) for each in reads), default=0.0)
        for s in source.sentences
    ]
    scores = source.vectors @ claim.vector + _READ * np.array(answered)
    return [int(position) for position in (-scores).argsort(kind="stable")]


def _resting(claim: Stated, source: Source, reads: Sequence[Read]) -> tuple[int, ...]:
    """Positions of the sentences that a claim rests on: the nearest, and the nearest that hold its other facts."""
    ordered = nearest_first(claim, source, reads)
    chosen = ordered[:1]
    for fact in claim.facts:
        if fact.weak or any(stands_in(fact, source.facts[position]) for position in chosen):
            continue
        holding = [p for p in ordered if stands_in(fact, source.facts[p])]
        chosen += holding[:1]
    return tuple(sorted(set(chosen)))


class _Writer:
    """Writes the text again: markers renumbered in reading order, notices after what is not supported."""

    def __init__(self, text: str, notice: str) -> None:
        self._text = text
        self._notice = notice
        self._pieces: list[str] = []
        self._at = 0
        self.numbers: dict[int, int] = {}
        """Passage number -> the marker that cites it."""

    def marker(self, start: int, end: int, passage: int | None) -> None:
        """What stands at `start`..`end` cites a passage; None: it goes, with the space before it."""
        self._copy(start)
        if passage is None:
            self._pieces[-1] = self._pieces[-1].rstrip(" ")
        else:
            self._pieces.append(f"[{self._number(passage)}]")
        self._at = end

    def insert(self, place: int, passage: int | None) -> None:
        """Put the marker of a passage at a place; None: the notice."""
        self._copy(place)
        written = next((piece for piece in reversed(self._pieces) if piece), " ")
        before = "" if written[-1].isspace() else " "
        shown = self._notice if passage is None else f"[{self._number(passage)}]"
        self._pieces.append(before + shown)

    def leave_out(self, start: int, end: int) -> None:
        """Leave out what stands at `start`..`end`, with the white space before it."""
        self._copy(start)
        self._pieces[-1] = self._pieces[-1].rstrip()
        self._at = end

    def text(self) -> str:
        """All of it."""
        self._copy(len(self._text))
        return "".join(self._pieces)

    def _copy(self, place: int) -> None:
        self._pieces.append(self._text[self._at : place])
        self._at = max(self._at, place)

    def _number(self, passage: int) -> int:
        return self.numbers.setdefault(passage, len(self.numbers) + 1)


def _written(
    text: str,
    order: Sequence[int],
    claims: Sequence[Claim],
    findings: Sequence[_Finding],
    *,
    language: str,
    judged: bool,
) -> Verified:
    """The text without what is contradicted, its markers renumbered and its notices, and the citations they name."""
    writer = _Writer(text, notices_in(language)["unsupported"])
    edits: list[tuple[int, int, int | None]] = []
    cited_at = {
        marker.start: {source.passage.number for source in finding.cited}
        for claim, finding in zip(claims, findings, strict=True)
        for marker in claim.places
    }
    for marker in markers_of(text):
        passage = order[marker.number - 1] if 0 < marker.number <= len(order) else None
        edits.append(
            (marker.start, marker.end, passage if passage in cited_at.get(marker.start, ()) else None)
        )
    struck = [(c.start, c.end) for c, f in zip(claims, findings, strict=True) if f.verdict == "contradicted"]
    for claim, finding in zip(claims, findings, strict=True):
        if finding.verdict == "contradicted":
            continue
        if not finding.supported:
            edits.append((claim.mark_at, claim.mark_at, None))
        elif not any(0 < number <= len(order) for number in claim.markers):
            edits.append((claim.mark_at, claim.mark_at, finding.cited[0].passage.number))
    edits = [e for e in edits if not any(start <= e[0] and e[1] <= end for start, end in struck)]
    for start, end, passage in sorted(
        [*edits, *((*place, _STRUCK) for place in struck)], key=lambda edit: edit[:2]
    ):
        if passage == _STRUCK:
            writer.leave_out(start, end)
        elif end > start:
            writer.marker(start, end, passage)
        else:
            writer.insert(start, passage)
    return Verified(
        text=writer.text(),
        citations=_citations(writer.numbers, findings),
        grounding=_grounding(findings, judged=judged),
        claims=tuple(
            CheckedClaim(
                text=claim.text,
                markers=tuple(
                    sorted(
                        writer.numbers[source.passage.number]
                        for source in finding.cited
                        if source.passage.number in writer.numbers
                    )
                ),
                verdict=finding.verdict,
                score=round(finding.score, 4),
                missing=finding.missing,
            )
            for claim, finding in zip(claims, findings, strict=True)
        ),
    )


def _citations(numbers: Mapping[int, int], findings: Sequence[_Finding]) -> tuple[Citation, ...]:
    """One citation for each marker: the run of sentences that the claims with that marker rest on."""
    found = []
    for passage, marker in sorted(numbers.items(), key=lambda each: each[1]):
        citing = [finding for finding in findings if passage in finding.rests_on]
        # What is not supported rests on no words; its marker still needs a quote when nothing else gives one.
        resting = [finding for finding in citing if finding.supported] or citing
        source = next(s for finding in resting for s in finding.cited if s.passage.number == passage)
        positions = [position for finding in resting for position in finding.rests_on[passage]]
        score = max(finding.score for finding in resting)
        found.append(_citation(source.passage, marker, min(positions), max(positions), score))
    return tuple(found)


def _citation(passage: Passage, marker: int, first: int, last: int, score: float) -> Citation:
    start, end = passage.sentences[first].start, passage.sentences[last].end
    hit = passage.hit
    return Citation(
        marker=marker,
        document_id=hit.chunk.document_id,
        source_url=hit.source_url,
        title=hit.title,
        language=passage.sentences[first].language,
        quote=passage.text[start - passage.start : end - passage.start],
        start=start,
        end=end,
        score=round(score, 4),
        parallel=hit.parallel,
        **hit.located(start),
    )


def _grounding(findings: Sequence[_Finding], *, judged: bool) -> Grounding:
    supported = [finding.supported for finding in findings]
    if not any(supported):
        return "none"
    return "verified" if judged and all(supported) else "partial"
