"""`rag keys`: made, listed and revoked from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag.keys import KeyStore
from ui.cli import cli


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory that does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["keys", *arguments], prog_name="rag")


def test_a_key_is_printed_once_and_alone(data_dir: Path) -> None:
    made = run("add", "reader")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    assert made.stdout == f"{secret}\n", "nothing else, so that it can be piped"
    key = KeyStore(data_dir).find(secret)
    assert key is not None
    assert (key.name, key.scope) == ("reader", "read")
    for shown in (run("list"), run("list", "--json")):
        assert secret not in shown.output
        assert key.digest not in shown.output


def test_the_list_says_who_may_what_since_when(data_dir: Path) -> None:
    run("add", "reader")
    run("add", "ক্যান থো", "--scope", "write")
    store = KeyStore(data_dir)
    store.note_used(store.known()[0])
    rows = json.loads(run("list", "--json").stdout)
    assert [(row["name"], row["scope"]) for row in rows] == [("reader", "read"), ("ক্যান থো", "write")]
    assert rows[0]["last_used"] is not None
    assert rows[1]["last_used"] is None
    first, second = run("list").stdout.splitlines()
    assert first.startswith("read ")
    assert first.endswith("reader")
    assert rows[0]["created"][:10] in first
    assert "last used never" in second


def test_a_revoked_key_is_gone(data_dir: Path) -> None:
    secret = run("add", "reader").stdout.strip()
    run("add", "other")
    gone = run("revoke", "reader")
    assert (gone.exit_code, gone.stdout) == (0, "")
    assert KeyStore(data_dir).find(secret) is None
    assert run("revoke", "other").stderr.count("no key is left") == 1
    assert "lets nobody in" in run("list").stderr


def test_no_key_yet() -> None:
    assert run("list").stdout == ""
    assert run("list").stderr == "rag: there is no key\n"
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add",), "NAME"),
        (("add", " "), "names no key"),
        (("add", "x", "--scope", "admin"), "admin"),
        (("revoke", "nobody"), "rag keys list"),
    ],
    ids=["no name", "blank name", "no such scope", "nobody"],
)
def test_a_wrong_call_is_told_in_a_line(arguments: tuple[str, ...], said: str) -> None:
    wrong = run(*arguments)
    assert wrong.exit_code == 2
    [line] = wrong.stderr.splitlines()
    assert said in line


def test_the_same_name_twice() -> None:
    assert run("add", "x").exit_code == 0
    assert run("add", "x").exit_code == 2


def test_a_directory_that_cannot_be_written(data_dir: Path) -> None:
    data_dir.write_text("a file")
    wrong = run("add", "x")
    assert wrong.exit_code == 1
    assert len(wrong.stderr.splitlines()) == 1
