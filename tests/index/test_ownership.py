"""One process owns a data directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from index.errors import IndexBusy, WorkError
from index.ownership import Owner, own, owner, owner_address

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"

HOLDER = """
import sys, time
from pathlib import Path
from index.ownership import own
with own(Path(sys.argv[1]), purpose="rag serve", address=sys.argv[2] or None):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def another_process(data_dir: Path, address: str = ADDRESS) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the directory until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir), address], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_it_makes_the_directory_for_this_user_only(tmp_path: Path) -> None:
    with own(tmp_path / "new" / "data", purpose="rag index"):
        assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


def test_owner_is_known_while_it_holds_and_forgotten_after(tmp_path: Path) -> None:
    assert owner(tmp_path) is None
    with own(tmp_path, purpose="rag index") as held:
        assert owner(tmp_path) == Owner(os.getpid(), "rag index", None)
        assert owner_address(tmp_path) is None
        held.announce(ADDRESS)
        assert owner_address(tmp_path) == ADDRESS
    assert owner(tmp_path) is None
    assert owner_address(tmp_path) is None


@pytest.mark.parametrize(
    ("address", "remedy"),
    [(ADDRESS, "use it through that address or stop it"), ("", "wait for it or stop it")],
)
def test_another_process_is_refused_at_once_with_who_holds_it(
    tmp_path: Path, address: str, remedy: str
) -> None:
    with another_process(tmp_path, address) as process:
        with pytest.raises(IndexBusy) as caught, own(tmp_path, purpose="rag index"):
            pass
        text = str(caught.value)
        assert "`rag serve`" in text
        assert f"pid {process.pid}" in text
        assert address in text
        assert remedy in text
        assert "\n" not in text
        assert owner_address(tmp_path) == (address or None)


def test_asking_who_owns_it_does_not_take_it(tmp_path: Path) -> None:
    (tmp_path / "owner.lock").touch()
    assert owner(tmp_path) is None
    with own(tmp_path, purpose="rag index"):
        pass


def test_a_second_block_of_the_same_process_is_refused(tmp_path: Path) -> None:
    with own(tmp_path, purpose="rag index"):
        with pytest.raises(IndexBusy), own(tmp_path, purpose="rag index"):
            pass
        assert owner(tmp_path) is not None


def test_what_a_killed_process_left_blocks_nobody(tmp_path: Path) -> None:
    with another_process(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert json.loads((tmp_path / "owner.json").read_text())["pid"] == process.pid
        assert owner_address(tmp_path) is None
        with own(tmp_path, purpose="rag index"):
            assert owner(tmp_path) == Owner(os.getpid(), "rag index", None)


@pytest.mark.parametrize("card", ["", "{", "[]", '{"pid": 1}', '{"x": 1}'])
def test_a_torn_card_is_no_obstacle(tmp_path: Path, card: str) -> None:
    with own(tmp_path, purpose="rag index"):
        (tmp_path / "owner.json").write_text(card)
        with pytest.raises(IndexBusy, match="another command"), own(tmp_path, purpose="rag ask"):
            pass
        assert owner(tmp_path) == Owner(0, "another command", None)


def test_an_error_inside_gives_the_directory_back(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), own(tmp_path, purpose="rag index"):
        raise ValueError("inside")
    assert owner(tmp_path) is None


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match="RAG_DATA_DIR"), own(tmp_path / "file" / "data", purpose="rag index"):
        pass
