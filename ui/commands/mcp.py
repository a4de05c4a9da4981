"""`rag mcp`."""

from __future__ import annotations

import sys

import click

from rag.settings import load_settings


@click.command()
def mcp() -> None:
    """Serve the assistant's tools to a program that speaks the Model Context Protocol (docs/mcp.md).

    It is started by that program, such as a desktop assistant, and ends with it. Standard input and output belong to
    the protocol. Where a server runs on the same data directory, its questions go through that server.
    """
    settings = load_settings()
    if sys.stdin.isatty():
        click.echo("rag: this speaks MCP on standard input and output: let a client start it", err=True)
    # Seconds of imports: after what can fail at once.
    from rag.api.mcp.stdio import serve_stdio
    from ui.current import Current

    with Current(settings) as current:
        serve_stdio(current)
