"""Changes of a folder, told by the operating system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# A copy of many files is one change: it has settled when nothing moved for so long, but is not waited for longer.
_SETTLED_MS = 1_000
_LONGEST_MS = 60_000


def changes_of(folder: Path) -> Iterator[bool]:
    """Yield whether files below a folder have changed since the last time, about every second; until Ctrl-C.

    It watches from before the first time on, and while the caller works on what it yielded.
    """
    import watchfiles  # for --watch alone

    root = folder.resolve()

    def counts(change: watchfiles.Change, path: str) -> bool:
        below = Path(path).relative_to(root).parts if Path(path).is_relative_to(root) else ()
        return not any(part.startswith((".", "~$")) for part in below)  # as `index.readers.document_files`

    for found in watchfiles.watch(
        root,
        watch_filter=counts,
        debounce=_LONGEST_MS,
        step=_SETTLED_MS,
        rust_timeout=_SETTLED_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        yield bool(found)
