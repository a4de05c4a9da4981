"""API keys: who may use a server that others can reach, kept hashed in the data directory.

`keys.json` is written by `rag keys` alone and read by the server at every request, so a revoked key stops working at
once; the server writes `keys-used.json`, when each key was last used. Once `keys.json` exists keys are required, also
when the last one is revoked: a server does not become open because its last key is taken away.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import filelock

from index.errors import UsageError, WorkError

KEYS_NAME = "keys.json"
USED_NAME = "keys-used.json"
COMMAND_NAME = "command.key"
PREFIX = "pc_"

Scope = Literal["read", "write"]

_LOCK_NAME = "keys.lock"
# Chosen: writing the file takes milliseconds; 256 bits are beyond guessing; a name fits into a line.
_LOCK_SECONDS = 10
_SECRET_BYTES = 32
_MAX_NAME = 64
# How exact "last used" is. Chosen: each key costs at most one small write in this time.
_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret. `digest` is the SHA-256 of the secret in hex, `created` an ISO time in UTC."""

    name: str
    scope: Scope
    digest: str
    created: str


class KeyStore:
    """The keys of a data directory.

    Args:
        data_dir: where they lie, unless several servers have them in common; `path` is their file.
        shared_dir: where they lie then.
        required: keys are required whether or not there are any: the server can be reached from elsewhere.
    """

    def __init__(self, data_dir: Path, *, shared_dir: Path | None = None, required: bool = False) -> None:
        self._data_dir = data_dir
        self._folder = shared_dir or data_dir
        self.path = self._folder / KEYS_NAME
        self._required = required
        self._command: Key | None = None
        self._used_seen: dict[str, datetime] = {}

    def in_force(self) -> bool:
        """Whether a request needs a key; once true for a running server it stays so."""
        self._required = self._required or self.path.exists()
        return self._required

    def known(self) -> tuple[Key, ...]:
        """The keys, in the order in which they were made.

        Raises:
            WorkError: their file cannot be read.
        """
        try:
            content = json.loads(self.path.read_text("utf-8"))
            return tuple(Key(**each) for each in content["keys"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WorkError(
                f"{self.path} cannot be read ({error}): restore it, or remove it and make keys with `rag keys add`"
            ) from error

    def add(self, name: str, *, scope: Scope = "read") -> str:
        """Make a key and return its secret, which is nowhere else.

        Raises:
            UsageError: the name is taken or no name.
            WorkError: the keys cannot be read or written.
        """
        if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or name != name.strip():
            raise UsageError(f"{name!r} names no key: use 1 to {_MAX_NAME} printable characters")
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        with self._locked():
            keys = self.known()
            if any(key.name == name for key in keys):
                raise UsageError(f"there is a key {name!r} already: revoke it first, or use another name")
            self._write((*keys, Key(name, scope, _digest(secret), _stamp(_now()))))
        return secret

    def revoke(self, name: str) -> Key:
        """Remove a key; a running server refuses it from its next request on.

        Raises:
            UsageError: there is no such key.
            WorkError: the keys cannot be read or written.
        """
        with self._locked():
            keys = self.known()
            found = next((key for key in keys if key.name == name), None)
            if found is None:
                raise UsageError(f"there is no key {name!r}: `rag keys list` shows them")
            self._write(tuple(key for key in keys if key is not found))
        return found

    def find(self, secret: str) -> Key | None:
        """The key with this secret, None when there is none.

        Raises:
            WorkError: the keys cannot be read.
        """
        return self.with_digest(_digest(secret))

    def with_digest(self, digest: str) -> Key | None:
        """The key whose secret has this digest, None when there is none (any more).

        Raises:
            WorkError: the keys cannot be read.
        """
        known = self.known() if self._command is None else (*self.known(), self._command)
        found = None
        # All of them, each in constant time: how long it takes tells nothing about any key.
        for key in known:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    @contextmanager
    def command_key(self) -> Iterator[None]:
        """Within the block the other commands of this machine's user may write and read, with a key of their own.

        It lies in the data directory, which that user alone can read, and ends with the block.

        Raises:
            WorkError: it cannot be written.
        """
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        _replace(self._data_dir / COMMAND_NAME, secret)
        self._command = Key("rag command", "write", _digest(secret), _stamp(_now()))
        try:
            yield
        finally:
            self._command = None
            (self._data_dir / COMMAND_NAME).unlink(missing_ok=True)

    def is_command(self, key: Key) -> bool:
        """Whether it is the key of this user's own commands."""
        return key is self._command

    # -- when each was last used

    def note_used(self, key: Key) -> None:
        """Remember that a key was used now, to the minute. A disk that cannot be written loses only this."""
        now, seen = _now(), self._used_seen.get(key.digest)
        if self.is_command(key) or (seen is not None and abs(now - seen) < _USED_STEP):
            return
        self._used_seen[key.digest] = now
        live = {each.digest for each in self.known()}
        used = {**self.last_used(), key.digest: _stamp(now)}
        with suppress(WorkError):
            _replace(
                self._folder / USED_NAME,
                json.dumps({digest: at for digest, at in used.items() if digest in live}),
            )

    def last_used(self) -> Mapping[str, str]:
        """Digest of each key that was used -> ISO time in UTC, to the minute."""
        try:
            content = json.loads((self._folder / USED_NAME).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    # -- the file

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two commands at once do not undo each other. The server takes no part: it only reads."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with filelock.FileLock(self._folder / _LOCK_NAME, timeout=_LOCK_SECONDS, mode=0o600):
                yield
        except filelock.Timeout as error:
            raise WorkError("another `rag keys` is at work: try again when it has ended") from error
        except OSError as error:
            raise WorkError(
                f"the folder {self._folder} cannot be written ({error.strerror or error}): make it writable for this "
                "user, or set RAG_DATA_DIR"
            ) from error

    def _write(self, keys: tuple[Key, ...]) -> None:
        _replace(self.path, json.dumps({"version": 1, "keys": [asdict(key) for key in keys]}, indent=1))


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def command_key(data_dir: Path) -> str | None:
    """The key that a server left for this user's other commands, None when there is none or it cannot be read."""
    try:
        return (data_dir / COMMAND_NAME).read_text("utf-8")
    except OSError:
        return None


def _digest(secret: str) -> str:
    # A plain hash is right here: a secret of 256 random bits cannot be guessed, so nothing is won by making the hash
    # slow or salted, as for a password, and every request pays for it.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write a file in one step that only its owner may read: a reader sees the old one or the new one."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WorkError(
            f"{path} cannot be written ({error.strerror or error}): check the disk and its rights"
        ) from error


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
