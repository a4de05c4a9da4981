"""The tools over standard input and output, for programs that start the assistant themselves."""

from __future__ import annotations

import anyio
from mcp.server.stdio import stdio_server

from rag.api.mcp.server import make_server
from rag.api.mcp.tools import Desk


def serve_stdio(desk: Desk) -> None:
    """Serve until standard input ends. Meanwhile whatever else is written to standard output goes to stderr."""

    async def serve() -> None:
        server = make_server(desk)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)
