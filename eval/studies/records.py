"""Near-identical records: how often a question for one of them is answered by another.

    python -m eval.studies.records WORK [--records 1000] [--ask 1000] [--show N]

Records in five languages, a document each, differ in a code, a date, a name and two amounts alone (`records.toml`).
Each question names one of the three and is right where the answer is not refused and its first quote is of that
record. WORK keeps the index. The command fails below `_LEAST`.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import gcd
from pathlib import Path
from typing import Any

from babel.dates import format_date

from index.settings import IndexSettings
from index.upkeep import make_index
from rag.asking import Ask
from rag.assistant import Assistant
from rag.settings import RagSettings

KINDS = ("code", "date", "name")
_LEAST = 0.98
_FIRST_DAY = date(2021, 1, 4)
_TABLE = Path(__file__).with_name("records.toml")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for one record, by its file's name."""

    language: str
    kind: str
    question: str
    path: str


def records(count: int) -> Iterator[tuple[str, str, list[Asked]]]:
    """`count` records, the languages in turn: a file's name, its text, and a question of each kind."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(_TABLE.read_text("utf-8"))
    for place in range(count):
        language = list(tables)[place % len(tables)]
        table, number = tables[language], place // len(tables)
        values = {
            # Neighbours differ in one figure.
            "code": f"{1 + number // 40}-{1 + number // 8 % 5}-{1 + number % 8}",
            "date": format_date(_FIRST_DAY + timedelta(days=number), "long", locale=language),
            "name": f"{table['first'][number % 15]} {table['last'][(number // 15 + number) % 15]}",
            "amount": 10 + number * 7 % 13,
            "count": 100 + number * 37 % 811,
        }
        path = f"{language}-{number:03}.txt"
        asked = [
            Asked(language, kind, question.format(**values), path)
            for kind, question in zip(KINDS, table["questions"], strict=True)
        ]
        yield path, f"{table['title']}\n\n{table['text']}".format(**values), asked


def measure(assistant: Assistant, asked: Sequence[Asked]) -> Iterator[tuple[Asked, list[str]]]:
    """Each question with the files that its answer cites, in order; none where it is refused."""
    paths = {info.id: info.path for info in assistant.corpus.documents()}
    for each in asked:
        answer = assistant.answer(Ask(each.question))
        yield each, [] if answer.refused else [paths[cited.document_id] for cited in answer.citations]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.studies.records", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--ask", type=int, default=1000, help="so many questions, spread over all")
    parser.add_argument("--show", type=int, default=0, help="also list so many that went wrong")
    options = parser.parse_args(arguments)
    folder: Path = options.work / "records"
    folder.mkdir(parents=True, exist_ok=True)
    every: list[Asked] = []
    for path, text, asked in records(options.records):
        (folder / path).write_text(text, "utf-8")
        every += asked
    settings = IndexSettings(data_dir=options.work / "data", _env_file=None)
    make_index(settings, [folder])
    step = max(1, len(every) // options.ask)
    while gcd(step, len(every)) != 1:  # so that each kind and language comes in turn
        step += 1
    chosen = [every[place * step % len(every)] for place in range(min(options.ask, len(every)))]
    with Assistant.open(RagSettings(index=settings, _env_file=None)) as assistant:
        found = [(each, cited) for each, cited in measure(assistant, chosen)]
    right = {each: cited[:1] == [each.path] for each, cited in found}
    print("| language | " + " | ".join(KINDS) + " |\n|---|---:|---:|---:|")  # noqa: T201
    for language in dict.fromkeys(each.language for each in right):
        cells = (_share(right, language, kind) for kind in KINDS)
        print(f"| {language} | {' | '.join(cells)} |")  # noqa: T201
    share = sum(right.values()) / len(right)
    alone = sum(set(cited) == {each.path} for each, cited in found) / len(right)
    print(f"all {len(right)} questions: {share:.3f}; of that record alone: {alone:.3f}")  # noqa: T201
    for each, cited in [pair for pair in found if not right[pair[0]]][: options.show]:
        print(each.question, each.path, cited, sep="\t")  # noqa: T201
    return 0 if share >= _LEAST else 1


def _share(right: dict[Asked, bool], language: str, kind: str) -> str:
    of_kind = [good for each, good in right.items() if (each.language, each.kind) == (language, kind)]
    return f"{sum(of_kind) / len(of_kind):.3f}" if of_kind else ""


if __name__ == "__main__":
    sys.exit(main())
