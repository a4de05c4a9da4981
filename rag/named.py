"""Which documents words name: those whose title, or first sentence, holds all of them, in any script."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from index.corpus import Corpus
from index.language.terms import split_words
from index.types import Sentence
from rag.fragments import MARKS
from rag.matching.lexical import Wanted, wanted
from rag.matching.matcher import Matcher
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.question import Question, analyse

# Passages among whose documents a name is looked for. Chosen: a name of a few words finds its document first.
_AMONG = 10


class Named:
    """The documents of one moment of the corpus by what names them. For one thread.

    Args:
        corpus: of that moment.
        vector: makes that of a text.
        among: the documents that may be named; None: all.
    """

    def __init__(
        self,
        corpus: Corpus,
        vector: Callable[[str], Future[NDArray[np.float32]]],
        *,
        among: frozenset[str] | None = None,
    ) -> None:
        self.corpus = corpus
        self._vector = vector
        self._among = among
        self._retriever = CorpusRetriever(top_k=_AMONG)
        self._heads: dict[str, tuple[list[str], str]] = {}

    def near(self, words: str, others: Sequence[str]) -> list[float]:
        """How near in meaning words are to each of some others: cosines."""
        made = [self._vector(text) for text in (words, *others)]
        first, *rest = (each.result() for each in made)
        return [float(first @ other) for other in rest]

    def by(self, words: str, language: str) -> frozenset[str]:
        """The documents that words name, their language versions included; none where no title holds all of them."""
        question = analyse(words, language=language)
        query = Query(question, self.corpus, self._vector(words))
        needed = _positions(query.asked)
        if not needed:
            return frozenset()
        found: set[str] = set()
        for hit in self._retriever.hits(query, among=self._among):
            document_id = hit.chunk.document_id
            if document_id not in found and needed <= self._held(query.matcher, document_id):
                found |= {document_id, *(version.document_id for version in hit.parallel)}
        return frozenset(found)

    @staticmethod
    def holds(question: Question, sentence: Sentence) -> bool:
        """Whether a sentence holds the content words of a question, in any script."""
        matcher = Matcher(wanted(question))
        return _positions(matcher.asked) <= matcher.positions([sentence.text], sentence.language)

    def swapped(
        self, topic: Question, name: str, *, old: Collection[str], new: Collection[str]
    ) -> str | None:
        """The question `topic` about other documents: `name` stands where the words stood that name the `old` ones and
        not the `new`; None where no words do."""
        matcher = Matcher(wanted(topic))
        for opening in (False, True):
            ours, theirs = (
                set[int]().union(*(self._held(matcher, key, opening=opening) for key in keys))
                for keys in (old, new)
            )
            if ours - theirs:
                return _put(topic.text.strip(MARKS), ours - theirs, name)
        return None

    def in_titles(self, query: Query) -> list[tuple[frozenset[str], set[int]]]:
        """The documents of a query's best passages with all their language versions, best first, and the positions of
        its words that their titles hold; those whose titles hold none are left out."""
        found: list[tuple[frozenset[str], set[int]]] = []
        seen: set[str] = set()
        for hit in self._retriever.hits(query, among=self._among):
            ids = frozenset({hit.chunk.document_id, *(version.document_id for version in hit.parallel)})
            held = self._held(query.matcher, hit.chunk.document_id, opening=False)
            if held and not ids & seen:
                found.append((ids, held))
            seen |= ids
        return found

    def tells_apart(self, question: Question, ones: Collection[str], others: Collection[str]) -> bool:
        """Whether some of a question's words stand in the titles of `ones` and not of `others`."""
        matcher = Matcher(wanted(question))
        ours, theirs = (
            set[int]().union(*(self._held(matcher, key) for key in keys)) for keys in (ones, others)
        )
        return bool(ours - theirs)

    def _held(self, matcher: Matcher, document_id: str, *, opening: bool = True) -> set[int]:
        """Positions of a question's words that a document's title holds, or its first sentence."""
        texts, language = self._head(document_id)
        return matcher.positions(texts if opening else texts[:1], language) if texts else set()

    def _head(self, document_id: str) -> tuple[list[str], str]:
        if document_id not in self._heads:
            info = self.corpus.document_infos([document_id]).get(document_id)
            first = self.corpus.sentences_of(document_id, 0, 0)
            texts = [] if info is None else [info.title, *(sentence.text for sentence in first)]
            self._heads[document_id] = texts, info.language if info else ""
        return self._heads[document_id]


def without(text: str, gone: Collection[int]) -> str:
    """A text without the words at some positions."""
    return _put(text, gone, "")


def _put(text: str, gone: Collection[int], name: str) -> str:
    """A text with a name in place of the words at some positions."""
    pieces: list[str] = []
    done = 0
    for position, word in enumerate(split_words(text)):
        start = text.index(word, done)
        if position in gone:
            pieces += [text[done:start], name if position == min(gone) else ""]
        else:
            pieces += [text[done:start], word]
        done = start + len(word)
    return " ".join("".join([*pieces, text[done:]]).split())


def _positions(asked: Wanted) -> set[int]:
    """The positions of a question's words that are looked for."""
    return {position for term in asked.terms for position in range(term.first, term.last + 1)}
