"""API keys: how they are kept, found, used and revoked."""

from __future__ import annotations

import hmac
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from texts import HOSTILE, MULTI_SCRIPT

from index.errors import UsageError, WorkError
from rag import keys
from rag.keys import KeyStore, command_key


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path)


def test_a_key_is_found_until_it_is_revoked(store: KeyStore) -> None:
    secrets = [store.add("one"), store.add("two", scope="write")]
    assert [store.find(secret).scope for secret in secrets] == ["read", "write"]  # type: ignore[union-attr]
    assert [key.name for key in store.known()] == ["one", "two"]
    store.revoke("one")
    assert store.find(secrets[0]) is None
    assert store.find(secrets[1]) is not None
    assert store.in_force()


def test_the_file_tells_no_key_and_nobody_else_reads_it(store: KeyStore) -> None:
    secret = store.add("one")
    assert secret.startswith(keys.PREFIX)
    assert len(secret) >= len(keys.PREFIX) + 43, "32 random bytes"
    assert secret not in store.path.read_text()
    assert secret.removeprefix(keys.PREFIX) not in store.path.read_text()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_no_two_keys_are_alike(store: KeyStore) -> None:
    made = {store.add(str(number)) for number in range(20)}
    assert len(made) == len({key.digest for key in store.known()}) == 20


@pytest.mark.parametrize("wrong", ["", "pc_", "pc_x", "Bearer", *HOSTILE.values()])
def test_what_is_no_key_is_not_found(store: KeyStore, wrong: str) -> None:
    store.add("one")
    assert store.find(wrong) is None
    digest = store.known()[0].digest
    assert store.find(digest) is None, "its hash is not the key"


def test_every_key_is_compared_in_constant_time(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, also after one has fitted: the time tells neither which nor how much of it."""
    first = store.add("first")
    store.add("second")
    store.add("third")
    compared: list[str] = []
    real = hmac.compare_digest

    def seen(one: Any, other: Any) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", seen)
    assert store.find(first) is not None
    assert compared == [key.digest for key in store.known()]


@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "\x00", "x" * 65, "a\tb"])
def test_a_name_that_would_not_show_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(UsageError, match="names no key"):
        store.add(name)
    assert not store.in_force()


@pytest.mark.parametrize(
    "name", [text[:20].strip() for text in MULTI_SCRIPT.values()], ids=list(MULTI_SCRIPT)
)
def test_a_name_is_of_any_script(store: KeyStore, name: str) -> None:
    store.add(name)
    assert [key.name for key in KeyStore(store.path.parent).known()] == [name]


def test_a_name_is_taken_once(store: KeyStore) -> None:
    first = store.add("one")
    with pytest.raises(UsageError, match="already"):
        store.add("one")
    assert store.find(first) is not None


def test_revoking_nothing_says_so(store: KeyStore) -> None:
    with pytest.raises(UsageError, match="rag keys list"):
        store.revoke("one")


def test_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    names = [f"key {number}" for number in range(12)]
    threads = [threading.Thread(target=KeyStore(tmp_path).add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in KeyStore(tmp_path).known()) == sorted(names)
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": [{"name": "x"}]}', "\xff"])
def test_a_damaged_file_lets_nobody_in(store: KeyStore, content: str) -> None:
    secret = store.add("one")
    store.path.write_text(content, "latin-1")
    assert store.in_force()
    with pytest.raises(WorkError, match=r"keys\.json cannot be read"):
        store.find(secret)


def test_a_server_that_had_keys_does_not_become_open(store: KeyStore) -> None:
    store.add("one")
    assert store.in_force()
    store.revoke("one")
    assert KeyStore(store.path.parent).in_force(), "nor does one that starts then"
    store.path.unlink()
    assert store.in_force()


def test_when_a_key_was_used_is_remembered(store: KeyStore) -> None:
    store.add("one")
    store.add("two")
    used, _ = store.known()
    assert store.last_used() == {}
    store.note_used(used)
    assert set(KeyStore(store.path.parent).last_used()) == {used.digest}
    store.revoke("one")
    store.note_used(store.known()[0])
    assert set(store.last_used()) == {store.known()[0].digest}, "a key that is gone leaves nothing"


def test_the_commands_of_this_user_have_a_key_while_the_server_runs(store: KeyStore, tmp_path: Path) -> None:
    store.add("one")
    assert command_key(tmp_path) is None
    with store.command_key():
        secret = command_key(tmp_path)
        assert secret is not None
        key = store.find(secret)
        assert key is not None
        assert key.scope == "write"
        assert stat.S_IMODE((tmp_path / keys.COMMAND_NAME).stat().st_mode) == 0o600
        assert [each.name for each in store.known()] == ["one"]
    assert command_key(tmp_path) is None
    assert store.find(secret) is None
