"""The front door: what comes before retrieval, and who answers what is no question to the documents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from index.corpus import Corpus
from index.embedder import Embedder
from index.language.called import named_language
from index.language.lexicon import FALLBACK, languages, lexicon
from index.language.terms import fold, sound_keys, split_words, word_terms
from index.types import UNDETERMINED
from rag.answer import Turn
from rag.collection import about_the_collection
from rag.conversation import quoted_documents
from rag.coverage import Openings, coverage_of
from rag.host_prompts import host_reply
from rag.intent import NAME, UNCLEAR, Intents, Sense, examples
from rag.lexical import wanted
from rag.meta import about_the_answer
from rag.question import Question, analyse
from rag.reply import Reply, listed
from rag.retriever import CorpusRetriever
from rag.smalltalk import small_talk
from rag.suggestions import suggestions
from rag.summary import summary

# From this probability on a message that is unclear is not looked for by its sound. Chosen: names of one word mostly
# stay below it, keys of a row lie above.
_SURELY = 0.85
# Characters that two forms of a word have in common: at least so many, and this part of it. Chosen.
_STEM, _STEM_PART = 4, 0.75


class FrontDoor:
    """Replies to what is no question to the documents. Safe to share between threads.

    Args:
        corpus: the open corpus.
        embedder: makes the vectors of messages; one that remembers them makes none twice.
        retriever: finds the document that a message names.
    """

    def __init__(self, corpus: Corpus, embedder: Embedder, retriever: CorpusRetriever) -> None:
        self._corpus = corpus
        self._retriever = retriever
        self._intents = Intents(embedder)

    def host(self, text: str, *, history: Sequence[Turn] = ()) -> Reply | None:
        """Return the reply to a front end's own prompt; None for what a person says.

        To be asked first, with the text as it came: such a prompt may be longer than a question may be.
        """
        return host_reply(text, history=history, corpus=self._corpus)

    def reply(
        self,
        question: Question,
        *,
        history: Sequence[Turn] = (),
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
    ) -> Reply | None:
        """Return the reply to a message; None for a question to the documents.

        Args:
            question: the message, analysed.
            history: earlier turns, oldest first.
            languages, documents: the part of the documents that is searched; None: all.
        """
        sense = self._intents.of(question.text)
        if sense.intent == "question" or (sense.kind == UNCLEAR and self._is_held(question, sense)):
            return None
        language = spoken(question, sense)
        with self._corpus.snapshot():
            if sense.intent == "collection":
                return about_the_collection(
                    sense.kind,
                    question.text,
                    corpus=self._corpus,
                    language=language,
                    languages=languages,
                    documents=documents,
                )
            if sense.intent == "summary":
                return self._summary(
                    question, language, history=history, among=languages, documents=documents
                )
            if sense.intent == "meta":
                return about_the_answer(
                    sense.kind, question.text, history=history, corpus=self._corpus, language=language
                )
            return small_talk(sense.kind, corpus=self._corpus, language=language)

    def _is_held(self, question: Question, sense: Sense) -> bool:
        """Whether the documents have a word of a message that looks like none: a name that nobody else knows."""
        stop = lexicon(question.language).stop
        words = [word for word in word_terms(question.text) if word not in stop]
        # Some word of a large corpus sounds like any keys that are hit.
        keys = sound_keys(question.text, question.language) if sense.sure < _SURELY else []
        return bool(words) and any(self._corpus.frequencies(words=words, keys=keys).values())

    def _summary(
        self,
        question: Question,
        language: str,
        *,
        history: Sequence[Turn],
        among: Sequence[str] | None,
        documents: Sequence[str] | None,
    ) -> Reply:
        notices = lexicon(language).notices
        named = named_document(question.text)
        if named:
            document = self._found(named, language, among, documents)
            missing = notices["summary_unnamed"]
        else:
            document = self._meant(history, documents)
            missing = notices["summary_which"]
        reply = summary(document, corpus=self._corpus, language=language) if document else None
        if reply is not None:
            return reply
        titles = [f"“{s.document.title}”" for s in suggestions(self._corpus, language)]
        return Reply("summary", "summary.document", language, f"{missing}\n\n{listed(titles)}")

    def _meant(self, history: Sequence[Turn], documents: Sequence[str] | None) -> str | None:
        """The document that a message without a name means: the one cited last, or the only one there is."""
        cited = quoted_documents(history, self._corpus)
        if cited:
            return cited[0]
        ids = (
            list(documents)
            if documents is not None
            else [info.id for info in self._corpus.documents(limit=2)]
        )
        versions = {ids[0], *(key for key, _ in self._corpus.parallel(ids[0]))} if ids else set()
        return ids[0] if ids and set(ids) <= versions else None

    def _found(
        self, named: str, language: str, among: Sequence[str] | None, documents: Sequence[str] | None
    ) -> str | None:
        """The document that a message names: that of the best passage for its words."""
        asked = analyse(named, language=language)
        openings = Openings(asked, wanted(asked), self._corpus.reader())
        hits = self._retriever.hits(asked, top_k=1, languages=among, documents=documents, openings=openings)
        # Something is always nearest: a name that the document does not hold was not meant for it.
        if not hits or coverage_of(asked, openings, hits[0]).names == 0.0:
            return None
        return hits[0].chunk.document_id


def spoken(question: Question, sense: Sense) -> str:
    """The language to reply in: of few words the wordings know it best, else what was detected, else English."""
    known = question.language in languages() or question.language == UNDETERMINED
    if sense.language is not None and known:
        return sense.language
    return question.language if question.language in languages() else FALLBACK


def named_document(message: str) -> str:
    """The words of a message that name a document: those that no wording for a summary has; "" when all have."""
    usual = _usual()
    named = [
        word for word in split_words(message) if not (_is_usual(fold(word), usual) or named_language(word))
    ]
    return " ".join(named)


def _is_usual(word: str, usual: frozenset[str]) -> bool:
    """Whether a word, or its beginning, is one of these: other endings make no name of it."""
    least = max(_STEM, round(_STEM_PART * len(word)))
    return any(word[:size] in usual for size in range(least, len(word))) or word in usual


@cache
def _usual() -> frozenset[str]:
    """The words of all wordings for a summary but the names in them, their longest beginnings too, and stop words."""
    texts = [text for kinds in examples().values() for text in kinds["summary.document"]]
    words = {word for text in texts for word in split_words(fold(NAME.sub(" ", text)))}
    stems = {word[: max(_STEM, round(_STEM_PART * len(word)))] for word in words if len(word) > _STEM}
    return frozenset(words | stems).union(*(lexicon(language).stop for language in languages()))
