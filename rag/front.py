"""The front door: what comes before retrieval, and who answers what is no question to the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from index.corpus import Corpus
from index.language.called import named_language
from index.language.lexicon import FALLBACK, languages, lexicon
from index.language.terms import fold, sound_keys, split_words, word_terms
from index.types import UNDETERMINED
from rag.answer import Turn
from rag.asking import Ask
from rag.collection import about_the_collection
from rag.conversation import last_question, quoted_documents
from rag.host_prompts import host_reply
from rag.intent import NAME, UNCLEAR, Intents, Sense, examples
from rag.looking import among
from rag.matching.coverage import coverage_of
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.matching.vectors import QuestionVectors
from rag.meta import about_the_answer
from rag.notices import notices_in
from rag.question import Question, analyse
from rag.reply import Reply, listed
from rag.shape import topic_of
from rag.smalltalk import small_talk
from rag.suggestions import suggestions
from rag.summary import summary

# From this probability on a message is what it seems, and one that is unclear is not looked for by its sound. Chosen:
# names of a word or two mostly stay below it, keys of a row and what people say to greet lie above.
_SURELY = 0.85
# From this cosine on, a title says what a question wants to be told about. Chosen on 29 topics of made-up documents in
# five languages: 12 of 15 that a document is about lie above, all 14 that stand within one below.
_TITLED = 0.83
# Turns of a history that may be a topic. Chosen, because a follow-up is completed from the last eight questions
# (`rag.conversation`).
_LATE = 16
# Characters that two forms of a word have in common: at least so many, and this part of it. Chosen.
_STEM, _STEM_PART = 4, 0.75


_REWORDED = frozenset({"meta.translate", "meta.shorter"})


class FrontDoor:
    """Replies to what is no question to the documents. Safe to share between threads.

    Args:
        vectors: makes those of messages.
    """

    def __init__(self, vectors: QuestionVectors) -> None:
        self._vectors = vectors
        self._intents = Intents(vectors)
        self._retriever = CorpusRetriever(top_k=1)

    def host(self, ask: Ask, corpus: Corpus) -> Reply | None:
        """Return the reply to a front end's own prompt; None for what a person says.

        To be asked first, with the text as it came: such a prompt may be longer than a question may be.
        """
        return host_reply(ask.text, history=ask.history, corpus=corpus)

    def reply(self, question: Question, ask: Ask, corpus: Corpus) -> Reply | None:
        """Return the reply to a message; None for a question to the documents.

        Args:
            question: the message, analysed.
            ask: as it was asked.
            corpus: of one moment.
        """
        sense = self._intents.of(question.text)
        if sense.intent == "question":
            return self._told_about(question.text, ask, corpus)
        if _names_something(question, sense, corpus):
            return None
        language = spoken(question, sense)
        if sense.intent == "collection":
            return about_the_collection(
                sense.kind,
                question.text,
                corpus=corpus,
                language=language,
                languages=ask.languages,
                documents=ask.documents,
            )
        if sense.intent == "summary":
            return self._summary(question, language, ask, corpus)
        if sense.intent == "meta":
            return about_the_answer(
                sense.kind, question.text, history=ask.history, corpus=corpus, language=language
            )
        return small_talk(sense.kind, corpus=corpus, language=language)

    def again(self, question: Question, ask: Ask) -> Question | None:
        """Return the last question, where a message wants its answer in another language or shorter; else None.

        For an engine that rewords: what it said is asked for once more, from the documents, and checked as any answer.
        """
        sense = self._intents.of(question.text)
        if sense.kind not in _REWORDED:
            return None
        last = last_question(self.questions(ask.history))
        if last is None:
            return None
        language = spoken(question, sense)
        if sense.kind == "meta.translate":
            return replace(last, language=named_language(question.text) or language)
        return replace(last, language=language, brief=True)

    def questions(self, history: Sequence[Turn]) -> tuple[Turn, ...]:
        """Return a history without the late turns that were no questions to the documents, and what was said to them:
        they are no topics."""
        kept: list[Turn] = list(history[:-_LATE])
        asked = True
        for turn in history[-_LATE:]:
            if turn.role == "user":
                asked = self._intents.of(turn.content).intent == "question"
            if asked:
                kept.append(turn)
        return tuple(kept)

    def _summary(self, question: Question, language: str, ask: Ask, corpus: Corpus) -> Reply:
        notices = notices_in(language)
        named = named_document(question.text)
        if named:
            document = self._found(named, language, ask, corpus)
            missing = notices["summary_unnamed"]
        else:
            document = _meant(ask, corpus)
            missing = notices["summary_which"]
        reply = summary(document, corpus=corpus, language=language) if document else None
        if reply is not None:
            return reply
        titles = [f"“{s.document.title}”" for s in suggestions(corpus, language)]
        return Reply("summary", "summary.document", language, f"{missing}\n\n{listed(titles)}")

    def _told_about(self, text: str, ask: Ask, corpus: Corpus) -> Reply | None:
        """The summary of a document, where a question wants to be told about what its title says; else None."""
        topic, language = topic_of(text)
        document = self._found(topic, language, ask, corpus) if topic else None
        if document is None:
            return None
        title = corpus.document_infos({document})[document].title
        asked, titled = self._vectors.embed_queries([topic, title])
        if float(asked @ titled) < _TITLED:
            return None
        return summary(document, corpus=corpus, language=language)

    def _found(self, named: str, language: str, ask: Ask, corpus: Corpus) -> str | None:
        """The document that a message names: that of the best passage for its words."""
        query = Query(analyse(named, language=language), corpus, self._vectors.of(named))
        hits = self._retriever.hits(query, top_k=1, among=among(ask, corpus))
        # Something is always nearest: a name that the document does not hold was not meant for it.
        if not hits or coverage_of(query.question, query.openings, hits[0]).names == 0.0:
            return None
        return hits[0].chunk.document_id


def _names_something(question: Question, sense: Sense, corpus: Corpus) -> bool:
    """Whether a message that looks like chatter, or like none, holds a name that the documents have."""
    if sense.intent not in {"smalltalk", "meta", "unclear"}:
        return False
    if sense.kind != UNCLEAR and sense.sure >= _SURELY:
        return False
    stop = lexicon(question.language).stop
    words = [word for word in word_terms(question.text) if word not in stop]
    # Some word of a large corpus sounds like any keys that are hit.
    keys = sound_keys(question.text, question.language) if sense.sure < _SURELY else []
    return bool(words) and any(corpus.frequencies(words=words, keys=keys).values())


def _meant(ask: Ask, corpus: Corpus) -> str | None:
    """The document that a message without a name means: the one cited last, or the only one there is."""
    cited = quoted_documents(ask.history, corpus)
    if cited:
        return cited[0]
    ids = ask.documents if ask.documents is not None else [info.id for info in corpus.documents(limit=1)]
    there = len(ids) if ask.documents is not None else corpus.counts()["documents"]
    versions = {ids[0], *(key for key, _ in corpus.parallel(ids[0]))} if ids else set()
    return ids[0] if ids and len(versions) >= there else None


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
