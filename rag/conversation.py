"""Follow-ups: a question that leans on the turns before it becomes a question of its own, by rule.

What tells a follow-up is in the language tables: openings that go on ("and", "thế còn"), words that point back ("it",
"वह"), and what is missing: names, in scripts that write them with capitals. What it becomes: a short question that only
names something else takes the place of that in the question before ("And in Hanoi?"); any other is told what the
conversation is about ("About Hue: how many tasks did it finish?"). Whether that or the question as it stands is
answered is for the evidence to decide (`rag.completion`). Measured in docs/conversation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import regex

from index.corpus import Corpus
from index.language.exonyms import is_calendar_word
from index.language.lexicon import all_lexicons, languages, lexicon
from index.language.terms import fold, split_words
from rag.answer import Turn
from rag.fragments import MARKS, asks, core, first_asking, put_in, shows_names
from rag.named import Named
from rag.question import Question, analyse
from rag.said import last_quotes

Leaning = Literal["no", "perhaps", "likely", "surely"]

# A question with more words than this and no word that points back is taken as complete. Chosen.
_SHORT = 12
# A question of so few words can hardly stand alone, and one that only names something else is not longer. Chosen.
_FRAGMENT = 3
_ELLIPTIC = 5
# What a few words can ask in full: who or what or where something is.
_OF_SOMETHING = frozenset({"other", "person", "place"})
# What is looked at of a history: its last questions, and the beginning of each.
# Chosen: the rest only costs time.
_QUESTIONS, _LOOKED_AT = 8, 4000
# Names and characters of a topic that are carried on. Chosen: a sentence holds no more.
_MOST_NAMES, _LONGEST_TOPIC = 3, 160


@dataclass(frozen=True, slots=True)
class Meant:
    """What a question may mean after what was said before.

    Attributes:
        asked: as it stands, in the language that the conversation makes likelier.
        completed: completed from the turns before, the likeliest reading first; () where there is nothing to complete
            it from. It keeps what the question asks for; `own` holds its own words, None for a fragment put into the
            question before.
        leans: "surely": it has no name of its own and goes on from what was said, points back, or is a mere fragment.
            "likely": it has a name beside such a sign, or a weak sign. "perhaps": it is short, without a name. "no": it
            can stand alone.
        goes_on: whether it has an opening that goes on from what was said.
        documents: those that a fragment names and that were not quoted last: the first reading is about them.
    """

    asked: Question
    completed: tuple[Question, ...]
    leans: Leaning
    goes_on: bool = False
    documents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Said:
    """A question taken apart, each part analysed once.

    `rest` is the question without an opening that goes on from before and a closing that rounds it off, `opened`
    whether it has such an opening.
    """

    question: Question
    rest: Question
    opened: bool


def meant(question: Question, history: Sequence[Turn], named: Named | None = None) -> Meant:
    """What a question may mean after these turns; `named`: tells the documents it names, and words of like meaning."""
    topic = _topic(history, named)
    if topic is not None:
        question = in_a_known_language(question, topic)
    said = _said(question)
    completed, documents = (
        ((), frozenset[str]()) if topic is None else _completed(said, topic, history, named)
    )
    return Meant(question, completed, _leaning(said), said.opened, documents)


def last_question(history: Sequence[Turn]) -> Question | None:
    """The last question of these turns, completed by those before it; None when none has words."""
    return _topic(history, None)


def _said(question: Question) -> _Said:
    rest, opened = _opened(question)
    bare = rest.strip(MARKS)
    part = question if bare == question.text else analyse(bare, language=question.language)
    return _Said(question, replace(part, text=rest), opened)


def _leaning(said: _Said) -> Leaning:
    """See `Meant`."""
    question, rest, opened = said.question, said.rest, said.opened
    words = split_words(question.text)
    if _is_elliptic(rest.text, question.language) and (opened or len(words) <= _FRAGMENT):
        return "surely"
    if len(words) > _SHORT and not opened:
        return "no"
    strong = opened or _points_back(question, "pointing") or _is_fragment(rest, words)
    # A word that may be an article or a relative pronoun tells less the more words there are to go with it.
    weak = _points_back(question, "perhaps_pointing")
    if not own_names(rest) and (strong or (weak and len(words) <= _SHORT // 2)):
        return "surely"
    if strong or weak:
        return "likely"
    return "no" if own_names(rest) else "perhaps"


def own_names(question: Question) -> tuple[tuple[str, ...], ...]:
    """The names of a question that tell what it is about: not those of days and months."""
    return tuple(
        name for name in question.names if not all(is_calendar_word(word, question.language) for word in name)
    )


def in_a_known_language(question: Question, topic: Question) -> Question:
    """The question in the language of a table whose words it uses, where its few words were taken for another's.

    "Och i Hanoi?" alone looks Polish.
    """
    if question.language in languages() or len(split_words(question.text)) > _SHORT // 2:
        return question
    words = set(split_words(fold(question.text)))
    scores = {
        table.language: len(words & {w for kind in table.conversation.values() for w in map(fold, kind)})
        for table in all_lexicons()
    }
    # Of languages that have as many of its words, the conversation's own.
    best = max(scores, key=lambda language: (scores[language], language == topic.language))
    return analyse(question.text, language=best) if scores[best] else question


def quoted_documents(history: Sequence[Turn], corpus: Corpus) -> list[str]:
    """The document that the latest quoting answer quotes first, in all its language versions; [] when none does."""
    quotes = last_quotes(history, corpus)
    if not quotes:
        return []
    document_id = quotes[0].document.id
    return [document_id, *(version for version, _ in corpus.parallel(document_id))]


def _plain(text: str) -> str:
    return " ".join(text.split())


# -- the topic


def _topic(history: Sequence[Turn], named: Named | None) -> Question | None:
    """The last question before this one, completed by those before it; None when none has words."""
    topic: Question | None = None
    asked = [place for place, turn in enumerate(history) if turn.role == "user"]
    for place in asked[-_QUESTIONS:]:
        text = history[place].content[:_LOOKED_AT]
        if not any(character.isalnum() for character in text):
            continue
        question = analyse(_plain(text)[: _LONGEST_TOPIC * 2])
        completed: tuple[Question, ...] = ()
        if topic is not None:
            question = in_a_known_language(question, topic)
            said = _said(question)
            # Without capitals the lack of a name says nothing, so a question without a cue begins a new topic.
            leans = _leaning(said)
            if leans in {"surely", "likely"} or (leans == "perhaps" and shows_names(question)):
                completed, _ = _completed(said, topic, history[:place], named)
        topic = completed[0] if completed else question
    return topic


def _subject(topic: Question) -> str:
    """What a question is about: its names, else the words before the one that asks, else the whole of it, quoted."""
    if names := own_names(topic):
        return ", ".join(" ".join(name) for name in names[:_MOST_NAMES])[:_LONGEST_TOPIC]
    if not shows_names(topic) and "“" not in topic.text:
        words = topic.text.strip(MARKS)[:_LONGEST_TOPIC].split()
        before = words[: first_asking(words, topic.language)]
        while before and fold(before[-1].strip(MARKS)) in lexicon(topic.language).stop:
            before.pop()
        if before:
            return " ".join(before)
    return _quoted(topic)


def _quoted(topic: Question) -> str:
    """The whole of a question in quotes; of one that quotes what an earlier one asked, that alone."""
    text = topic.text.strip(MARKS)
    earlier = regex.search(r"“([^“”]+)”", text)
    return f"“{earlier[1] if earlier else text[:_LONGEST_TOPIC]}”"


# -- completing


def _completed(
    said: _Said, topic: Question, history: Sequence[Turn], named: Named | None
) -> tuple[tuple[Question, ...], frozenset[str]]:
    """The question completed from the topic, as `Meant.completed`, and the documents that it is about then."""
    question, rest = said.question, said.rest
    if _names_something_else(said):
        texts = put_in(rest.text, question.language, topic, named.near if named else None)
        documents = frozenset[str]()
        if named is not None:
            name = core(rest.text, question.language)
            quoted = quoted_documents(history, named.corpus)
            documents = named.by(name, question.language)
            documents = frozenset() if documents & set(quoted) else documents
            swapped = named.swapped(topic, name, old=quoted, new=documents) if documents and quoted else None
            texts = [f"{swapped}?", *texts] if swapped is not None else texts
        found = (analyse(text, language=topic.language) for text in texts)
        return tuple(replace(each, language=question.language) for each in found), documents
    words = split_words(rest.text)
    subject = _quoted(topic) if _only_asks(words, question.language) else _subject(topic)
    known = question.language in languages()
    template = lexicon(question.language).completed["about"] if known else "{topic}: {question}"
    whole = replace(
        question,
        text=template.format(topic=subject, question=_inside(rest.text, question.language)),
        kind=rest.kind,
        own=rest.text,
        names=tuple(dict.fromkeys((*own_names(topic)[:_MOST_NAMES], *rest.names))),
    )
    return (whole,), frozenset()


def _names_something_else(said: _Said) -> bool:
    """Whether a question only names what is to take the place of something in the one before."""
    rest, language = said.rest.text, said.question.language
    return _is_elliptic(rest, language) and (said.opened or len(split_words(rest)) <= _FRAGMENT)


def _inside(rest: str, language: str) -> str:
    """A question as it stands behind other words: a capital that only opened it would now look like a name's."""
    first, _, _ = rest.partition(" ")
    plain = asks(first.strip(MARKS), language) or fold(first.strip(MARKS)) in lexicon(language).stop
    return rest[:1].lower() + rest[1:] if plain else rest


# -- words of the tables


def _phrases(language: str, kind: str) -> tuple[str, ...]:
    return lexicon(language).conversation.get(kind, ())


def _opened(question: Question) -> tuple[str, bool]:
    """The question without an opening that goes on from before and a closing that rounds it off, and whether it
    has such an opening."""
    text = question.text.strip()
    language = question.language
    opening = _at_start(text, _phrases(language, "opening"))
    rest = text[opening:].lstrip(MARKS) if opening else text
    body = rest.rstrip(MARKS)
    for phrase in _phrases(language, "closing"):
        if fold(body).endswith(f" {fold(phrase)}"):
            rest = body[: len(body) - len(phrase)].rstrip(MARKS) + "?"
            break
    return (rest, opening > 0) if any(map(str.isalnum, rest)) else (text, False)


def _at_start(text: str, phrases: Sequence[str]) -> int:
    """How many characters the longest phrase takes at the start, openings behind each other together."""
    taken = 0
    for _ in range(2):
        rest = text[taken:].lstrip(MARKS)
        skipped = len(text) - taken - len(rest)
        fitting = [
            len(p)
            for p in phrases
            if regex.match(rf"{regex.escape(p)}(?![\p{{L}}\p{{M}}\p{{N}}])", rest, regex.IGNORECASE)
        ]
        if not fitting:
            break
        taken += skipped + max(fitting)
    return taken


def _points_back(question: Question, kind: str) -> bool:
    text = f" {' '.join(split_words(fold(question.text)))} "
    for phrase in _phrases(question.language, "expletive"):
        text = text.replace(f" {fold(phrase)} ", " ")
    return any(f" {fold(phrase)} " in text for phrase in _phrases(question.language, kind))


def _is_elliptic(rest: str, language: str) -> bool:
    """Whether a question only names something: few words, none of which asks."""
    words = split_words(rest)
    # Without a table nothing is known of the words that ask.
    short = language in languages() and len(words) <= _ELLIPTIC
    return short and not any(asks(word, language) for word in words) and bool(core(rest, language))


def _is_fragment(rest: Question, words: Sequence[str]) -> bool:
    """Whether a question of a few words lacks what it asks about: "How many pupils?", not "What is a quorum?"."""
    if _only_asks(words, rest.language):
        return True
    return len(words) <= _FRAGMENT and rest.kind not in _OF_SOMETHING


def _only_asks(words: Sequence[str], language: str) -> bool:
    """Whether a question has no words but those that ask ("Why?")."""
    stop = lexicon(language).stop
    return all(asks(word, language) or fold(word) in stop for word in words)
