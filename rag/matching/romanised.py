"""Questions in Latin letters of a language with another script, spelt by the words of the documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from index.corpus import Corpus
from index.language.respelling import is_romanised, keys_wanted, respelt
from index.language.terms import split_words
from rag.question import Question

# Passages whose words are looked at. Chosen for time: they are those with the rarest sounds of the question.
_LOOKED_AT = 60


def in_its_script(question: Question, corpus: Corpus) -> Question:
    """The question as its language writes it, by the words of the documents in that language; itself where it is
    written so already, or no document is in its language. Names stay as they are: they are found by their sound."""
    if not is_romanised(question.text, question.language) or question.language not in corpus.languages():
        return question
    names = {word for name in question.names for word in name}
    text = respelt(question.text, question.language, _words(question, corpus), kept=names)
    return replace(question, text=text)


def _words(question: Question, corpus: Corpus) -> Iterator[str]:
    """Words of the documents in the question's language that may be meant."""
    keys = sorted(keys_wanted(question.text, question.language))
    if not keys:
        return
    documents = corpus.document_ids(languages=[question.language])
    matches = corpus.search_text(words=[], keys=keys, top_k=_LOOKED_AT, documents=documents)
    for chunk in corpus.chunks([match.id for match in matches]):
        yield from split_words(chunk.text)
