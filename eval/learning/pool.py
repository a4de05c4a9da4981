"""The pool: some 200,000 questions in over twenty languages, each with the text that answers it or does not.

A source is a file `qa/train/NAME.jsonl.gz` of the data folder; `sources.toml` beside this file says which are read and
how often each is drawn from. An eighth of the titles of every source is never learnt from (`is_held_out`), and nothing
that comes from an article that is held out elsewhere.
"""

from __future__ import annotations

import hashlib
import tomllib
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random

import regex

from eval.learning.augment import ask_of_another, names_in
from eval.learning.data import Corpus, Place, read_lines
from eval.learning.windows import Example, Windows

FOLDER = Path("qa") / "train"
# Which eighth: of some sources the data holds no title with remainder 0.
_EIGHTH, _REMAINDER = 8, 1
# Longer answers are whole sentences: what is asked for then is another skill. In code points.
_LONGEST_ANSWER = 160
# Texts of one title among which the one nearest to a question is looked for.
_NEIGHBOURS = 24
# How often an answered question is asked of another text of its title, and of a text about something else; half of the
# former hold the answer all the same and are left out.
_SIMILAR, _FOREIGN = 0.3, 0.03
# How often it is asked with a name or number of another question of its source in the place of its own.
_SWAPPED, _OTHERS = 0.06, 12
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# Languages in which words are not parted by spaces: pairs of letters stand for them.
_UNPARTED = frozenset({"ja", "zh", "th"})


@dataclass(frozen=True, slots=True)
class Item:
    """A question about a text. `answers` are empty where the text does not answer it."""

    question: str
    text: str
    answers: tuple[Place, ...]
    asked: str
    read: str
    source: str
    title: str


@dataclass(frozen=True, slots=True)
class Sources:
    """`sources.toml`: `weights` by source, `parallel` the language of each that is joined with SQuAD files."""

    weights: Mapping[str, float]
    parallel: Mapping[str, str]
    impossible: float
    skipped: frozenset[str]


@cache
def sources() -> Sources:
    """The table of sources."""
    table = tomllib.loads(Path(__file__).with_name("sources.toml").read_text("utf-8"))
    return Sources(
        weights=table["weights"],
        parallel=table["parallel"],
        impossible=float(table["impossible"]["weight"]),
        skipped=frozenset(table["skipped"]["languages"]),
    )


def is_held_out(title: str) -> bool:
    """Whether a title belongs to the eighth that is not learnt from: by the MD5 of its UTF-8 bytes.

    "New_York_City" and "New York City" are one title.
    """
    plain = title.replace("_", " ").strip()
    return int(hashlib.md5(plain.encode(), usedforsecurity=False).hexdigest(), 16) % _EIGHTH == _REMAINDER


def read_items(path: Path, *, source: str) -> Iterator[Item]:
    """The questions of one file that can be learnt from: with an answer that stands in the text, or with none."""
    skipped = sources().skipped
    for line in read_lines(path):
        if line["lang"] in skipped:
            continue
        answers = tuple(
            dict.fromkeys(
                Place(a["start"], a["start"] + len(a["text"]))
                for a in line["answers"]
                if a["text"].strip() and len(a["text"]) <= _LONGEST_ANSWER
            )
        )
        if answers or line["impossible"]:
            yield Item(
                question=line["question"].strip(),
                text=line["context"].replace("\n", " "),
                answers=() if line["impossible"] else answers,
                asked=_plain(line["lang"]),
                read=_plain(line["context_lang"]),
                source=source,
                title=str(line.get("title")),
            )


class Pool:
    """Questions to draw from.

    Args:
        items: what is learnt from; none makes a pool that is never drawn from.
        windows: cuts the texts.
    """

    def __init__(self, items: Iterable[Item], windows: Windows) -> None:
        self._items, self._windows = list(items), windows
        table = sources()
        self._reach = list(
            accumulate(
                table.weights.get(item.source, 1.0) * (1.0 if item.answers else table.impossible)
                for item in self._items
            )
        )
        self._texts: dict[tuple[str, str], dict[str, None]] = {}
        for item in self._items:
            self._texts.setdefault((item.source, item.title), {})[item.text] = None

    def __len__(self) -> int:
        return len(self._items)

    def draw(self, random: Random) -> Example | None:
        """An example; None where what was drawn does not allow it."""
        item = self._items[bisect(self._reach, random.random() * self._reach[-1], hi=len(self._items) - 1)]
        kind = random.random()
        if item.answers and kind < _SIMILAR:
            return self._of_another(random, item, self._nearest(random, item), "similar")
        if item.answers and kind < _SIMILAR + _FOREIGN:
            other = random.choice(self._items)
            return self._of_another(random, item, other.text, "foreign") if other.read == item.read else None
        if item.answers and kind < _SIMILAR + _FOREIGN + _SWAPPED:
            return self._swapped(random, item)
        return self.own(random, item)

    def own(self, random: Random, item: Item, *, smallest: int | None = None) -> Example:
        """A question with a window of its own text, with the answer in it if there is one."""
        first, *others = item.answers or (None,)
        also = tuple(place for place in others if place is not None)
        kind = "answered" if item.answers else "impossible"
        example = Example(kind, item.question, item.text, first, item.asked, item.read, also)
        return self._windows.cut(random, example, smallest=smallest or (50 if item.answers else 90))

    def _of_another(self, random: Random, item: Item, text: str | None, kind: str) -> Example | None:
        """The question with a text that does not answer it: no answer's words stand there."""
        if text is None or any(
            item.text[a.start : a.end].casefold() in text.casefold() for a in item.answers
        ):
            return None
        example = Example(kind, item.question, text, None, item.asked, item.read)
        return self._windows.cut(random, example)

    def _swapped(self, random: Random, item: Item) -> Example | None:
        others = [other for other in random.choices(self._items, k=_OTHERS) if other.asked == item.asked]
        names = [
            name.text for other in others for name in names_in({other.asked: other.question}, other.asked)
        ]
        question = ask_of_another(random, {item.asked: item.question}, item.asked, names)
        if question is None:
            return None
        example = replace(self.own(random, item, smallest=90), kind="swapped", question=question)
        return replace(example, answer=None, also=())

    def _nearest(self, random: Random, item: Item) -> str | None:
        """One of the two texts of the same title that share most with the question, weighed by how rare a word is."""
        others = [text for text in self._texts[item.source, item.title] if text != item.text]
        if not others:
            return None
        others = random.sample(others, _NEIGHBOURS) if len(others) > _NEIGHBOURS else others
        asked = _words(item.question, item.read)
        held = [asked & _words(text, item.read) for text in others]
        counts = Counter(word for words in held for word in words)
        order = sorted(range(len(others)), key=lambda i: -sum(1 / counts[word] for word in held[i]))
        return others[random.choice(order[:2])]


def read_pool(folder: Path, held: Corpus | None) -> tuple[list[Item], dict[str, str]]:
    """What is learnt from of a data folder, and the SHA-256 of each file by its path in it.

    Args:
        folder: the data folder; one without `qa/train` has no pool.
        held: what is only scored on; nothing from its articles or with its text is learnt.
    """
    titles = {_letters(p.article) for p in held.passages} if held else set()
    known = (
        {part for p in held.passages for t in p.contexts.values() for part in _parts(t)} if held else set()
    )
    items, hashes = [], {}
    for name in sources().weights:
        path = folder / FOLDER / f"{name}.jsonl.gz"
        if not path.is_file():
            continue
        hashes[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
        for item in read_items(path, source=name):
            if is_held_out(item.title) or _letters(item.title) in titles:
                continue
            if known.isdisjoint(_parts(item.text)):
                items.append(item)
    return items, hashes


def held_out_items(folder: Path, source: str) -> list[Item]:
    """The questions of a source that are not learnt from because of their title; none where there is no such file."""
    path = folder / FOLDER / f"{source}.jsonl.gz"
    return (
        [item for item in read_items(path, source=source) if is_held_out(item.title)]
        if path.is_file()
        else []
    )


def scored_items(folder: Path, source: str, count: int) -> list[Item]:
    """At most `count` answered questions of a source's held-out titles, always the same ones."""
    items = [item for item in held_out_items(folder, source) if item.answers]
    return Random(f"scored {source}").sample(items, min(count, len(items)))  # noqa: S311 - no secret


def _plain(language: str) -> str:
    """A language's code without script or region."""
    return language.split("-", maxsplit=1)[0]


def _letters(text: str) -> str:
    return str(regex.sub(r"[\W_]+", "", text.casefold()))


def _parts(text: str) -> tuple[str, str]:
    """Two stretches of a text's letters, by which it is known again."""
    letters = _letters(text[:600])
    return letters[:80], letters[100:180] or letters


def _words(text: str, language: str) -> set[str]:
    plain = text.casefold()
    if language in _UNPARTED:
        letters = _letters(plain)
        return {letters[i : i + 2] for i in range(len(letters) - 1)}
    return set(_WORD.findall(plain))
