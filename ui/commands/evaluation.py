"""`rag eval`; what it does is in `ui.evaluation_run`."""

from __future__ import annotations

from typing import Any

import click

from ui.commands.evaluation_options import Options, check, with_options


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
    from ui import evaluation_run  # seconds: after what can fail at once

    if options.add:
        evaluation_run.add(options)
    elif options.from_feedback is not None:
        evaluation_run.write_drafts(options.from_feedback, options.drafts)
    else:
        ctx.exit(0 if evaluation_run.passed(options) else 1)
