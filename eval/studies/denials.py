"""How often an answerable question would be told that the documents say nothing of a name or number in it.

    python -m eval.studies.denials DATA [--show N]

DATA is a folder like ../shared/data. Questions of XQuAD in languages that write names with capitals are asked of its
paragraphs in each language: `missing`, of whose names or numbers the right paragraph holds half or less; `nothing`,
none of a name's words; `absent`, what would be said to stand in no document (`rag.matching.absent`), all paragraphs of
the language being the documents. Each is a share of the questions; the last should be 0.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.language.quantities import numbers_held
from index.language.terms import sound_keys, word_terms
from rag.matching.absent import Frequencies, absent, positions_of
from rag.matching.lexical import wanted
from rag.matching.matcher import Matcher
from rag.question import analyse

_ASKED = ("en", "vi", "sv")
_HELD = ("en", "vi", "sv", "hi")


@dataclass(slots=True)
class Denials:
    """What questions of one language would be told of paragraphs of another.

    Attributes:
        questions: answerable ones.
        missing, nothing: those with a name or number of which half or less, or nothing, is held.
        absent: what would be said to stand in no document, with how often.
    """

    questions: int = 0
    missing: int = 0
    nothing: int = 0
    absent: Counter[str] = field(default_factory=Counter)


def read(data: Path, language: str) -> dict[str, tuple[str, str]]:
    """XQuAD's questions with their paragraphs, by identifier; those that the language lacks are left out."""
    path = data / "xquad-dev" / f"xquad.{language}.json"
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return {
        qa["id"]: (qa["question"], paragraph["context"])
        for article in articles
        for paragraph in article["paragraphs"]
        if paragraph["context"]
        for qa in paragraph["qas"]
    }


def counted(texts: Collection[str], language: str) -> Frequencies:
    """Counts of words and sounds in these texts, as an index of them would have."""
    counts: Counter[tuple[str, str]] = Counter()
    for text in texts:
        counts.update({("words", word) for word in word_terms(text)})
        counts.update({("keys", key) for key in sound_keys(text, language)})
    return lambda asked: {term: counts[term] for term in asked}


def measure(
    asked: Mapping[str, tuple[str, str]], held: Mapping[str, tuple[str, str]], languages: tuple[str, str]
) -> Denials:
    """Ask the questions of one language of the paragraphs of another."""
    found = Denials()
    frequencies = counted({text for _, text in held.values()}, languages[1])
    for key, (text, _) in asked.items():
        if key not in held:
            continue
        found.questions += 1
        question = analyse(text, language=languages[0])
        terms, paragraph = wanted(question), held[key][1]
        positions = Matcher(terms).positions([paragraph], languages[1])
        digits = numbers_held(paragraph, languages[1])
        shares = [
            sum(position in positions for position in places) / len(places)
            for name in question.names
            if (places := positions_of(name, terms))
        ]
        unheld = bool(question.numbers.difference(digits))
        found.missing += unheld or any(share <= 1 / 2 for share in shares)
        found.nothing += unheld or 0.0 in shares
        told = absent(
            question, terms, held=positions, digits=digits, language=languages[1], frequencies=frequencies
        )
        found.absent.update(told[:1])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every pair of languages and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.studies.denials", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--show", type=int, default=0, help="also list so many that would be denied")
    options = parser.parse_args(arguments)
    rows = {language: read(options.data, language) for language in _HELD}
    print("| asked | documents | questions | missing | nothing | absent |\n|---|---|---|---|---|---|")  # noqa: T201
    for asked in _ASKED:
        for held in _HELD:
            found = measure(rows[asked], rows[held], (asked, held))
            shares = (found.missing, found.nothing, found.absent.total())
            cells = " | ".join(f"{count / found.questions:.3f}" for count in shares)
            print(f"| {asked} | {held} | {found.questions} | {cells} |", flush=True)  # noqa: T201
            for name, count in found.absent.most_common(options.show):
                print("   ", count, name, sep="\t")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
