"""The OpenAPI document as a file: `python -m rag.api.openapi docs/openapi.json` writes it."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from index.settings import IndexSettings
from rag.api.app import create_app
from rag.assistant import Assistant
from rag.settings import RagSettings


class _NeverAsked:
    """Stands where an assistant does: describing the API asks none, so no model is loaded and no index opened."""

    def __getattr__(self, name: str) -> _NeverAsked:
        return self


def openapi_text() -> str:
    """Return the document as JSON with sorted keys, the same on every machine and whatever is configured there."""
    with tempfile.TemporaryDirectory() as folder:
        index = IndexSettings.model_construct(data_dir=Path(folder))
        settings = RagSettings.model_construct(index=index)
        document: dict[str, Any] = create_app(cast("Assistant", _NeverAsked()), settings).openapi()
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the document to the file that is named."""
    parser = argparse.ArgumentParser(prog="python -m rag.api.openapi", description=__doc__)
    parser.add_argument("file", type=Path, help="where to write it, such as docs/openapi.json")
    parser.parse_args(arguments).file.write_text(openapi_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
