"""The HTTP API over one assistant: `create_app`."""

from rag.api.app import create_app

__all__ = ["create_app"]
