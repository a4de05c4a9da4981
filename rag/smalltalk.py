"""Small talk and what cannot be understood: a short reply that says what there is to ask."""

from __future__ import annotations

from index.corpus import Corpus
from rag.answer import Intent
from rag.intent import UNCLEAR
from rag.notices import notices_in
from rag.reply import Reply, listed
from rag.suggestions import suggestions

# What the reply to a kind begins with; the rest says what the assistant does and offers questions.
_OPENINGS = {
    "smalltalk.greeting": "greeting",
    "smalltalk.identity": "identity",
    "smalltalk.ability": None,
    UNCLEAR: "unclear",
}
_CLOSED = {"smalltalk.thanks": "thanks", "smalltalk.goodbye": "goodbye"}


def small_talk(kind: str, *, corpus: Corpus, language: str) -> Reply:
    """Return the reply to small talk, or to what is unclear: `kind` as `rag.intent` names it."""
    notices = notices_in(language)
    intent: Intent = "unclear" if kind == UNCLEAR else "smalltalk"
    if kind in _CLOSED:
        return Reply(intent, kind, language, notices[_CLOSED[kind]])
    opening = _OPENINGS[kind]
    first = [notices[opening]] if opening else []
    text = " ".join([*first, *([] if kind == UNCLEAR else [notices["does"]])])
    offered = [suggestion.question for suggestion in suggestions(corpus, language)]
    if not offered:
        return Reply(intent, kind, language, f"{text}\n\n{notices['refusal_empty']}")
    return Reply(intent, kind, language, f"{text}\n\n{notices['try']}\n\n{listed(offered)}")
