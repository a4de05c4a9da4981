"""The options of `rag eval`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from index.errors import UsageError
from rag import engines

_FILE = click.Path(dir_okay=False, path_type=Path)
_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_ANY = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said."""

    gold: Path | None
    documents: Path | None
    live: bool
    url: str | None
    engine: str | None
    languages: tuple[str, ...]
    tags: tuple[str, ...]
    squad: tuple[Path, ...]
    questions: tuple[Path, ...]
    pool: bool
    nomiracl: tuple[Path, ...]
    swefaq: Path | None
    limit: int | None
    seed: int
    work: Path | None
    gate: bool
    thresholds: Path | None
    baseline: Path | None
    write_baseline: bool
    json_file: Path | None
    junit: Path | None
    markdown: Path | None
    html: Path | None
    worst: int
    add: bool
    from_feedback: Path | None
    drafts: Path


_Command = Callable[..., None]
_OPTIONS: tuple[Callable[[_Command], _Command], ...] = (
    click.option(
        "--gold", type=_ANY, help="A .jsonl file of cases, or a folder of them; default: the shipped set."
    ),
    click.option(
        "--documents",
        type=_FOLDER,
        help="Ask about the files of this folder; default: the shipped documents.",
    ),
    click.option("--live", is_flag=True, help="Ask about what is indexed in the data directory."),
    click.option("--url", metavar="URL", help="Ask a running server."),
    click.option("--engine", type=click.Choice(engines.names()), help="Who writes the answers."),
    click.option(
        "-l",
        "--language",
        "languages",
        multiple=True,
        metavar="CODE",
        help="Only questions in this language; repeatable.",
    ),
    click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only cases with this tag; repeatable."),
    click.option(
        "--squad", multiple=True, type=_READABLE, metavar="FILE", help="Contexts in SQuAD format; repeatable."
    ),
    click.option(
        "--questions",
        multiple=True,
        type=_READABLE,
        metavar="FILE",
        help="Their questions, maybe in other languages, joined by id; repeatable.",
    ),
    click.option("--pool", is_flag=True, help="With --squad: all contexts in one index."),
    click.option(
        "--nomiracl",
        multiple=True,
        type=_READABLE,
        metavar="FILE",
        help="Questions with their own passages, answerable or not; repeatable.",
    ),
    click.option("--swefaq", type=_READABLE, metavar="FILE", help="Questions and answers with page URLs."),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        help="Public data: questions of each pair of languages or file.",
    ),
    click.option(
        "--seed",
        type=int,
        default=0,
        show_default=True,
        help="Of the sample that --limit draws and of the resampling.",
    ),
    click.option(
        "--work",
        type=click.Path(file_okay=False, path_type=Path),
        help="Public data: keep indexes and answers here, to go on after a stop; default: eval/ in the data directory.",
    ),
    click.option("--gate", is_flag=True, help="Exit with 1 when a threshold falls short."),
    click.option("--thresholds", type=_FILE, help="Default: eval/thresholds.toml."),
    click.option(
        "--baseline", type=_FILE, help="The run to compare with; default: eval/baseline.json, where it fits."
    ),
    click.option("--write-baseline", is_flag=True, help="Make this run the baseline."),
    click.option("--json", "json_file", type=_FILE, help="Write everything that was measured."),
    click.option("--junit", type=_FILE, help="Write the gates as JUnit XML."),
    click.option("--markdown", type=_FILE, help="Write a summary; also appended to $GITHUB_STEP_SUMMARY."),
    click.option("--html", type=_FILE, help="Write a page with charts and the worst cases."),
    click.option(
        "--worst",
        type=click.IntRange(min=0),
        default=5,
        show_default=True,
        help="How many of the worst cases to print.",
    ),
    click.option("--add", is_flag=True, help="Ask for the fields of a new case and add it to --gold FILE."),
    click.option(
        "--from-feedback", type=_READABLE, metavar="FILE", help="Make draft cases of rated answers."
    ),
    click.option(
        "--drafts",
        type=_FILE,
        default=Path("drafts.jsonl"),
        show_default=True,
        help="Where --from-feedback writes them.",
    ),
)


def with_options(command: _Command) -> _Command:
    """A command with all of them, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check(options: Options) -> None:
    """Refuse options that do not go together, before anything slow is loaded."""
    given = [name for name in ("documents", "live", "url") if getattr(options, name)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other: ask about one set of documents")
    data = [name for name in ("gold", "squad", "nomiracl", "swefaq") if getattr(options, name)]
    if len(data) > 1:
        raise UsageError(f"--{data[0]} and --{data[1]} exclude each other: run them one after the other")
    if bool(options.squad) != bool(options.questions):
        raise UsageError(
            "--squad CONTEXTS and --questions QUESTIONS belong together; they may be the same file"
        )
    if options.pool and not options.squad:
        raise UsageError("--pool puts the contexts of --squad into one index: give --squad and --questions")
    if is_public(options) and given:
        raise UsageError(f"public data brings its own documents: leave out --{given[0]}")
    if not is_public(options) and (options.limit or options.work):
        raise UsageError(
            "--limit and --work are for public data; choose gold cases with --language and --tag"
        )


def is_public(options: Options) -> bool:
    """Whether public data is asked for, not the gold set."""
    return bool(options.squad or options.nomiracl or options.swefaq)
