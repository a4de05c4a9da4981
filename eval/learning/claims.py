"""Claims to be judged by a text: supported, contradicted, or neither.

Public data has them in few languages (natural language inference, yes/no questions). The others are made of texts that
exist in several languages: a sentence of one translation is a claim that another supports; with another number or name
it is not, nor is a sentence of another text, nor one whose counterpart was taken out; a negation put in or taken out
contradicts. An answer with its question is a claim too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Generic, TypeVar

import regex

from eval.learning.augment import ask_of_another, names_in
from eval.learning.data import Corpus, Paragraph, Place, read_lines
from eval.learning.pool import Item, is_held_out, sources
from eval.learning.rules import LANGUAGES, Rules, idle, turned, wrapped
from eval.learning.windows import Example, Windows
from rag.reader.verdict import CONTRADICTED, NEITHER, SUPPORTED

FOLDER = Path("nli") / "train"
# How often each kind is drawn, and each file of `nli/train` within its kind. Chosen, not fitted.
KINDS = {"inference": 32.0, "yesno": 12.0, "parallel": 26.0, "quoted": 8.0, "answer": 8.0, "rules": 20.0}
FILES = {
    "inference": {
        "nli_swenli_dev": 8.0,
        "nli_farstail_fa": 3.0,
        "nli_klue_ko": 2.0,
        "nli_jnli_ja": 1.5,
        "nli_fever_symmetric": 3.0,
        "nli_wice": 3.0,
        "nli_negation": 3.0,
        "2way_nli2_begin": 4.0,
        "2way_nli2_negation_rte": 1.5,
    },
    "yesno": {
        "yesno_boolq_dev": 4.0,
        "yesno_condaqa": 8.0,
        "2way_yesno_condaqa_unknown": 1.0,
        "yesno_pubmedqa": 1.0,
    },
}
VERDICTS = {
    "entailment": (SUPPORTED,),
    "contradiction": (CONTRADICTED,),
    "neutral": (NEITHER,),
    "not_entailment": (CONTRADICTED, NEITHER),
    "yes": (SUPPORTED,),
    "no": (CONTRADICTED,),
    "unknown": (NEITHER,),
}
_WRONG = (CONTRADICTED, NEITHER)
# What becomes of a sentence that is made a claim, how often.
_CHANGES = {
    "said": 34.0,
    "shortened": 8.0,
    "number": 14.0,
    "name": 9.0,
    "reversed": 4.0,
    "denied": 5.0,
    "turned": 8.0,
    "asked": 4.0,
    "elsewhere": 10.0,
    "removed": 10.0,
    "half": 5.0,
    "idle": 3.0,
}
# The verdicts on those; on others that are wrong, either that the text says the opposite or that it says neither.
_MEANT = {
    **dict.fromkeys(("said", "shortened", "asked"), (SUPPORTED,)),
    **dict.fromkeys(("denied", "turned"), (CONTRADICTED,)),
    **dict.fromkeys(("elsewhere", "removed", "half", "idle"), (NEITHER,)),
}
# Tokens of a window at most, and code points of a text that a yes/no question is asked of: what is read in use is a few
# sentences, and a step costs less.
_LARGEST, _WHOLE = 110, 650
_ONE_SIDE = 0.5  # of the texts without the sentence, those with only what stands before or after it
_FOREIGN = 0.12  # a claim of public data with a text of another group
# Languages of sentences that are quoted from the text itself, and how often; the others are left to their chance.
_QUOTED = {"bn": 6.0, "hi": 3.0, "vi": 3.0, "sv": 3.0, "en": 2.0, "nb": 1.5, "no": 1.5}
_LANGUAGES = {"en": 3.0, "vi": 3.0, "hi": 4.0, "sv": 3.0}
_NUMBER = regex.compile(r"\d+")
_CLAUSE = regex.compile(r"[,;،、，；:]\s|\s[–—-]\s|\s\(")
_SHORTEST = 18  # code points of a sentence that is made a claim


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, or a yes/no question, and a text that people judged it by."""

    claim: str
    text: str
    verdicts: tuple[int, ...]
    asked: str
    read: str
    group: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence, the stretch of a text that says the same, and a text about something else in its language, or ""."""

    kind: str
    claim: str
    elsewhere: str
    text: str
    place: Place
    asked: str
    read: str


def read_judged(folder: Path) -> tuple[list[Judged], dict[str, str]]:
    """The claims of a data folder's `nli/train`, none where it has none, and the SHA-256 of each file."""
    found, hashes = [], {}
    for kind, names in FILES.items():
        for name in names:
            path = folder / FOLDER / f"{name}.jsonl.gz"
            if not path.is_file():
                continue
            hashes[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
            for line in read_lines(path):
                text = str(line.get("premise") or line.get("context")).replace("\n", " ")
                found.append(
                    Judged(
                        claim=str(line.get("hypothesis") or line.get("question")).strip(),
                        text=text,
                        verdicts=VERDICTS[str(line.get("label") or line.get("answer"))],
                        asked=str(line["lang"]),
                        read=str(line.get("context_lang") or line["lang"]),
                        group=str(line.get("group") or text[:60]),
                        kind=f"{kind} {name}",
                    )
                )
    return found, hashes


def parted(judged: Iterable[Judged], *, held: bool) -> list[Judged]:
    """Those whose group is held out (an eighth, by its hash), or the others."""
    return [each for each in judged if is_held_out(each.group) == held]


class Claims:
    """Draws claims.

    Args:
        judged: claims that people judged.
        corpus: texts in several languages.
        items: questions about texts, with their answers.
        windows: cuts the texts.
    """

    def __init__(
        self, judged: Sequence[Judged], corpus: Corpus, items: Sequence[Item], windows: Windows
    ) -> None:
        self._windows = windows
        self._judged = {
            kind: _Weighted.of(
                [j for j in judged if j.kind.startswith(kind + " ")], _weights_of(judged, kind)
            )
            for kind in FILES
        }
        self._parallel = [p for p in corpus.passages if len(p.contexts) > 1]
        answered = [item for item in items if item.answers]
        table = sources().weights
        self._answered = _Weighted.of(answered, [table.get(item.source, 1.0) for item in answered])
        self._quoted = _Weighted.of(
            answered, [_QUOTED.get(item.read, 0.3) * table.get(item.source, 1.0) for item in answered]
        )
        self._of_text: dict[str, list[Item]] = {}
        for item in answered:
            self._of_text.setdefault(item.text, []).append(item)
        self._names: dict[str, list[str]] = {}
        # By kind, what makes one, and what it makes it of.
        made: dict[str, tuple[Callable[[Random], Example | None], Sequence[object]]] = {
            kind: (partial(self._public, kind=kind), self._judged[kind].entries) for kind in FILES
        }
        made |= {
            "parallel": (self._of_parallel, self._parallel),
            "quoted": (self._of_quoted, answered),
            "answer": (self._of_answer, answered),
            "rules": (Rules().draw, LANGUAGES),
        }
        self._made = [make for make, entries in made.values() if entries]
        self._shares = [KINDS[kind] for kind, (_, entries) in made.items() if entries]

    def draw(self, random: Random) -> Example | None:
        """An example; None where what was drawn does not allow it."""
        (make,) = random.choices(self._made, self._shares)
        return make(random)

    def _public(self, random: Random, kind: str) -> Example | None:
        judged = self._judged[kind].draw(random)
        text, verdicts = judged.text, judged.verdicts
        if random.random() < _FOREIGN:
            other = self._judged[kind].draw(random)
            if other.group == judged.group or other.read != judged.read:
                return None
            text, verdicts = other.text, (NEITHER,)
        example = Example(judged.kind, judged.claim, text, None, judged.asked, judged.read, verdicts=verdicts)
        # Where in a longer text it is judged, nobody says.
        return example if len(text) <= _WHOLE else None

    def _of_parallel(self, random: Random) -> Example | None:
        """A sentence of one translation, and another translation of the same passage."""
        passage, other = random.choice(self._parallel), random.choice(self._parallel)
        asked, read = (_language(random, passage) for _ in range(2))
        claims, places = (
            self._sentences(passage.contexts[asked], asked),
            self._sentences(passage.contexts[read], read),
        )
        if not claims or len(claims) != len(places):  # only then does the order tell which belong together
            return None
        elsewhere = other.contexts.get(asked, "") if other is not passage else ""
        number = random.randrange(len(claims))
        claim = _cut(passage.contexts[asked], claims[number])
        said = _Said("parallel", claim, elsewhere, passage.contexts[read], places[number], asked, read)
        return self._claim(random, said)

    def _of_quoted(self, random: Random) -> Example | None:
        """A sentence of a text, and the text."""
        item, other = self._quoted.draw(random), self._quoted.draw(random)
        sentences = self._sentences(item.text, item.read)
        if not sentences:
            return None
        place = random.choice(sentences)
        elsewhere = other.text if other.read == item.read and other.text != item.text else ""
        said = _Said("quoted", _cut(item.text, place), elsewhere, item.text, place, item.read, item.read)
        return self._claim(random, said)

    def _claim(self, random: Random, said: _Said) -> Example | None:
        """A sentence, changed or not, with the text that says what it says."""
        (change,) = random.choices(list(_CHANGES), list(_CHANGES.values()))
        if len(said.claim) < _SHORTEST:
            return None
        changed = self._changed(random, change, said)
        if changed is None or (changed == said.claim and change not in {"said", "removed"}):
            return None
        example = Example(
            f"{said.kind} {change}",
            changed,
            said.text,
            said.place,
            said.asked,
            said.read,
            verdicts=_MEANT.get(change, _WRONG),
        )
        if change == "removed":
            before, after = said.text[: said.place.start], said.text[said.place.end :]
            one_side = random.random() < _ONE_SIDE
            rest = max(before, after, key=len) if one_side else f"{before.rstrip()} {after.lstrip()}"
            if len(rest.strip()) < _SHORTEST:
                return None
            return self._windows.cut(
                random, replace(example, window=rest.strip(), answer=None), largest=_LARGEST
            )
        return replace(self._windows.cut(random, example, largest=_LARGEST), answer=None)

    def _changed(self, random: Random, change: str, said: _Said) -> str | None:
        """The claim after a change of _CHANGES; None where it does not allow it."""
        claim, language = said.claim, said.asked
        if change in {"elsewhere", "half"}:
            places = self._sentences(said.elsewhere, language) if said.elsewhere else []
            other = _cut(said.elsewhere, random.choice(places)) if places else ""
            other = "" if other in said.text else other  # texts of one kind share sentences
            changed = (other if change == "elsewhere" else f"{claim} {other}") if other else None
        elif change == "shortened":
            cuts = [m.start() for m in _CLAUSE.finditer(claim) if 25 <= m.start() <= len(claim) - 15]
            changed = claim[: random.choice(cuts)] if cuts else None
        elif change == "number":
            changed = _other_number(random, claim)
        elif change in {"name", "reversed"}:
            changed = self._renamed(random, claim, language, swapped=change == "reversed")
        elif change == "turned":
            changed = turned(claim, language)
        elif change in {"denied", "asked"}:
            changed = wrapped(random, claim, language, change) if language in LANGUAGES else None
        elif change == "idle":
            changed = idle(random, language) if language in LANGUAGES else None
        else:
            changed = claim
        return changed

    def _renamed(self, random: Random, claim: str, language: str, *, swapped: bool) -> str | None:
        """The claim with another name in the place of one, or with two of its names in each other's place."""
        names = names_in({language: claim}, language)
        known = self._names.setdefault(language, [])
        others = [name for name in known if name.casefold() not in claim.casefold()]
        known += [name.text for name in names]
        del known[:-400]
        if swapped and len(names) > 1:
            first, second = sorted(random.sample(names, 2), key=lambda name: name.start)
            if first.text == second.text:
                return None
            between = claim[first.end : second.start]
            return claim[: first.start] + second.text + between + first.text + claim[second.end :]
        if swapped or not names or not others:
            return None
        name = random.choice(names)
        return claim[: name.start] + random.choice(others) + claim[name.end :]

    def _of_answer(self, random: Random) -> Example | None:
        """A question with its answer, or with something else that stands in the text or near it."""
        item = self._answered.draw(random)
        place = item.answers[0]
        answer = item.text[place.start : place.end]
        example = Example("answer", f"{item.question} {answer}", item.text, place, item.asked, item.read)
        chance = random.random()
        if chance < 0.45:
            return replace(
                self._windows.cut(random, example, largest=_LARGEST), answer=None, verdicts=(SUPPORTED,)
            )
        if chance < 0.6:
            other = self._answered.draw(random)
            if other.read != item.read or answer.casefold() in other.text.casefold():
                return None
            example = replace(
                example, kind="answer elsewhere", window=other.text, answer=None, verdicts=(NEITHER,)
            )
            return self._windows.cut(random, example, largest=_LARGEST)
        wrong = self._wrong(random, item, answer)
        if wrong is None:
            return None
        example = replace(example, kind="answer wrong", question=f"{item.question} {wrong}", verdicts=_WRONG)
        return replace(self._windows.cut(random, example, largest=_LARGEST), answer=None)

    def _wrong(self, random: Random, item: Item, answer: str) -> str | None:
        """Another answer that could stand there: another number, or what answers another question about the text."""
        if _NUMBER.search(answer) and random.random() < 0.5:
            numbers = [n for n in _NUMBER.findall(item.text) if n not in answer]
            number = random.choice(_NUMBER.findall(answer))
            return (
                answer.replace(number, random.choice(numbers), 1)
                if numbers
                else _other_number(random, answer)
            )
        others = [
            text
            for other in self._of_text[item.text]
            for text in [other.text[other.answers[0].start : other.answers[0].end]]
            if other.question != item.question and not _meet(text, item)
        ]
        return random.choice(others) if others else None

    def _sentences(self, text: str, language: str) -> list[Place]:
        return [Place(start, end) for start, end, _ in self._windows.sentences(text, language)]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Weighted(Generic[T]):
    """Entries, and the sums of their weights up to each."""

    entries: Sequence[T]
    reach: Sequence[float]

    @classmethod
    def of(cls, entries: Sequence[T], weights: Iterable[float]) -> _Weighted[T]:
        return cls(entries, list(accumulate(weights)))

    def draw(self, random: Random) -> T:
        return random.choices(self.entries, cum_weights=self.reach)[0]


def _weights_of(judged: Sequence[Judged], kind: str) -> list[float]:
    """Of each claim of a kind: its file's weight, shared by the file's claims."""
    own = [each for each in judged if each.kind.startswith(kind + " ")]
    counts: dict[str, int] = {}
    for each in own:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    return [FILES[kind][each.kind.partition(" ")[2]] / counts[each.kind] for each in own]


def _language(random: Random, passage: Paragraph) -> str:
    names = sorted(passage.contexts)
    return random.choices(names, [_LANGUAGES.get(name, 0.7) for name in names])[0]


def _cut(text: str, place: Place) -> str:
    return text[place.start : place.end]


def _other_number(random: Random, text: str) -> str | None:
    return ask_of_another(random, {"": text}, "", ()) if regex.search(r"[0-9]", text) else None


def _meet(text: str, item: Item) -> bool:
    """Whether a text shares a word with any answer of an item."""
    words = set(text.casefold().split())
    return any(words & set(item.text[a.start : a.end].casefold().split()) for a in item.answers)
