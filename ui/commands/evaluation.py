"""`rag eval`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from index.errors import UsageError, WorkError
from ui.commands.evaluation_options import Options, check, is_public, with_options

if TYPE_CHECKING:
    from eval.baseline import Baseline
    from eval.gate import Thresholds
    from eval.harness import Done
    from eval.records import Case, Report
    from eval.suites import Suite
    from eval.target import Target
    from index.embedder import Embedder
    from index.settings import IndexSettings
    from rag.settings import RagSettings


class _Common(TypedDict):
    """What every suite of public data is built with."""

    work: Path
    embedder: Embedder
    settings: IndexSettings
    limit: int | None
    seed: int
    progress: Callable[[str, int, int], None]


@click.command(name="eval")
@with_options
@click.pass_context
def evaluate(ctx: click.Context, /, **given: Any) -> None:
    """Measure the assistant: on the gold set, or on public data.

    Without options: every case of the gold set over the shipped documents, in an index of their own. Prints tables
    with 95 % intervals, and what moved against the baseline.

    Exit codes: 0 done; 1 a question failed or, with --gate, a threshold fell short; 2 wrong usage, a malformed case
    or file, an empty set.
    """
    options = Options(**given)
    check(options)
    if options.add:
        _add(options)
        return
    if options.from_feedback is not None:
        _drafts(options.from_feedback, options.drafts)
        return
    from rag.settings import load_settings

    settings = load_settings()
    thresholds = _thresholds(options)
    done = _public(settings, options) if is_public(options) else _gold(settings, options)
    report = _report(done, options, thresholds)
    if thresholds is not None:
        from dataclasses import replace

        from eval import gate

        report = replace(report, gates=gate.gates(report, thresholds))
    _write(report, options)
    failed = any(record.error is not None for record in report.records)
    ctx.exit(1 if failed or not all(one.passed for one in report.gates) else 0)


def _thresholds(options: Options) -> Thresholds | None:
    if not options.gate:
        return None
    from eval.gate import read_thresholds
    from eval.harness import THRESHOLDS

    return read_thresholds(options.thresholds or THRESHOLDS)


def _gold(settings: RagSettings, options: Options) -> Done:
    from ui.progress import counting, working

    chosen = _cases(options)
    with contextlib.ExitStack() as stack:
        with working("loading the model and the documents"):
            where, target = stack.enter_context(_target(settings, options))
        from eval import harness

        with counting("asking") as progress:
            return harness.gold(
                target,
                chosen,
                title=f"{len(chosen)} gold cases over {where}",
                engine=options.engine,
                seed=options.seed,
                progress=lambda done, total: progress("asking", done, total),
            )


def _cases(options: Options) -> list[Case]:
    from eval.cases import GOLD, read_cases

    path = options.gold or GOLD
    found = read_cases(path)
    languages, tags = set(options.languages), set(options.tags)
    chosen = [
        case
        for case in found
        if (not languages or case.language in languages) and (not tags or tags & set(case.tags))
    ]
    if not chosen:
        raise UsageError(f"none of the {len(found)} cases in {path} has that language and tag")
    return chosen


@contextlib.contextmanager
def _target(settings: RagSettings, options: Options) -> Iterator[tuple[str, Target]]:
    """What is asked, and how the report calls its documents."""
    from eval import harness

    if options.url:
        from ui.remote import RemoteAssistant

        key = settings.server_key.get_secret_value() if settings.server_key else None
        with RemoteAssistant(options.url, answer_seconds=settings.llm_timeout_s, key=key) as remote:
            yield f"the documents of {options.url}", remote
        return
    if options.live:
        with _live(settings) as target:
            yield f"the documents indexed in {settings.index.data_dir}", target
        return
    from index.embedder import load_embedder

    folder = options.documents or settings.index.seeds_dir
    where = "the shipped documents" if options.documents is None else f"the documents of {folder}"
    with harness.shipped(settings, load_embedder(settings.index), folder) as target:
        yield where, target


@contextlib.contextmanager
def _live(settings: RagSettings) -> Iterator[Target]:
    """The assistant on the data directory, or the server that owns it."""
    from index.ownership import owner

    held = owner(settings.index.data_dir)
    if held is not None and held.address is not None:
        from rag.keys import command_key
        from ui.remote import RemoteAssistant

        key = command_key(settings.index.data_dir)
        with RemoteAssistant(held.address, answer_seconds=settings.llm_timeout_s, key=key) as remote:
            yield remote
        return
    from eval.harness import opened
    from index.embedder import load_embedder
    from index.upkeep import require_index

    require_index(settings.index)
    with opened(settings, settings.index, load_embedder(settings.index)) as target:
        yield target


def _public(settings: RagSettings, options: Options) -> Done:
    from ui.progress import counting, working

    with working("loading the model"):
        from eval import harness, suites
        from index.embedder import load_embedder

        embedder = load_embedder(settings.index)
    work = options.work or harness.work_folder(settings)
    from index.ownership import own

    with own(work, purpose="rag eval"), counting("reading") as progress:
        common: _Common = {
            "work": work,
            "embedder": embedder,
            "settings": settings.index,
            "limit": options.limit,
            "seed": options.seed,
            "progress": progress,
        }
        if options.squad and options.pool:
            found: Iterable[Suite] = [suites.squad_pool(options.squad, options.questions, **common)]
            title = f"{len(options.squad)} SQuAD files in one index"
        elif options.squad:
            found = suites.squad_suites(options.squad, options.questions, **common)
            title = f"{len(options.squad)} SQuAD files, an index each"
        elif options.swefaq is not None:
            found = [suites.swefaq_suite(options.swefaq, **common)]
            title = "SweFAQ: questions over the pages of authorities"
        else:
            found = [suites.nomiracl_suite(options.nomiracl, **common)]
            title = "NoMIRACL: each question over its own passages"
        try:
            return harness.public(
                found,
                settings,
                embedder,
                title=title,
                engine=options.engine,
                seed=options.seed,
                progress=progress,
            )
        except KeyboardInterrupt as error:
            raise WorkError(f"stopped; the same command goes on where it was, from {work}") from error


def _report(done: Done, options: Options, thresholds: Thresholds | None) -> Report:
    from eval.summary import summarise

    return summarise(
        done.title,
        done.settings,
        done.records,
        seed=options.seed,
        baseline=_baseline(done, options, needed=thresholds is not None and bool(thresholds.drops)),
    )


def _baseline(done: Done, options: Options, *, needed: bool) -> Baseline | None:
    """The baseline asked for; else the committed one, where it fits or the gate needs it."""
    from eval.baseline import Baseline
    from eval.harness import BASELINE

    if options.write_baseline:
        return None
    if options.baseline is not None:
        return Baseline.read(options.baseline)
    if is_public(options) or not BASELINE.is_file():
        return None
    committed = Baseline.read(BASELINE)
    return committed if needed or committed.fits(done.settings) else None


def _write(report: Report, options: Options) -> None:
    from eval.report import json_file, junit, markdown, page
    from ui import evaluation_report
    from ui.render import terminal

    evaluation_report.show(terminal(), report, worst=options.worst)
    if options.json_file:
        json_file.write(options.json_file, report)
    if options.junit:
        junit.write(options.junit, report)
    if options.markdown:
        markdown.write(options.markdown, report)
    markdown.append_step_summary(report)
    if options.html:
        page.write(options.html, report)
    if options.write_baseline:
        _write_baseline(report, options.baseline)


def _write_baseline(report: Report, path: Path | None) -> None:
    from eval.baseline import Baseline
    from eval.harness import BASELINE

    if any(record.error is not None for record in report.records):
        raise WorkError("the baseline was not written: some questions failed")
    Baseline.of(report).write(path or BASELINE)
    click.echo(f"wrote {path or BASELINE}", err=True)


def _add(options: Options) -> None:
    """Ask for a new case at the terminal, check it against the documents, and append it."""
    from eval.drafts import add_case, ids_beside, prompt_fields
    from rag.settings import load_settings
    from ui.progress import working

    if options.gold is None or options.gold.suffix != ".jsonl":
        raise UsageError("name the file that the case is added to: --gold eval/gold/NAME.jsonl")
    with working("loading the documents"), _target(load_settings(), options) as (_, target):
        documents = target.documents()
    fields = prompt_fields(
        lambda what, default: str(click.prompt(what, default=default, show_default=bool(default), err=True)),
        documents=documents,
        tell=lambda text: click.echo(text, err=True),
        taken=ids_beside(options.gold),
    )
    case = add_case(options.gold, fields, documents)
    click.echo(f"{case.where}: added {case.id}")


def _drafts(feedback: Path, drafts_file: Path) -> None:
    """Turn rated answers into draft cases, which a person completes."""
    from eval.drafts import from_feedback, write_drafts

    drafts = from_feedback(feedback)
    write_drafts(drafts_file, drafts)
    click.echo(f"{drafts_file}: {len(drafts)} drafts; complete each and move it into eval/gold")
