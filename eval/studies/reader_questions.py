"""What a reader is measured on: questions with windows of text, of public data, always the same ones.

DATA is a folder with `xquad-dev/`, `squad2-sv-dev/`, `nomiracl/` and `qa/`. A sample is the first questions in the
order of a digest of their ids, so that a smaller one is a part of a larger one, and pairs of languages share their
questions.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from eval.learning.asked import LANGUAGES, Unseen, nomiracl_parts
from eval.learning.data import Corpus, Paragraph
from eval.learning.pool import is_held_out
from eval.squad import read_squad
from eval.text import contains, words
from index.errors import UsageError

SEED = 7
WINDOW = 600
"""Code points of a window at most: some 130 to 200 tokens."""
PAIRS = (
    ("en", "en"), ("hi", "hi"), ("vi", "vi"), ("sv", "sv"), ("en", "hi"), ("en", "vi"), ("en", "sv"), ("vi", "hi"),
    ("hi", "vi"), ("sv", "en"), ("hi", "en"), ("vi", "en"), ("sv", "hi"), ("vi", "sv"), ("hi", "sv"), ("sv", "vi"),
)  # fmt: skip
"""Languages of question and passage of XQuAD."""
HELD_OUT = (
    ("bn_haque2020", "bn", "bn"), ("norquad", "nb", "nb"), ("tydi_goldp", "en", "en"),
    ("squad11_train_part", "en", "en"), ("squadshifts", "en", "en"), ("mt_squad_da", "da", "da"),
    ("afriqa", "en", "en"),
)  # fmt: skip
"""Files of `qa/train` with the languages of question and passage; of their questions, those of held-out titles."""
MEASURE = (
    ("uit_viquad", "vi", "vi"), ("mmqa_hi_en", "hi", "hi"), ("mmqa_hi_en", "en", "hi"), ("mmqa_hi_en", "hi", "en"),
    ("mmqa_hi_en", "en", "en"), ("vi_zalo_mailong", "vi", "vi"), ("hiquad_sentence", "hi", "hi"),
)  # fmt: skip
"""The same of `qa/measure`."""
SENTENCES = frozenset({"hiquad_sentence"})
"""Files whose answers are sentences: that a reader points at less is no error, so exact match says nothing."""
TRANSLATED = frozenset({"mt_squad_da"})
"""Files about the articles of XQuAD, which are held out as those are, whatever their eighth."""

# A window gives up at most this much on either side to begin or end with a sentence.
_REACH = 150
_SENTENCE_END = re.compile(r"""[.!?…।॥]+["'”’»)\]]*(?=\s)""")


@dataclass(frozen=True, slots=True)
class Item:
    """A question about a context. `answers`: the accepted ones, of which the first stands at code point `start`;
    empty, and `start` 0, when the context does not answer it."""

    id: str
    question: str
    context: str
    answers: tuple[str, ...]
    start: int
    title: str
    asked: str
    read: str


@dataclass(frozen=True, slots=True)
class Pointed:
    """A question and a window in the language `read` that holds the first of its accepted `answers`."""

    question: str
    window: str
    answers: tuple[str, ...]
    read: str


@dataclass(frozen=True, slots=True)
class PointedKind:
    """Questions whose answer is pointed at; `exact`: whether an exact match says something of them."""

    name: str
    group: str
    questions: tuple[Pointed, ...]
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A question, windows of text, and whether one of them answers it."""

    question: str
    windows: tuple[str, ...]
    answered: bool


@dataclass(frozen=True, slots=True)
class ToldKind:
    """Questions of which some are answered and some are not."""

    name: str
    questions: tuple[Told, ...]


def around(text: str, start: int, end: int, *, key: str, size: int = WINDOW) -> str:
    """A window of at most `size` code points that holds `text[start:end]`, in a script with spaces between words.

    How far into it that stands is drawn by `key`. The window begins and ends with a sentence where one begins or ends
    near by, else with a word.

    Raises:
        ValueError: what it has to hold is longer than `size`.
    """
    if end - start > size:
        raise ValueError(f"a window of {size} code points cannot hold {end - start}")
    if len(text) <= size:
        return text.strip()
    before = Random(f"{SEED} {key}").randint(0, size - (end - start))  # noqa: S311
    first = min(max(start - before, 0), len(text) - size)
    return text[_begin(text, first, start) : _finish(text, first + size, end)].strip()


def pieces(text: str, *, size: int = WINDOW) -> tuple[str, ...]:
    """Consecutive windows of at most `size` code points that hold the whole text."""
    text, first, found = text.strip(), 0, []
    while len(text) - first > size:
        last = _finish(text, first + size, first + size // 2)
        found.append(text[first:last].strip())
        first = last
    return (*found, text[first:].strip())


def _begin(text: str, first: int, latest: int) -> int:
    """The first place from `first` on where a sentence begins, else a word; `latest` when there is none before it."""
    if first == 0:
        return 0
    for match in _SENTENCE_END.finditer(text, first, min(latest + 1, first + _REACH)):
        if match.end() <= latest:
            return match.end()
    while first < latest and not text[first - 1].isspace():
        first += 1
    return first


def _finish(text: str, last: int, earliest: int) -> int:
    """The last place up to `last` where a sentence ends, else a word; `earliest` when there is none behind it."""
    if last >= len(text):
        return len(text)
    ends = [m.end() for m in _SENTENCE_END.finditer(text, max(earliest - 1, last - _REACH, 0), last + 1)]
    ends = [end for end in ends if earliest <= end <= last]
    if ends:
        return ends[-1]
    while last > earliest and not text[last].isspace():
        last -= 1
    return last


def sample(items: Iterable[Item], limit: int, *, salt: str = "") -> list[Item]:
    """At most `limit` items, in the order of a digest of `salt` and their ids."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{SEED} {salt} {item.id}".encode()).digest())[
        :limit
    ]


def read_items(path: Path) -> Iterator[Item]:
    """The questions of a file of `qa/` that a window can answer: a longer answer is passed over.

    Raises:
        UsageError: the file is missing or malformed.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                item = _item(json.loads(line))
                if not item.answers or len(item.answers[0]) <= WINDOW:
                    yield item
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(
            f"{path} is not a file of questions ({type(error).__name__}: {error}); give the folder of public data"
        ) from error


def _item(row: dict[str, Any]) -> Item:
    answers = [] if row["impossible"] else row["answers"]
    return Item(
        id=row["id"],
        question=row["question"].strip(),
        context=row["context"],
        answers=tuple(dict.fromkeys(answer["text"] for answer in answers)),
        start=answers[0]["start"] if answers else 0,
        title=row["title"],
        asked=row["lang"],
        read=row["context_lang"],
    )


def xquad_items(passage: Paragraph, asked: str, read: str) -> Iterator[Item]:
    """The questions of XQuAD about a passage, in the language `asked`, and its text in the language `read`."""
    for ask in passage.asks.values():
        # Without an English wording it is a question of SQuAD 2.0 in Swedish.
        if asked in ask.texts and read in ask.answers and "en" in ask.texts:
            place, context = ask.answers[read], passage.contexts[read]
            answers = (context[place.start : place.end],)
            yield Item(ask.id, ask.texts[asked], context, answers, place.start, passage.article, asked, read)


def pointed_kinds(data: Path, held: Corpus, *, limit: int) -> list[PointedKind]:
    """All that spans are measured on, at most `limit` questions each; `held`: the held-out part of XQuAD."""
    kinds = []
    for asked, read in PAIRS:
        items = [item for passage in held.passages for item in xquad_items(passage, asked, read)]
        group = "XQuAD, same language" if asked == read else "XQuAD, across languages"
        kinds.append(_pointed(f"XQuAD {asked} -> {read}", group, sample(items, limit)))
    articles = {passage.article for passage in held.passages}
    for name, asked, read in HELD_OUT:
        items = _of(data / "qa" / "train" / f"{name}.jsonl.gz", asked, read)
        unseen = [i for i in items if (i.title in articles if name in TRANSLATED else is_held_out(i.title))]
        kinds.append(_pointed(f"{name} {read}", "qa/train, held out", sample(unseen, limit)))
    for name, asked, read in MEASURE:
        items = _of(data / "qa" / "measure" / f"{name}.jsonl.gz", asked, read)
        kinds.append(_pointed(f"{name} {asked} -> {read}", "qa/measure", sample(items, limit), name))
    return kinds


def _of(path: Path, asked: str, read: str) -> list[Item]:
    return [item for item in read_items(path) if item.answers and (item.asked, item.read) == (asked, read)]


def _pointed(name: str, group: str, items: Sequence[Item], file: str = "") -> PointedKind:
    questions = tuple(Pointed(item.question, window_of(item), item.answers, item.read) for item in items)
    return PointedKind(name, group, questions, exact=file not in SENTENCES)


def window_of(item: Item) -> str:
    """A window around the answer, or around any place of a context that does not answer."""
    if item.answers:
        return around(item.context, item.start, item.start + len(item.answers[0]), key=item.id)
    place = Random(f"{SEED} place {item.id}").randrange(len(item.context))  # noqa: S311
    return around(item.context, place, place, key=item.id)


def told_kinds(data: Path, held: Corpus, *, limit: int) -> list[ToldKind]:
    """All that "answered" is measured on; of each kind at most `limit` questions with an answer and `limit` without.

    `held`: the held-out part of XQuAD, SQuAD 2.0 in Swedish and NoMIRACL.
    """
    unseen = Unseen(
        ids=frozenset(ask for passage in held.passages for ask in passage.asks),
        judged=frozenset(unanswered.question for unanswered in held.unanswered),
        texts=frozenset(texts.passages[0].strip() for texts in held.texts),
    )
    kinds = [
        kind for asked in LANGUAGES for kind in (_xquad(held, asked, limit, same) for same in (True, False))
    ]
    squad2 = list(_squad2_items(data / "squad2-sv-dev" / "squad2.sv.json", held))
    kinds.append(ToldKind("SQuAD 2.0 sv", _two_sided(squad2, limit)))
    for part in nomiracl_parts(data / "nomiracl", unseen, limit=limit):
        questions = [
            Told(ask.question, tuple(p for n in ask.names or () for p in pieces(part.texts[n])), ask.answered)
            for ask in part.asks
        ]
        kinds.append(ToldKind(f"NoMIRACL {part.language}", tuple(questions)))
    zalo = list(read_items(data / "qa" / "measure" / "vi_zalo_mailong.jsonl.gz"))
    return [*kinds, ToldKind("vi_zalo_mailong", _two_sided(zalo, limit))]


def _two_sided(items: Sequence[Item], limit: int) -> tuple[Told, ...]:
    sides = [[item for item in items if bool(item.answers) is answered] for answered in (True, False)]
    return tuple(
        Told(item.question, (window_of(item),), bool(item.answers))
        for side in sides
        for item in sample(side, limit)
    )


def _squad2_items(path: Path, held: Corpus) -> Iterator[Item]:
    file = read_squad(path)
    for passage in held.passages:
        context = passage.contexts.get("sv", "")
        for ask in passage.asks.values() if context else ():
            place, question = ask.answers.get("sv"), ask.texts.get("sv", "")
            if ask.id in file.unanswerable:
                yield Item(ask.id, question, context, (), 0, passage.article, "sv", "sv")
            elif place and ask.id in file.cases:
                answers = (context[place.start : place.end],)
                yield Item(ask.id, question, context, answers, place.start, passage.article, "sv", "sv")


def _xquad(held: Corpus, asked: str, limit: int, same: bool) -> ToldKind:
    """Each question with the window that answers it, and with the nearest one of another paragraph of its article."""
    others = [asked] if same else [language for language in LANGUAGES if language != asked]
    questions = []
    for read in others:
        found = {item.id: (item, p) for p in held.passages for item in xquad_items(p, asked, read)}
        for item in sample((item for item, _ in found.values()), limit // len(others), salt=read):
            passage = found[item.id][1]
            near = nearest(passage.asks[item.id].texts[read], item.answers, _elsewhere(held, passage, read))
            if near is not None:
                questions.append(Told(item.question, (window_of(item),), answered=True))
                questions.append(Told(item.question, (near,), answered=False))
    return ToldKind(f"XQuAD {asked} -> {asked if same else 'others'}", tuple(questions))


def _elsewhere(held: Corpus, passage: Paragraph, language: str) -> list[str]:
    """A window of each other passage of the same article."""
    texts = [
        other.contexts[language]
        for other in held.passages
        if other.article == passage.article and other is not passage and language in other.contexts
    ]
    return [around(text, len(text) // 2, len(text) // 2, key=text) for text in texts]


def nearest(wording: str, answers: Sequence[str], windows: Sequence[str]) -> str | None:
    """The window that shares most words with `wording`, a word counting the less the more windows have it, of those
    that hold none of `answers`; the first of equals, None when all hold one."""
    have = [set(words(window)) for window in windows]
    counts = Counter(word for each in have for word in each)
    asked = set(words(wording))
    near = [sum(1 / counts[word] for word in sorted(asked & each)) for each in have]
    left = [i for i, window in enumerate(windows) if not any(contains(window, text) for text in answers)]
    return windows[max(left, key=lambda i: near[i])] if left else None
