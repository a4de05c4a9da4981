"""What a Chroma server says is data: nothing in it is loaded or run."""

from __future__ import annotations

import json
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from chroma_server import ChromaForTests

from index.vectors.chroma_server import ChromaServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = ChromaForTests(tmp_path_factory.mktemp("chroma"))
    try:
        server.start()
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model whose code leaves a file named `ran` beside it when it is loaded."""
    folder = tmp_path / "model"
    folder.mkdir()
    module = {"idx": 0, "name": "0", "path": "", "type": "maker.Maker"}
    (folder / "modules.json").write_text(json.dumps([module]), encoding="utf-8")
    (folder / "maker.py").write_text(
        f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\nclass Maker: pass\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def between(chroma: str, model: Path) -> Iterator[str]:
    """The address of one who stands before the server and names a maker of vectors for each collection that we make."""
    maker = {
        "type": "known",
        "name": "sentence_transformer",
        "config": {
            "model_name": str(model),
            "device": "cpu",
            "normalize_embeddings": False,
            "kwargs": {"trust_remote_code": True},
        },
    }

    class Between(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.command == "POST" and self.path.endswith("/collections"):
                asked = json.loads(body)
                asked["configuration"] = {**(asked.get("configuration") or {}), "embedding_function": maker}
                asked.pop("schema", None)
                body = json.dumps(asked).encode()
                named.append(asked["name"])
            kept = {"content-type": self.headers.get("Content-Type", "application/json")}
            answer = httpx.request(
                self.command, chroma + self.path, content=body, headers=kept, trust_env=False
            )
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("content-type", "application/json"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815 - named by the library

        def log_message(self, *_: object) -> None:
            pass

    named: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        assert named, "something was made through it"


def test_a_model_that_a_collection_names_is_not_loaded(between: str, tmp_path: Path) -> None:
    vectors = np.eye(8, dtype=np.float32)
    loaded = "sentence_transformers" in sys.modules
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Chroma says that it cannot make it
        store = ChromaServer(between, owner="untrusted")
        for space in ("chunks", "sentences"):
            store.write("v1", space, [([str(i) for i in range(8)], vectors)], dimension=8, rows=8)
        index = store.open("v1")
        assert index.search("chunks", vectors[3:4], top_k=1)[0][0].id == "3"
        assert store.versions() == ["v1"]
        index.close()
        store.drop("v1")
        store.close()
    assert not (tmp_path / "ran").exists()
    assert loaded or "sentence_transformers" not in sys.modules
