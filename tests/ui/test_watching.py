"""`rag index --watch` in a process of its own: the index follows the folder, and Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from index.corpus import Corpus
from index.ownership import own
from index.settings import IndexSettings

ROOT = Path(__file__).resolve().parents[2]
_WAIT = 120.0


def indexed(data_dir: Path) -> dict[str, str]:
    with Corpus.open(IndexSettings(data_dir=data_dir, _env_file=None), manifest_expected=None) as corpus:
        found = ((info.path, corpus.document(info.id)) for info in corpus.documents())
        return {path: document.text for path, document in found if document is not None}


def wait_for(held: Callable[[], bool]) -> None:
    end = time.monotonic() + _WAIT
    while not held():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_index_follows_the_folder_until_ctrl_c(tmp_path: Path, data_dir: Path) -> None:
    folder, told, done = (tmp_path / name for name in ("watched", "told.txt", "done.txt"))
    folder.mkdir()
    (folder / "mill.txt").write_text("The mill of Tellmouth grinds rye.")
    (folder / "lamp.txt").write_text("The hall of Tellmouth has 64 lamps.")
    command = [sys.executable, "-m", "ui.cli", "index", "--watch", str(folder)]
    environment = {**os.environ, "RAG_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)}
    with (
        told.open("w") as err,
        done.open("w") as out,
        subprocess.Popen(command, stdout=out, stderr=err, env=environment, cwd=tmp_path) as process,
    ):
        try:
            wait_for(lambda: "watching" in told.read_text() or process.poll() is not None)
            assert set(indexed(data_dir)) == {"mill.txt", "lamp.txt"}
            with own(data_dir, purpose="rag serve"):
                (folder / "crane.txt").write_text("The crane of Tellmouth lifts twelve tonnes.")
                wait_for(lambda: "not indexed: the data directory" in told.read_text())
            (folder / "mill.txt").write_text("The mill of Tellmouth grinds wheat.")
            (folder / "lamp.txt").unlink()
            wait_for(
                lambda: "removed" in done.read_text() and "indexed" in done.read_text().split("removed")[1]
            )
            assert set(indexed(data_dir)) == {"mill.txt", "crane.txt"}
            assert "wheat" in indexed(data_dir)["mill.txt"]
            process.send_signal(signal.SIGINT)
            assert process.wait(_WAIT) == 0
        finally:
            process.kill()
    assert "Traceback" not in told.read_text()


def test_it_needs_a_folder(tmp_path: Path, data_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "index", "--watch"],
        capture_output=True,
        text=True,
        env={**os.environ, "RAG_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "rag index --watch PATH" in done.stderr
