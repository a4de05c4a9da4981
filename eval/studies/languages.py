"""Whether the language of a short question is told, on public questions.

    python -m eval.studies.languages DATA [--each 300] [--wrong N] [--json FILE]

DATA is a folder like ../shared/data. Each question is cut to its first one to four words, in each language as it
stands;
for Vietnamese and Swedish also without diacritics; for Hindi and Bengali also in Latin letters as `uroman` writes them
(`pip install polycite[studies]`). The share told right. A name alone ("Denver ...") tells nothing: no method reaches 1.
German, Spanish, Turkish and Romanian have no table: they show what leaning towards the languages with one costs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from index.language.detection import detect

SEED = 7
_CUTS = (1, 2, 3, 4, None)
_LOCAL = {"bn": "qa/train/bn_haque2020.jsonl.gz"}
_LANGUAGES = ("en", "sv", "vi", "hi", "bn", "de", "es", "tr", "ro")
_WITHOUT_MARKS = ("vi", "sv")
_IN_LATIN = ("hi", "bn")


def questions(data: Path, language: str) -> list[str]:
    """Return the distinct questions of a language, in a fixed order that is mixed."""
    if language in _LOCAL:
        with gzip.open(data / _LOCAL[language], "rt", encoding="utf-8") as file:
            found = [json.loads(line)["question"] for line in file]
    else:
        path = data / "xquad-dev" / f"xquad.{language}.json"
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        found = [qa["question"] for a in articles for p in a["paragraphs"] for qa in p["qas"]]
    found = sorted(set(found))
    random.Random(SEED).shuffle(found)  # noqa: S311
    return found


def without_marks(text: str) -> str:
    """Return Latin letters without diacritics, as people type them in a hurry."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def in_latin(texts: Sequence[str]) -> list[str]:
    """Return texts romanised by uroman (Hermjakob, May and Knight 2018)."""
    try:
        from uroman import Uroman  # optional: the extra `studies`
    except ImportError as error:
        raise SystemExit("uroman is missing: pip install 'polycite[studies]'") from error
    uroman = Uroman()
    return [str(uroman.romanize_string(text)).lower() for text in texts]


def cut(text: str, words: int | None) -> str:
    """Return the first words of a question; None: all."""
    return text if words is None else " ".join(text.split()[:words])


def share(
    texts: Iterable[str], language: str, tell: Callable[[str], str]
) -> tuple[float, list[tuple[str, str]]]:
    """Return the share of texts that are told right, and the others with what they were taken for."""
    told = [(text, tell(text)) for text in texts]
    wrong = [(text, found) for text, found in told if found != language]
    return 1 - len(wrong) / len(told), wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.studies.languages", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=300, help="questions a language")
    parser.add_argument("--wrong", type=int, default=0, help="also list so many that were told wrong")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args(arguments)
    rows = {language: questions(options.data, language)[: options.each] for language in _LANGUAGES}
    written = {(language, "as it stands"): texts for language, texts in rows.items()}
    written |= {(code, "no diacritics"): list(map(without_marks, rows[code])) for code in _WITHOUT_MARKS}
    written |= {(code, "in Latin letters"): in_latin(rows[code]) for code in _IN_LATIN}
    figures = {}
    print("| language | written | 1 word | 2 | 3 | 4 | all |\n|---|---|---|---|---|---|---|")  # noqa: T201
    start, asked = time.process_time(), 0
    for (language, how), texts in written.items():
        found = {str(words): share([cut(text, words) for text in texts], language, detect) for words in _CUTS}
        asked += len(_CUTS) * len(texts)
        figures[f"{language} {how}"] = {words: round(right, 4) for words, (right, _) in found.items()}
        cells = " | ".join(f"{right:.3f}" for right, _ in found.values())
        print(f"| {language} | {how} | {cells} |", flush=True)  # noqa: T201
        for words in found:
            for text, taken in found[words][1][: options.wrong]:
                print("   ", words, taken, text, sep="\t")  # noqa: T201
    took = 1000 * (time.process_time() - start) / asked
    print(f"{took:.2f} ms a text")  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
