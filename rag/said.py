"""What the last answers of a conversation quoted, found again in the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from index.language.lexicon import languages
from index.language.terms import word_terms
from index.types import Sentence
from rag.answer import Turn
from rag.notices import notices_in

# Answers that are looked at, the last first, and characters of each. Chosen: the rest only costs time.
_ANSWERS, _LOOKED_AT = 3, 4000
# Words by which a quoted sentence is looked for, and the passages in which it may stand. Chosen for time: so many words
# of one sentence stand together in few passages.
_WORDS, _PASSAGES = 48, 6
# Chosen: a sentence with fewer characters could stand in any answer.
_SHORTEST = 20
_MARKER = regex.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence that an answer quoted, and its document."""

    sentence: Sentence
    document: DocumentInfo


def last_answer(history: Sequence[Turn]) -> str | None:
    """Return the last answer without the markers of citations, which mean nothing elsewhere; None without one."""
    said = next((turn.content for turn in reversed(history) if turn.role == "assistant"), None)
    plain = None if said is None else _MARKER.sub("", said[:_LOOKED_AT]).strip()
    return plain or None


def last_quotes(history: Sequence[Turn], corpus: Corpus) -> list[Quoted]:
    """Return the sentences that the latest answer which quotes any holds in full, as it has them; [] without one."""
    answers = [turn.content[:_LOOKED_AT] for turn in history if turn.role == "assistant"]
    for answer in reversed(answers[-_ANSWERS:]):
        found = _quotes(answer, corpus)
        if found:
            return found
    return []


def short_answer(history: Sequence[Turn]) -> str | None:
    """Return the short answer that stood before the quote in the last answer; None where there was none."""
    said = last_answer(history)
    if said is None:
        return None
    for language in languages():
        before, _, after = notices_in(language)["answer"].partition("{short}")
        rest = after.partition("{quote}")[0]
        match = regex.match(rf"{regex.escape(before)}(?P<short>[^\n]{{1,200}}?){regex.escape(rest)}", said)
        if match:
            return str(match["short"]).strip("* ")
    return None


def _quotes(answer: str, corpus: Corpus) -> list[Quoted]:
    said = _plain(_MARKER.sub("", answer))
    words = sorted(dict.fromkeys(word_terms(answer)), key=len, reverse=True)[:_WORDS]
    places: dict[str, tuple[int, Sentence]] = {}
    for chunk in corpus.chunks([match.id for match in corpus.search_text(words=words, top_k=_PASSAGES)]):
        for sentence in corpus.sentences_of(chunk.document_id, chunk.first, chunk.last):
            text = _plain(sentence.text)
            if len(text) >= _SHORTEST and text in said:
                places[sentence.id] = (said.index(text), sentence)
    infos = corpus.document_infos({sentence.document_id for _, sentence in places.values()})
    in_order = [sentence for _, sentence in sorted(places.values(), key=lambda place: place[0])]
    return [Quoted(s, infos[s.document_id]) for s in in_order if s.document_id in infos]


def _plain(text: str) -> str:
    return " ".join(text.split())
