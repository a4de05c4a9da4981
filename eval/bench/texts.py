"""The passages and questions of a benchmark, from SQuAD-format files named xquad.LL.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.squad import SquadFile, read_squad
from index.errors import UsageError


def languages_of(folder: Path) -> list[str]:
    """The languages that a folder has files for.

    Raises:
        UsageError: there is none.
    """
    found = sorted(path.name.split(".")[1] for path in folder.glob("xquad.*.json"))
    if not found:
        raise UsageError(f"{folder} holds no file named xquad.LL.json: give the folder of XQuAD's files")
    return found


def read_all(folder: Path, languages: Sequence[str]) -> dict[str, SquadFile]:
    """The files of some languages, by language."""
    return {language: read_squad(folder / f"xquad.{language}.json") for language in languages}


def passages(files: dict[str, SquadFile], count: int) -> dict[str, str]:
    """`count` paragraphs by name, the same number from each language, spread evenly over its file."""
    found = {}
    for position, (language, file) in enumerate(files.items()):
        share = count * (position + 1) // len(files) - count * position // len(files)
        paragraphs = file.paragraphs
        step = max(1, len(paragraphs) // max(1, share))
        for number, text in enumerate(paragraphs[::step][:share]):
            found[f"{language}-{number:04d}"] = text
    return found


def articles(files: dict[str, SquadFile]) -> dict[str, str]:
    """Every article by name."""
    return {
        f"{language}-{number:03d}": article.text
        for language, file in files.items()
        for number, article in enumerate(file.articles)
        if article.text
    }


def questions(files: dict[str, SquadFile], count: int) -> list[str]:
    """`count` questions, the languages in turn, spread evenly over each file; no two are the same."""
    share = -(-count // len(files))
    columns = []
    for file in files.values():
        asked = list(dict.fromkeys(case.question for case in file.questions.values()))
        columns.append(asked[:: max(1, len(asked) // share)][:share])
    turns = [question for row in zip(*columns, strict=False) for question in row]
    return list(dict.fromkeys(turns))[:count]
