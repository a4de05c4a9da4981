"""A file that is there whole or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path

from index.errors import WorkError


def replace(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whose folders are made; a reader sees the old file or the new one.

    Raises:
        WorkError: it cannot be written there.
    """
    target = path.resolve() if path.is_symlink() else path
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(content)  # a pipe or a terminal cannot be replaced
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        written = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            written.write_bytes(content)
            written.replace(target)
        finally:
            written.unlink(missing_ok=True)
    except OSError as error:
        raise WorkError(f"{path} cannot be written ({error.strerror}); give another path") from error
