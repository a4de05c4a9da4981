"""What a language model is shown: passages within a budget, and prompts in which foreign text stays text.

Documents, titles, questions and earlier turns are written by others. Each is escaped as XML is, so that none can
close the element it stands in, and stands in the user's message under a system message that says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

import regex
from babel import Locale
from babel.core import UnknownLocaleError

from index.types import UNDETERMINED, Sentence
from rag.answer import Hit, Turn
from rag.evidence import Evidence, Support
from rag.llm.client import Message
from rag.llm.markers import SENTINEL
from rag.llm.tokens import count_tokens, fit
from rag.question import Question
from rag.reader.passages import windows
from rag.shape import parts_of, shape_of
from rag.verification.passage import Passage

HISTORY_TOKENS = 400
"""Tokens of earlier turns that go with a question. Chosen: about four short turns."""

# A turn gets no more than this part of them, chosen so that one long answer does not push all others out.
_PART_OF_HISTORY = 2
# The tags, number and language around a passage, in tokens. Chosen: a little more than they take.
_AROUND = 24

_PROMPTS = Path(__file__).parent / "prompts"
# The elements of a prompt: what others wrote cannot make one, so that in an answer they are the prompt said again.
_ELEMENT = regex.compile(r"</?(?:passages?|conversation|turn|question)\b")
# Not in XML, or never seen: controls, surrogates, noncharacters, and the invisible copies of ASCII that hide orders.
_UNSEEN = regex.compile(
    r"[\p{Cs}\uFFFE\uFFFF\U000E0000-\U000E007F[\x00-\x1F\x7F-\x9F]--[\t\n\r]]", regex.VERSION1
)
# Footnote numbers would read as citations, and "[INST]" and its like are commands of some models.
_BRACKETED = regex.compile(r"\[(?=\s?/?(?:\p{Nd}|[A-Z_]{3,}\]))|[【［]")


def select_passages(evidence: Evidence, *, count: int, tokens: int, each: int) -> list[Passage]:
    """Runs of whole sentences around the most promising ones, best first, numbered from 1.

    No sentence stands in two of them. Empty where there is no evidence, or no sentence fits.

    Args:
        evidence: its sentences, in their order.
        count: at most so many passages.
        tokens: all together, with titles, have at most so many.
        each: a passage grows by its neighbours while it has at most so many.
    """
    supports = evidence.supports
    found: list[Passage] = []
    left = tokens
    chosen = windows(
        [(support.sentence, support.hit.chunk) for support in supports],
        lambda chunk: evidence.inside[chunk.id][0],
        count_tokens,
        most=count,
        tokens=each,
    )
    taken: set[str] = set()
    for window in chosen:
        support = next(one for one in supports if window.holds(one.sentence) and one.sentence.id not in taken)
        inside, _ = evidence.inside[support.hit.chunk.id]
        around = [sentence for sentence in inside if window.holds(sentence)]
        run = _run_around(support, around, taken)
        passage = _passage(len(found) + 1, support.hit, run)
        cost = sum(count_tokens([passage.text, support.hit.title])) + _AROUND
        if cost <= left:
            left -= cost
            found.append(passage)
            taken.update(sentence.id for sentence in run)
    return found


def answer_messages(
    question: Question, passages: Sequence[Passage], *, history: Sequence[Turn] = ()
) -> list[Message]:
    """The messages that ask for an answer, in the form that the question wants: one of the system, one of the user."""
    return _filled(
        "answer",
        language=language_for_a_model(question.language),
        sentinel=SENTINEL,
        passages="\n".join(map(_passage_element, passages)),
        conversation=_conversation(history),
        question=_escaped(question.text),
        form=_form(question),
    )


def standalone_messages(question: str, language: str, history: Sequence[Turn]) -> list[Message]:
    """The messages that ask for a follow-up as a question of its own."""
    return _filled(
        "standalone",
        language=language_for_a_model(language),
        conversation=_conversation(history),
        question=_escaped(question),
    )


def repeats_prompt(text: str) -> bool:
    """Whether an answer says the prompt again, as small models do, instead of answering."""
    return _ELEMENT.search(text) is not None


@cache
def language_for_a_model(code: str) -> str:
    """A language's name in English and its own (ISO 639-1 code); words to the same effect where it is not known."""
    try:
        locale = None if code == UNDETERMINED else Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = None
    if locale is None:
        return "the language of the question"
    return " / ".join(dict.fromkeys([str(locale.get_language_name("en")), str(locale.get_language_name())]))


def _run_around(support: Support, around: Sequence[Sentence], taken: set[str]) -> list[Sentence]:
    """The sentences of a window that adjoin the one it is made for and stand in no passage yet."""
    ids = [sentence.id for sentence in around]
    first = last = ids.index(support.sentence.id)
    while first > 0 and ids[first - 1] not in taken:
        first -= 1
    while last + 1 < len(ids) and ids[last + 1] not in taken:
        last += 1
    return list(around[first : last + 1])


def _passage(number: int, hit: Hit, run: Sequence[Sentence]) -> Passage:
    start, end = run[0].start, run[-1].end
    chunk = hit.chunk
    inside = chunk.start <= start and end <= chunk.end
    text = chunk.text[start - chunk.start : end - chunk.start] if inside else run[0].text
    return Passage(number=number, hit=hit, start=start, end=end, text=text, sentences=tuple(run))


def _passage_element(passage: Passage) -> str:
    hit = passage.hit
    title = _attribute(hit.title)
    language = _attribute(hit.chunk.language)
    return (
        f'<passage id="{passage.number}" language="{language}" title="{title}">'
        f"{_escaped(passage.text)}</passage>"
    )


def _conversation(history: Sequence[Turn]) -> str:
    """The newest turns that fit, in their order."""
    left = HISTORY_TOKENS
    kept: list[str] = []
    for turn in reversed(history):
        text = fit(turn.content.strip(), min(left, HISTORY_TOKENS // _PART_OF_HISTORY))
        left -= count_tokens([text])[0]
        if left < 0 or not text:
            break
        kept.append(f'<turn role="{_attribute(turn.role)}">{_escaped(text)}</turn>')
    return "\n".join(reversed(kept))


def _form(question: Question) -> str:
    """What a question wants of the form of its answer, as a paragraph of its own; "" where the rules say it all.

    It stands behind all that others wrote, so that the system's message is the same for every question.
    """
    several = len(parts_of(question.text, question.language)) > 1
    shape = "brief" if question.brief else "several" if several else shape_of(question)
    said = _forms().get(shape, "")
    return f"\n\n{' '.join(said.split())}" if said else ""


@cache
def _forms() -> Mapping[str, str]:
    return tomllib.loads((_PROMPTS / "forms.toml").read_text(encoding="utf-8"))


def _filled(name: str, **values: str) -> list[Message]:
    system, user = _prompt(name)
    return [
        Message("system", system.substitute(values)),
        Message("user", user.substitute(values)),
    ]


@cache
def _prompt(name: str) -> tuple[Template, Template]:
    """The two messages of a prompt file, which stand under `# System` and `# User`."""
    text = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8")
    system, user = text.removeprefix("# System\n").split("\n# User\n")
    return Template(system.strip()), Template(user.strip())


def _escaped(text: str) -> str:
    escaped: str = _BRACKETED.sub(lambda found: f"&#{ord(found[0])};", escape(_UNSEEN.sub("", text)))
    return escaped


def _attribute(text: str) -> str:
    return _escaped(" ".join(text.split())).replace('"', "&quot;")
