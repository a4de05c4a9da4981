"""`rag keys`: who may use a server that others can reach."""

from __future__ import annotations

import json
from typing import Literal

import click

from rag.keys import KeyStore
from rag.settings import load_settings


@click.group()
def keys() -> None:
    """Make, list and revoke API keys; a running server knows at once.

    Once there was a key every request needs one, and `rag serve` may listen beyond this machine.
    """


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "write"]),
    default="read",
    show_default=True,
    help="read: ask, search and read; write: change the documents too.",
)
def add(name: str, scope: Literal["read", "write"]) -> None:
    """Make a key for NAME and print it. It is shown this once; only a hash of it is kept."""
    secret = _store().add(name, scope=scope)
    click.echo(secret)
    click.echo(f"rag: keep this key of {name!r} now: it cannot be shown again", err=True)


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(as_json: bool) -> None:
    """List the keys: name, scope, when made, when last used (UTC). The keys themselves are not kept."""
    store = _store()
    used = store.last_used()
    rows = [
        {"name": key.name, "scope": key.scope, "created": key.created, "last_used": used.get(key.digest)}
        for key in store.known()
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        # The name last: it may be of any script and width.
        times = (f"{what} {_minute(row[what])}" for what in ("created", "last_used"))
        click.echo(
            "  ".join((f"{row['scope']:<5}", *times, str(row["name"]))).replace("last_used", "last used")
        )
    if not rows:
        required = store.in_force()
        click.echo(
            "rag: there is no key and the server lets nobody in" if required else "rag: there is no key",
            err=True,
        )


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Make NAME's key worthless, from the next request on."""
    store = _store()
    store.revoke(name)
    click.echo(f"rag: the key of {name!r} is revoked", err=True)
    if not store.known():
        click.echo(
            f"rag: no key is left, so the server lets nobody in: make one with `rag keys add`, or remove {store.path} "
            "and restart the server to serve this machine without keys",
            err=True,
        )


def _minute(stamp: str | None) -> str:
    """An ISO time as it is read, of one width."""
    return f"{stamp[:10]} {stamp[11:16]}" if stamp else "never           "


def _store() -> KeyStore:
    index = load_settings().index
    return KeyStore(index.data_dir, shared_dir=index.shared_dir)
