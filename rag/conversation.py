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
from index.language.lexicon import CAPITAL_NOUNS, all_lexicons, languages, lexicon
from index.language.terms import fold, split_words
from rag.answer import Turn
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
_MARKS = " \t\n?？!.।,:;…"


@dataclass(frozen=True, slots=True)
class Meant:
    """What a question may mean after what was said before.

    Attributes:
        asked: as it stands, in the language that the conversation makes likelier.
        completed: completed from the turns before; None where there is nothing to complete it from. It keeps what the
            question asks for; `own` holds its own words.
        leans: "surely": it has no name of its own and goes on from what was said, points back, or is a mere fragment.
            "likely": it has a name beside such a sign, or a weak sign. "perhaps": it is short, without a name. "no": it
            can stand alone.
    """

    asked: Question
    completed: Question | None
    leans: Leaning


@dataclass(frozen=True, slots=True)
class _Said:
    """A question taken apart, each part analysed once.

    `rest` is the question without an opening that goes on from before and a closing that rounds it off, `opened`
    whether it has such an opening.
    """

    question: Question
    rest: Question
    opened: bool


def meant(question: Question, history: Sequence[Turn]) -> Meant:
    """What a question may mean after these turns."""
    topic = _topic(history)
    if topic is not None:
        question = in_a_known_language(question, topic)
    said = _said(question)
    return Meant(question, None if topic is None else _completed(said, topic), _leaning(said))


def _said(question: Question) -> _Said:
    rest, opened = _opened(question)
    bare = rest.strip(_MARKS)
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
    if not rest.names and (strong or (weak and len(words) <= _SHORT // 2)):
        return "surely"
    if strong or weak:
        return "likely"
    return "no" if rest.names else "perhaps"


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


def _topic(history: Sequence[Turn]) -> Question | None:
    """The last question before this one, completed by those before it; None when none has words."""
    topic: Question | None = None
    asked = [turn.content[:_LOOKED_AT] for turn in history if turn.role == "user"]
    for text in asked[-_QUESTIONS:]:
        if not any(character.isalnum() for character in text):
            continue
        question = analyse(_plain(text)[: _LONGEST_TOPIC * 2])
        completed = None
        if topic is not None:
            question = in_a_known_language(question, topic)
            said = _said(question)
            # Without capitals the lack of a name says nothing, so a question without a cue begins a new topic.
            leans = _leaning(said)
            if leans in {"surely", "likely"} or (leans == "perhaps" and _shows_names(question)):
                completed = _completed(said, topic)
        topic = completed or question
    return topic


def _shows_names(question: Question) -> bool:
    """Whether a name in the question would be seen by its capital."""
    return question.text.lower() != question.text.upper() and question.language not in CAPITAL_NOUNS


def _subject(topic: Question) -> str:
    """What a question is about: its names, else the words before the one that asks, else the whole of it, quoted."""
    if topic.names:
        return ", ".join(" ".join(name) for name in topic.names[:_MOST_NAMES])[:_LONGEST_TOPIC]
    text = topic.text.strip(_MARKS)[:_LONGEST_TOPIC]
    if not _shows_names(topic):
        words = text.split()
        before = words[: _first_asking(words, topic.language)]
        while before and fold(before[-1].strip(_MARKS)) in lexicon(topic.language).stop:
            before.pop()
        if before:
            return " ".join(before)
    return f"“{text}”"


# -- completing


def _completed(said: _Said, topic: Question) -> Question:
    """The question completed from the topic."""
    question, rest = said.question, said.rest
    words = split_words(rest.text)
    if _is_elliptic(rest.text, question.language) and (said.opened or len(words) <= _FRAGMENT):
        text = _put_in(rest.text, question.language, topic)
        if text is not None:
            return replace(analyse(text, language=topic.language), language=question.language)
    subject = topic.text.strip(_MARKS)[:_LONGEST_TOPIC] if _only_asks(words, question.language) else None
    subject = f"“{subject}”" if subject else _subject(topic)
    known = question.language in languages()
    template = lexicon(question.language).completed["about"] if known else "{topic}: {question}"
    return replace(
        question,
        text=template.format(topic=subject, question=_inside(rest.text, question.language)),
        kind=rest.kind,
        own=rest.text,
        names=tuple(dict.fromkeys((*topic.names[:_MOST_NAMES], *rest.names))),
    )


def _inside(rest: str, language: str) -> str:
    """A question as it stands behind other words: a capital that only opened it would now look like a name's."""
    first, _, _ = rest.partition(" ")
    plain = _asks(first.strip(_MARKS), language) or fold(first.strip(_MARKS)) in lexicon(language).stop
    return rest[:1].lower() + rest[1:] if plain else rest


def _put_in(rest: str, language: str, topic: Question) -> str | None:
    """The earlier question with what a fragment names in place of its like; None where it has none.

    A name takes the place of the one name, a number of the one number as long; else both are added at the end.
    """
    core = _core(rest, language)
    text = topic.text.strip(_MARKS)
    if not core:
        return None
    if core.isdecimal():
        alike = [run for run in regex.findall(r"\p{Nd}+", text) if len(run) == len(core)]
        target = alike[0] if len(alike) == 1 else None
    elif any(character.isupper() for character in core):
        target = _like_name(rest, core, topic)
    elif core.lower() == core.upper() and _has_case(rest, core, language):
        target = _like_name("", core, topic) if _shows_names(topic) else _like_words(rest, core, topic)
    else:
        return None
    if target is not None:
        return f"{_replaced(text, target, core)}?"
    return lexicon(language).completed["added"].format(question=text, more=rest.strip(_MARKS))


def _core(rest: str, language: str) -> str:
    """A fragment without the words around it that carry no content ("in Hanoi" -> "Hanoi")."""
    stop = lexicon(language).stop
    words = rest.strip(_MARKS).split()
    while words and fold(words[0]) in stop:
        words.pop(0)
    while words and fold(words[-1]) in stop:
        words.pop()
    return " ".join(words)


def _like_name(rest: str, core: str, topic: Question) -> str | None:
    """The name of the earlier question that stands where the fragment's does: the only one, or the one behind the
    same word."""
    names = [" ".join(name) for name in topic.names] or _capitals(topic)
    before = rest.strip(_MARKS).removesuffix(core).split()
    if len(names) > 1 and before:
        behind = rf"(?i)(?<!\p{{L}}){regex.escape(before[-1])}\s+"
        names = [name for name in names if regex.search(behind + regex.escape(name), topic.text)]
    return names[0] if len(names) == 1 and names[0] in topic.text else None


def _capitals(topic: Question) -> list[str]:
    """Words with a capital that are too short for names ("Huế"); the first only where the question asks right after."""
    words = [word.strip(_MARKS) for word in topic.text.split()]
    return [
        word
        for i, word in enumerate(words)
        if word[:1].isupper() and (i > 0 or (len(words) > 1 and _asks(words[1], topic.language)))
    ]


def _like_words(rest: str, core: str, topic: Question) -> str | None:
    """The same where no capitals show names: the words that the same postposition or case ending follows, before the
    word that asks."""
    words = topic.text.strip(_MARKS).split()
    words = words[: _first_asking(words, topic.language)]
    stop = lexicon(topic.language).stop
    bare = [fold(word) not in stop and not any(map(str.isdecimal, word)) for word in words]
    behind = rest.strip(_MARKS).removeprefix(core).split()
    found = [
        i
        for i, word in enumerate(words)
        if bare[i] and (words[i + 1 : i + 2] == behind[:1] if behind else word[-1] == core[-1])
    ]
    if len(found) != 1:
        return None
    first = found[0]
    while first and bare[first - 1]:
        first -= 1
    return " ".join(words[first : found[0] + 1])


def _has_case(rest: str, core: str, language: str) -> bool:
    """Whether a postposition follows the words of a fragment, or a case ending is glued to them."""
    return not rest.strip(_MARKS).endswith(core) or core.endswith(lexicon(language).endings)


def _replaced(text: str, old: str, new: str) -> str:
    return str(regex.sub(rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){regex.escape(old)}", lambda _: new, text, count=1))


# -- words of the tables


def _phrases(language: str, kind: str) -> tuple[str, ...]:
    return lexicon(language).conversation.get(kind, ())


def _opened(question: Question) -> tuple[str, bool]:
    """The question without an opening that goes on from before and a closing that rounds it off, and whether it
    has such an opening."""
    text = question.text.strip()
    language = question.language
    opening = _at_start(text, _phrases(language, "opening"))
    rest = text[opening:].lstrip(_MARKS) if opening else text
    body = rest.rstrip(_MARKS)
    for phrase in _phrases(language, "closing"):
        if fold(body).endswith(f" {fold(phrase)}"):
            rest = body[: len(body) - len(phrase)].rstrip(_MARKS) + "?"
            break
    return (rest, opening > 0) if any(map(str.isalnum, rest)) else (text, False)


def _at_start(text: str, phrases: Sequence[str]) -> int:
    """How many characters the longest phrase takes at the start, openings behind each other together."""
    taken = 0
    for _ in range(2):
        rest = text[taken:].lstrip(_MARKS)
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
    return short and not any(_asks(word, language) for word in words) and bool(_core(rest, language))


def _is_fragment(rest: Question, words: Sequence[str]) -> bool:
    """Whether a question of a few words lacks what it asks about: "How many pupils?", not "What is a quorum?"."""
    if _only_asks(words, rest.language):
        return True
    return len(words) <= _FRAGMENT and rest.kind not in _OF_SOMETHING


def _only_asks(words: Sequence[str], language: str) -> bool:
    """Whether a question has no words but those that ask ("Why?")."""
    stop = lexicon(language).stop
    return all(_asks(word, language) or fold(word) in stop for word in words)


def _asks(word: str, language: str) -> bool:
    return fold(word) in _phrases(language, "asking")


def _first_asking(words: Sequence[str], language: str) -> int:
    """The position of the first word that asks; the number of words when none does."""
    return next((i for i, word in enumerate(words) if _asks(word.strip(_MARKS), language)), len(words))
