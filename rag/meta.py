"""What is said about the last answer: whether it was checked, where it stands, again, shorter, in another language.

It quotes and does not write, so it can say no more than the source does: shorter is the short answer or the first
quote, another language is what a parallel document says in the sentence that answers to the quoted one.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.corpus import Corpus
from index.language.called import language_name, named_language
from index.language.lexicon import languages
from index.types import Sentence
from rag.alignment import counterpart
from rag.answer import Turn
from rag.notices import notices_in
from rag.reply import Reply
from rag.said import Quoted, last_answer, last_quotes, short_answer

# Quotes of the last answer that are shown again. Chosen: an answer rests on few.
_QUOTES = 3


def about_the_answer(
    kind: str, message: str, *, history: Sequence[Turn], corpus: Corpus, language: str
) -> Reply:
    """Return what is asked of the last answer.

    Args:
        kind: "meta.sure", "meta.source", "meta.translate", "meta.shorter" or "meta.repeat".
        message: names the language of a translation; where it names none, the message's own is meant.
        history: earlier turns, oldest first.
        language: of the reply.
    """
    notices = notices_in(language)
    said = last_answer(history)
    if kind == "meta.repeat" and said is not None:
        return Reply("meta", kind, language, f"{notices['meta_repeat']}\n\n{said}")
    short = short_answer(history)
    if kind == "meta.shorter" and short is not None:
        return Reply("meta", kind, language, f"{notices['meta_shorter']} {short}")
    quotes = last_quotes(history, corpus)[:_QUOTES]
    if not quotes:
        return Reply("meta", kind, language, notices["meta_nothing"])
    if kind == "meta.translate":
        wanted = named_language(message, among=corpus.languages()) or language
        return Reply(
            "meta", kind, wanted if wanted in languages() else language, _in(wanted, quotes, corpus, language)
        )
    if kind == "meta.shorter":
        quotes = quotes[:1]
    opening = notices[_OPENINGS[kind]].format(title=quotes[0].document.title)
    return Reply(
        "meta", kind, language, _with_quotes(opening, quotes, language, source=kind != "meta.shorter")
    )


_OPENINGS = {
    "meta.sure": "meta_sure",
    "meta.source": "meta_source",
    "meta.shorter": "meta_shorter",
    "meta.repeat": "meta_repeat",
}


def _in(wanted: str, quotes: Sequence[Quoted], corpus: Corpus, language: str) -> str:
    """What the source says in another language, in the words of its version in that, or the quotes as they were."""
    spoken = wanted if wanted in languages() else language
    notices = notices_in(spoken)
    found = [version for quoted in quotes if (version := _version(quoted, wanted, corpus)) is not None]
    if not found:
        return _with_quotes(notices["meta_translate"], quotes, spoken, source=True)
    opening = notices["meta_version"].format(language=language_name(wanted, shown_in=spoken))
    return _with_quotes(opening, found, spoken, source=True)


def _version(quoted: Quoted, wanted: str, corpus: Corpus) -> Quoted | None:
    """The sentence of the parallel document in a language that says what a quoted one does."""
    here = quoted.document
    other = next((key for key, spoken in corpus.parallel(here.id) if spoken == wanted), None)
    info = corpus.document_infos([other]).get(other) if other else None
    if info is None:
        return None
    found = counterpart(here.id, quoted.sentence.ordinal, info.id, corpus)
    return Quoted(found[0], info) if found else None


def _with_quotes(opening: str, quotes: Sequence[Quoted], language: str, *, source: bool) -> str:
    template = notices_in(language)["quoted"]
    lines = [opening, *(template.format(quote=_plain(quoted.sentence)) for quoted in quotes)]
    addresses = dict.fromkeys(q.document.source_url for q in quotes if q.document.source_url)
    return "\n\n".join([*lines, *(addresses if source else ())])


def _plain(sentence: Sentence) -> str:
    return " ".join(sentence.text.split())
