"""`rag doctor`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from index.doctor import Check, checks
from index.errors import UsageError
from rag.doctor import check_judge, check_reader
from rag.settings import PREFIX, RagSettings, load_settings, setting_names
from ui import render


@click.command()
@click.option("--settings", "listing", is_flag=True, help="List every setting with its value and meaning.")
@click.pass_context
def doctor(ctx: click.Context, listing: bool) -> None:
    """Check the installation and the index; each failing line names its remedy."""
    console = render.terminal()
    if listing:
        render.show_settings(console, _described(load_settings()))
        return
    try:
        settings = load_settings()
    except UsageError as error:
        name = re.match(r"\w+", str(error))
        remedy = f"unset {name.group() if name else 'it'} (or correct it; look into .env too)"
        render.show_check(console, Check("settings", False, str(error).rstrip("."), remedy))
        ctx.exit(1)
    render.show_check(console, Check("settings", True, "readable", ""))
    results = []
    for check in _checks(settings):
        render.show_check(console, check)
        results.append(check.ok)
    ctx.exit(0 if all(results) else 1)


def _checks(settings: RagSettings) -> Iterator[Check]:
    yield from checks(settings.index)
    yield check_reader(settings)
    yield check_judge(settings)


def _described(settings: RagSettings) -> Iterator[tuple[str, str, str]]:
    """(name, value, description) of every setting; secrets and passwords in URLs are masked."""
    for name, description in setting_names().items():
        field = name.removeprefix(PREFIX).lower()
        owner = settings if field in type(settings).model_fields else settings.index
        value = getattr(owner, field)
        parts = value if isinstance(value, tuple) else () if value is None else (value,)
        shown = ",".join(str(part) for part in parts)  # a secret's own text is asterisks
        yield name, re.sub(r"(://[^/@:]*:)[^/@]*@", r"\1***@", shown), description
