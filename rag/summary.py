"""A summary in a document's own words: the sentences that say most of it without saying the same twice.

A sentence counts for how near it is to all others (its cosine with their mean, as centroid summaries have it: Radev et
al. 2004) and for standing first; of those left the next is the one that adds most (maximal marginal relevance:
Carbonell and Goldstein 1998). They are shown in the document's order, in the question's language where a parallel
document is in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import regex
from numpy.typing import NDArray

from index.corpus import Corpus
from index.language.lexicon import lexicon
from index.language.terms import fold, split_words
from index.types import Sentence
from rag.notices import notices_in
from rag.reply import Reply, cited, listed

# A document of so many sentences gets so many; longer ones get the most. Chosen: a list that is read at a glance.
_SIZES = ((8, 3), (20, 4), (60, 5))
_MOST = 6
# Characters of a sentence that can stand alone in a list. Chosen.
_SHORTEST, _LONGEST = 40, 450
# What standing first adds to nearness, which goes from 0 to 1; what likeness to a chosen sentence takes away; what a
# sentence loses that points back or does not end as one. Chosen on news and office texts.
_LEAD, _ALIKE, _LEANS = 0.35, 0.6, 0.3
_ENDED = regex.compile(r"[.!?।॥…][\"'”’»)\]]*$")

Floats = NDArray[np.float32]


def summary(
    document_id: str, *, corpus: Corpus, language: str, kind: str = "summary.document"
) -> Reply | None:
    """Return the summary of a document, or of its parallel document in `language`; None when it is not there."""
    own = next((key for key, spoken in corpus.parallel(document_id) if spoken == language), document_id)
    info = corpus.document_infos([document_id]).get(document_id)
    if info is not None and info.language != language:
        info = corpus.document_infos([own]).get(own, info)
    if info is None:
        return None
    sentences = corpus.sentences_of(info.id)
    chosen = choose(sentences, corpus.sentence_vectors(info.id))
    if not chosen:
        return None
    citations = tuple(
        cited(corpus, info, sentences[place], marker=marker, score=score)
        for marker, (place, score) in enumerate(chosen, start=1)
    )
    quoted = notices_in(language)["quoted"]
    lines = [f"{quoted.format(quote=_plain(c.quote))} [{c.marker}]" for c in citations]
    opening = notices_in(language)["summary"].format(title=info.title)
    return Reply("summary", kind, language, f"{opening}\n\n{listed(lines)}", citations)


def choose(sentences: Sequence[Sentence], vectors: Floats) -> list[tuple[int, float]]:
    """Return places of the sentences of a summary, in order, each with its nearness to the whole, 0 to 1.

    Args:
        sentences: of one document, in order.
        vectors: (sentences, dimension) unit rows.
    """
    able = [i for i, sentence in enumerate(sentences) if _stands_alone(sentence)]
    if len(able) < _SIZES[0][1]:
        able = [i for i, sentence in enumerate(sentences) if sentence.kind == "body"] or list(
            range(len(sentences))
        )
    if not able:
        return []
    rows = vectors[able]
    near = _spread(rows @ _unit(rows.mean(axis=0)))
    worth = near.copy()
    worth[0] += _LEAD
    worth -= np.array([_LEANS * _leans(sentences[i]) for i in able], np.float32)
    size = next((size for most, size in _SIZES if len(able) <= most), _MOST)
    return sorted((able[i], float(near[i])) for i in _apart(worth, rows, min(size, len(able))))


def _apart(worth: Floats, rows: Floats, size: int) -> list[int]:
    """Places of the best `size` rows, each the one that adds most to those before it."""
    alike = rows @ rows[int(worth.argmax())]
    # Any two sentences of a document are near each other: what counts is how much nearer than most.
    usual, most = float(np.median(alike)), 1.0
    nearest = np.full(len(rows), -1.0, np.float32)
    chosen: list[int] = []
    while len(chosen) < size:
        taken = np.clip((nearest - usual) / max(1e-6, most - usual), 0, 1) if chosen else 0.0
        left = worth - _ALIKE * taken
        left[chosen] = -np.inf
        chosen.append(int(left.argmax()))
        nearest = np.maximum(nearest, rows @ rows[chosen[-1]])
    return chosen


def _stands_alone(sentence: Sentence) -> bool:
    return (
        sentence.kind == "body"
        and _SHORTEST <= len(sentence.text) <= _LONGEST
        and any(map(str.isalpha, sentence.text))
    )


def _leans(sentence: Sentence) -> bool:
    """Whether a sentence points back with its first words, or does not end like one."""
    words = split_words(fold(sentence.text))[:2]
    pointing = lexicon(sentence.language).conversation.get("pointing", ())
    return any(word in pointing for word in words) or _ENDED.search(sentence.text) is None


def _spread(values: Floats) -> Floats:
    """Values from 0 to 1."""
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / max(1e-6, high - low), np.float32)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(1e-9, float(np.linalg.norm(vector))), np.float32)


def _plain(text: str) -> str:
    return " ".join(text.split())
