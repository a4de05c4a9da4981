"""What the assistant says of its documents: how many, which, the latest, in which languages. The catalogue tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from babel.dates import format_date

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from index.language.called import language_name, named_language
from index.language.terms import fold
from index.types import Sentence
from rag.answer import Citation
from rag.notices import notices_in
from rag.reply import Reply, cited, listed

# Titles that a list shows, and sentences of a document in which its title may stand. Chosen: a list that is read
# at a glance; a title stands at the head.
_LISTED, _OPENING = 8, 4


def about_the_collection(
    kind: str,
    message: str,
    *,
    corpus: Corpus,
    language: str,
    languages: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
) -> Reply:
    """Return what is asked of the collection, or of the part of it in `languages` and among `documents`.

    Args:
        kind: "collection.count", "collection.titles", "collection.newest" or "collection.languages".
        message: may name a language, of whose documents alone is told then.
        language: of the reply.
    """
    notices = notices_in(language)
    infos = _newest_first(corpus, languages, documents)
    if not infos:
        return Reply("collection", kind, language, notices["refusal_empty"])
    spoken = Counter(info.language for info in infos)
    named = named_language(message, among=frozenset(spoken))
    if named is not None:
        infos = [info for info in infos if info.language == named]
        opening = notices["collection_language"].format(
            language=language_name(named, shown_in=language), count=len(infos)
        )
    else:
        values = {"count": len(infos), "languages": _told(spoken, language)}
        opening = notices[_OPENINGS[kind]].format(**values)
    if named is None and kind in {"collection.count", "collection.languages"}:
        return Reply("collection", kind, language, opening)
    citations, lines = _titles(infos, corpus, language)
    shown = _one_of_each_source(infos, language)
    parts = [opening, *([listed(lines)] if lines else [])]
    if len(shown) > _LISTED:
        parts.append(notices["collection_more"].format(count=len(shown) - _LISTED))
    return Reply("collection", kind, language, "\n\n".join(parts), citations)


_OPENINGS = {
    "collection.count": "collection_count",
    "collection.titles": "collection_titles",
    "collection.newest": "collection_newest",
    "collection.languages": "collection_languages",
}


def _newest_first(
    corpus: Corpus, languages: Sequence[str] | None, documents: Sequence[str] | None
) -> list[DocumentInfo]:
    if languages is None and documents is None:
        infos = corpus.documents()
    else:
        infos = list(
            corpus.document_infos(corpus.document_ids(languages=languages, documents=documents)).values()
        )
    # Those of one indexing were added in one moment: in the order of their paths.
    infos.sort(key=lambda info: (info.folder, info.path))
    return sorted(infos, key=lambda info: info.added_at[:16], reverse=True)


def _told(spoken: Counter[str], language: str) -> str:
    """Languages with how many documents each has, the commonest first: "Swedish 12, Hindi 3"."""
    return ", ".join(
        f"{language_name(code, shown_in=language)} {count}" for code, count in spoken.most_common()
    )


def _one_of_each_source(infos: Sequence[DocumentInfo], language: str) -> list[DocumentInfo]:
    """Each source once, in the language of the reply where it has one."""
    best: dict[str, DocumentInfo] = {}
    for info in infos:
        key = info.source_url or info.id
        if key not in best or (info.language == language and best[key].language != language):
            best[key] = info
    return list(best.values())


def _titles(
    infos: Sequence[DocumentInfo], corpus: Corpus, language: str
) -> tuple[tuple[Citation, ...], list[str]]:
    template = notices_in(language)["collection_added"]
    citations: list[Citation] = []
    lines = []
    for info in _one_of_each_source(infos, language)[:_LISTED]:
        sentence = title_sentence(info, corpus)
        marker = ""
        if sentence is not None:
            citations.append(cited(corpus, info, sentence, marker=len(citations) + 1))
            marker = f"[{len(citations)}]"
        day = format_date(datetime.fromisoformat(info.added_at), "medium", locale=language)
        name = language_name(info.language, shown_in=language)
        lines.append(template.format(title=info.title, language=name, date=day, marker=marker).rstrip())
    return tuple(citations), lines


def title_sentence(info: DocumentInfo, corpus: Corpus) -> Sentence | None:
    """Return the sentence of a document that holds its title, else its first one; None when it has none."""
    opening = corpus.sentences_of(info.id, 0, _OPENING)
    title = fold(info.title)
    return next((s for s in opening if title in fold(s.text)), opening[0] if opening else None)
