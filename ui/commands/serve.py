"""`rag serve`."""

from __future__ import annotations

import click

from index.upkeep import first_folders
from rag.settings import load_settings
from ui import render
from ui.commands.index import run_indexer
from ui.server import serve as run_server


@click.command()
@click.option("--host", help="Address to listen on; default: RAG_HOST.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on, 0: any free one; default: RAG_PORT."
)
def serve(host: str | None, port: int | None) -> None:
    """Serve the chat page and the HTTP API; indexes the documents first if nothing is indexed."""
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings().model_copy(update=changes)

    def index_first() -> None:
        summary = run_indexer(settings.index, first_folders(settings.index))
        render.show_summary(render.terminal(), summary)

    def ready(address: str) -> None:
        click.echo(f"Chat at {address}/, API at {address}/docs; Ctrl-C stops it.")

    run_server(settings, index_first=index_first, ready=ready)
