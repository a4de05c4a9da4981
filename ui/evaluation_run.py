"""What `rag eval` does: tasks are asked, and a report is made, written and held against thresholds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import click

from eval import conversations, drafts, gate, harness, suites
from eval.baseline import Baseline
from eval.cases import GOLD, read_cases
from eval.gate import Thresholds, read_thresholds
from eval.harness import BASELINE, THRESHOLDS, Done
from eval.records import Case, Estimate, Report
from eval.report import json_file, junit, markdown, page
from eval.suites import Suite
from eval.summary import summarise
from eval.target import Target
from index.embedder import Embedder, load_embedder
from index.errors import UsageError, WorkError
from index.ownership import own, owner
from index.settings import IndexSettings
from index.upkeep import require_index
from rag.settings import RagSettings, load_settings
from ui import evaluation_report
from ui.commands.evaluation_options import Options, is_public
from ui.opening import open_server
from ui.progress import counting, working
from ui.remote import RemoteAssistant
from ui.render import terminal


class _Common(TypedDict):
    """What every suite of public data is built with."""

    work: Path
    embedder: Embedder
    settings: IndexSettings
    limit: int | None
    seed: int
    progress: Callable[[str, int, int], None]


def passed(options: Options) -> bool:
    """Ask, report, and say whether every question got an answer and every threshold of the gate was reached."""
    settings = load_settings()
    thresholds, named = _thresholds(options), _named_baseline(options)
    done = _public(settings, options) if is_public(options) else _gold(settings, options)
    report = summarise(
        done.title,
        done.settings,
        done.records,
        seed=options.seed,
        baseline=named or _committed_baseline(done, options, thresholds),
    )
    if _is_whole(options):
        report = replace(report, estimates={**report.estimates, **_conversations(settings, options)})
    if thresholds is not None:
        report = replace(report, gates=gate.gates(report, thresholds))
    _write(report, options)
    failed = any(record.error is not None for record in report.records)
    return not failed and all(one.passed for one in report.gates)


def _thresholds(options: Options) -> Thresholds | None:
    if not options.gate:
        return None
    return read_thresholds(options.thresholds or THRESHOLDS)


def _gold(settings: RagSettings, options: Options) -> Done:
    chosen = _cases(options)
    with contextlib.ExitStack() as stack:
        with working("loading the model and the documents"):
            where, target = stack.enter_context(_target(settings, options))
        with counting("asking") as progress:
            return harness.gold(
                target,
                chosen,
                title=f"{len(chosen)} gold cases over {where}",
                engine=options.engine,
                seed=options.seed,
                progress=lambda done, total: progress("asking", done, total),
            )


def _is_whole(options: Options) -> bool:
    """Whether the whole shipped set is asked of the shipped documents."""
    chosen = (options.gold, options.documents, options.url, options.live, options.languages, options.tags)
    return not any(chosen) and not is_public(options)


def _conversations(settings: RagSettings, options: Options) -> dict[str, Estimate]:
    """How many turns of the shipped conversations come out right, over their own documents."""
    with (
        harness.shipped(settings, load_embedder(settings.index), conversations.DOCUMENTS) as target,
        counting("holding conversations") as progress,
    ):
        found = conversations.hold(
            target,
            conversations.read_conversations(),
            engine=options.engine,
            progress=lambda done, total: progress("holding conversations", done, total),
        )
    return conversations.estimates(found, seed=options.seed)


def _cases(options: Options) -> list[Case]:
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
    if options.url:
        key = settings.server_key.get_secret_value() if settings.server_key else None
        with RemoteAssistant(options.url, answer_seconds=settings.llm_timeout_s, key=key) as remote:
            yield f"the documents of {options.url}", remote
        return
    if options.live:
        with _live(settings) as target:
            yield f"the documents indexed in {settings.index.data_dir}", target
        return
    folder = options.documents or settings.index.seeds_dir
    where = "the shipped documents" if options.documents is None else f"the documents of {folder}"
    with harness.shipped(settings, load_embedder(settings.index), folder) as target:
        yield where, target


@contextlib.contextmanager
def _live(settings: RagSettings) -> Iterator[Target]:
    """The assistant on the data directory, or the server that owns it."""
    held = owner(settings.index.data_dir)
    if held is not None and held.address is not None:
        with open_server(settings, held.address) as remote:
            yield remote
        return
    require_index(settings.index)
    with harness.opened(settings, settings.index, load_embedder(settings.index)) as target:
        yield target


def _public(settings: RagSettings, options: Options) -> Done:
    with working("loading the model"):
        embedder = load_embedder(settings.index)
    work = options.work or harness.work_folder(settings)
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


def _named_baseline(options: Options) -> Baseline | None:
    if options.baseline is None or options.write_baseline:
        return None
    return Baseline.read(options.baseline)


def _committed_baseline(done: Done, options: Options, thresholds: Thresholds | None) -> Baseline | None:
    """The one that comes with the cases, where it fits or the gate needs it."""
    if options.write_baseline or is_public(options) or not BASELINE.is_file():
        return None
    committed = Baseline.read(BASELINE)
    needed = thresholds is not None and thresholds.drops
    return committed if needed or committed.fits(done.settings) else None


def _write(report: Report, options: Options) -> None:
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
    if any(record.error is not None for record in report.records):
        raise WorkError("the baseline was not written: some questions failed")
    Baseline.of(report).write(path or BASELINE)
    click.echo(f"wrote {path or BASELINE}", err=True)


def add(options: Options) -> None:
    """Ask for a new case at the terminal, check it against the documents, and append it."""
    if options.gold is None or options.gold.suffix != ".jsonl":
        raise UsageError("name the file that the case is added to: --gold eval/gold/NAME.jsonl")
    with working("loading the documents"), _target(load_settings(), options) as (_, target):
        documents = target.documents()
    fields = drafts.prompt_fields(
        lambda what, default: str(click.prompt(what, default=default, show_default=bool(default), err=True)),
        documents=documents,
        tell=lambda text: click.echo(text, err=True),
        taken=drafts.ids_beside(options.gold),
    )
    case = drafts.add_case(options.gold, fields, documents)
    click.echo(f"{case.where}: added {case.id}")


def write_drafts(feedback: Path, drafts_file: Path) -> None:
    """Turn rated answers into draft cases, which a person completes."""
    found = drafts.from_feedback(feedback)
    drafts.write_drafts(drafts_file, found)
    click.echo(f"{drafts_file}: {len(found)} drafts; complete each and move it into eval/gold")
