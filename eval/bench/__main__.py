"""`python -m eval.bench FOLDER`: measure, and write the report as JSON and Markdown.

Each part is measured in a process of its own and noted when it is done: a run that is stopped goes on where it was
when it is started again with the same options and `--work`.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from eval.bench.machine import describe
from eval.bench.processes import measure
from eval.bench.recipes import recipe_missing
from eval.bench.starts import starts
from eval.bench.texts import languages_of, passages, questions, read_all
from index.errors import PolyciteError, UsageError

PARTS = ("indexing", "answering", "start")
_QUICK = {"sizes": (100,), "passages": 26, "asked": 13, "rounds": 1}


class _Journal:
    """What was measured so far, in a file: asked for again, it is not measured again."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self._path = path
        # As JSON has it, so that what is read compares equal.
        self._options = json.loads(json.dumps(options))
        self._done: dict[str, Any] = {}
        if path.is_file():
            known = json.loads(path.read_text(encoding="utf-8"))
            if known["options"] == self._options:
                self._done = known["done"]

    def once(self, name: str, measuring: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The finding of this name; measured when there is none yet."""
        if name not in self._done:
            started = time.monotonic()
            _say(f"{name} ...")
            self._done[name] = measuring()
            self._path.write_text(
                json.dumps({"options": self._options, "done": self._done}), encoding="utf-8"
            )
            _say(f"{name} done, {time.monotonic() - started:,.0f} s")
        found: dict[str, Any] = self._done[name]
        return found


def _say(text: str) -> None:
    click.echo(text, err=True)


def bench(options: Mapping[str, Any], work: Path) -> dict[str, Any]:
    """The report: "machine", "options", and a finding for each part that was asked for."""
    journal = _Journal(work / "journal.json", options)
    report: dict[str, Any] = {"options": options, "machine": journal.once("machine", describe)}
    folder = Path(options["folder"])
    if "indexing" in options["parts"]:
        report["indexing"] = _indexing(options, folder, work, journal)
    if {"answering", "start"} & set(options["parts"]):
        report |= _answering(options, folder, work, journal)
    return report


def _indexing(options: Mapping[str, Any], folder: Path, work: Path, journal: _Journal) -> dict[str, Any]:
    files = work / "passages"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    for name, text in passages(read_all(folder, options["languages"]), options["passages"]).items():
        (files / f"{name}.txt").write_text(text, encoding="utf-8")
    found: dict[str, Any] = {"ways": {}, "missing": {}}
    for way in options["ways"]:
        missing = _missing(way)
        if missing is not None:
            found["missing"][way] = missing
            _say(f"indexing, {way}: {missing}")
            continue
        rounds = [
            journal.once(f"indexing, {way}, {number + 1}", lambda way=way: _index(way, files, work))  # type: ignore[misc]
            for number in range(options["rounds"])
        ]
        found["ways"][way] = min(rounds, key=lambda each: each["seconds"])
    found["files"] = sum(1 for _ in files.glob("*.txt"))
    found["tokens"] = journal.once("tokens", lambda: _tokens(files, work))["tokens"]
    return found


def _missing(way: str) -> str | None:
    return recipe_missing() if way == "recipe" else None


def _index(way: str, files: Path, work: Path) -> dict[str, Any]:
    place = work / f"index-{way}"
    shutil.rmtree(place, ignore_errors=True)
    given = {"way": way, "folder": str(files), "work": str(place), "models": str(work / "models")}
    return measure("eval.bench.indexing", given)


def _tokens(files: Path, work: Path) -> dict[str, Any]:
    return measure("eval.bench.tokens", {"folder": str(files), "models": str(work / "models")})


def _answering(options: Mapping[str, Any], folder: Path, work: Path, journal: _Journal) -> dict[str, Any]:
    asked = questions(read_all(folder, options["languages"]), options["asked"])
    report: dict[str, Any] = {"answering": {}}
    smaller = None
    for size in sorted(options["sizes"]):
        data_dir = work / f"chunks-{size}"
        given = {
            "data_dir": str(data_dir),
            "smaller": smaller,
            "folder": str(folder),
            "languages": options["languages"],
            "chunks": size,
            "models": str(work / "models"),
        }
        counts = journal.once(
            f"corpus of {size}",
            lambda given=given: measure("eval.bench.corpora", given),  # type: ignore[misc]
        )
        if counts["chunks"] > counts["real"]:  # it holds every article
            smaller = smaller or str(data_dir)
        if "answering" in options["parts"]:
            given = {"data_dir": str(data_dir), "questions": asked, "reader": options["reader"]}
            found = journal.once(
                f"answering over {size}",
                lambda given=given: measure("eval.bench.answering", given),  # type: ignore[misc]
            )
            report["answering"][str(size)] = {**found, "corpus": counts}
    if "start" in options["parts"]:
        smallest = work / f"chunks-{min(options['sizes'])}"
        report["start"] = journal.once("start", lambda: starts(smallest, asked[0], rounds=options["rounds"]))
    return report if "answering" in options["parts"] else {"start": report["start"]}


@contextmanager
def _work(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="polycite-bench-") as temporary:
        yield Path(temporary)


def _numbers(_ctx: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in value.split(",")}))
    except ValueError as error:
        raise click.BadParameter("give numbers between commas, such as 100,10000") from error


def _listed(allowed: Sequence[str]) -> Callable[..., tuple[str, ...]]:
    def read(_ctx: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
        given = tuple(part.strip() for part in value.split(",") if part.strip())
        if allowed and (unknown := sorted(set(given) - set(allowed))):
            raise click.BadParameter(f"{', '.join(unknown)}: allowed are {', '.join(allowed)}")
        return given

    return read


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--quick", is_flag=True, help="A check of the command in a minute or two; its figures mean little."
)
@click.option("--parts", default=",".join(PARTS), show_default=True, callback=_listed(PARTS))
@click.option("--languages", default="", callback=_listed(()), help="Default: every xquad.LL.json of FOLDER.")
@click.option("--sizes", default="100,10000,100000", show_default=True, callback=_numbers, help="In chunks.")
@click.option("--passages", default=390, show_default=True, help="Passages that are indexed.")
@click.option(
    "--questions",
    "asked",
    default=120,
    show_default=True,
    help="Questions asked of each corpus; the first half only warms it.",
)
@click.option(
    "--rounds", default=2, show_default=True, help="Rounds of indexing and of starts; the best counts."
)
@click.option(
    "--ways",
    default="polycite,recipe,engine",
    show_default=True,
    callback=_listed(("polycite", "recipe", "engine")),
    help="Ways of indexing.",
)
@click.option("--reader/--no-reader", default=True, show_default=True, help="Answers with the reader too.")
@click.option("--work", type=click.Path(path_type=Path), help="Corpora and what was measured are kept here.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the report there as JSON.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path), help="And there as Markdown.")
def main(
    folder: Path,
    quick: bool,
    work: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
    **options: Any,
) -> None:
    """Measure indexing, answering and starting on the xquad.LL.json files of FOLDER."""
    if quick:
        options |= _QUICK
    if options["asked"] < 2:
        raise UsageError("--questions must be at least 2: the first half warms up")
    options["folder"] = str(folder.resolve())
    options["languages"] = options["languages"] or tuple(languages_of(folder))
    with _work(work) as place:
        report = bench(options, place)
    from eval.bench.markdown import markdown  # numpy and the rest, which no measurement may inherit

    text = markdown(report)
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if markdown_file is not None:
        markdown_file.write_text(text, encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    try:
        main()
    except PolyciteError as error:
        _say(f"eval.bench: {error}")
        sys.exit(2 if isinstance(error, UsageError) else 1)
