"""`rag serve`."""

from __future__ import annotations

import click


@click.command()
@click.option("--host", help="Address to listen on; default: RAG_HOST.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on, 0: any free one; default: RAG_PORT."
)
def serve(host: str | None, port: int | None) -> None:
    """Serve the chat page and the HTTP API; indexes the documents first if nothing is indexed."""
    from rag.settings import load_settings

    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = load_settings().model_copy(update=changes)
    from ui.server import serve as run_server

    run_server(settings)
