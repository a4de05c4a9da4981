"""Whether questions in Latin letters find their passage in a language with another script, on public questions.

    python -m eval.studies.romanised DATA [--questions 80] [--passages 150] [--json FILE]

DATA is a folder like ../shared/data. Questions of XQuAD in Hindi and of Bengali newspapers are romanised by `uroman`
(`pip install polycite[studies]`), letter by letter and as people type it, without doubled letters. The share whose own
passage is the nearest of all by the bundled encoder: as the question stands in its script; in Latin letters; and spelt
again by the words of the passages (`index.language.respelling`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eval.studies.languages import SEED, in_latin
from index.embedder import Embedder, load_embedder
from index.language.respelling import respelt
from index.language.terms import split_words
from index.settings import IndexSettings

# Code points of a passage that are embedded: newspaper articles are longer than what the encoder reads.
_PASSAGE = 700


def pairs(data: Path, language: str, count: int) -> list[tuple[str, str]]:
    """Questions with their passages, each passage once, in a fixed order that is mixed."""
    if language == "hi":
        articles = json.loads((data / "xquad-dev" / "xquad.hi.json").read_text(encoding="utf-8"))["data"]
        found = [(p["qas"][0]["question"], p["context"]) for a in articles for p in a["paragraphs"]]
    else:
        with gzip.open(data / "qa/train/bn_haque2020.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        # One question a passage, and those of a few words left out, which any article answers.
        by_passage = {r["context"]: r["question"] for r in rows if len(r["question"].split()) > 4}
        found = [(question, passage) for passage, question in by_passage.items()]
    random.Random(SEED).shuffle(found)  # noqa: S311
    return [(question, passage[:_PASSAGE]) for question, passage in found[:count]]


def as_typed(text: str) -> str:
    """A romanisation of uroman's as people type it: vowels once, one letter for t, d and n."""
    return re.sub(r"([aiu])\1+", r"\1", re.sub(r"(tt|dd|nn)(?=[aeiouhr])", lambda m: m.group()[0], text))


def first(
    embedder: Embedder, questions: Sequence[str], passages: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> float:
    """The share of questions whose own passage, the one at their place, is the nearest."""
    nearest = (embedder.embed_queries(questions) @ passages.T).argmax(axis=1)
    return float(np.mean(nearest == np.arange(len(questions))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both languages and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.studies.romanised", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=80)
    parser.add_argument("--passages", type=int, default=150)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args(arguments)
    embedder = load_embedder(IndexSettings())
    figures: dict[str, dict[str, float]] = {}
    print("| questions | own script | letters | spelt again | as typed | spelt again |")  # noqa: T201
    print("|---|---|---|---|---|---|", flush=True)  # noqa: T201
    for language in ("hi", "bn"):
        found = pairs(options.data, language, options.passages)
        passages = embedder.embed_passages([passage for _, passage in found])
        words = [word for _, passage in found for word in split_words(passage)]
        asked = [question for question, _ in found[: options.questions]]
        letters = in_latin(asked)
        ways = {"in its script": asked, "letters": letters, "as typed": list(map(as_typed, letters))}
        for name in ("letters", "as typed"):
            ways[f"{name}, spelt again"] = [respelt(text, language, words) for text in ways[name]]
        figures[language] = {name: round(first(embedder, texts, passages), 4) for name, texts in ways.items()}
        order = ("in its script", "letters", "letters, spelt again", "as typed", "as typed, spelt again")
        cells = " | ".join(f"{figures[language][name]:.3f}" for name in order)
        print(f"| {language} | {cells} |", flush=True)  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
