"""API keys of several servers: one folder, whose changes all of them see at once."""

from __future__ import annotations

from pathlib import Path

from rag.keys import KeyStore


def test_servers_with_a_folder_in_common_know_the_same_keys(tmp_path: Path) -> None:
    one, two = (KeyStore(tmp_path / name, shared_dir=tmp_path / "shared") for name in ("one", "two"))
    assert not two.in_force()
    secret = one.add("office")
    assert two.in_force()
    found = two.find(secret)
    assert found is not None
    two.note_used(found)
    assert one.last_used().keys() == {found.digest}
    two.revoke("office")
    assert one.find(secret) is None
    assert one.in_force()


def test_the_key_of_the_servers_own_commands_stays_on_its_machine(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with KeyStore(tmp_path / "one", shared_dir=tmp_path / "shared").command_key():
        assert [path.name for path in (tmp_path / "one").iterdir()] == ["command.key"]
        assert not (tmp_path / "shared").exists()
