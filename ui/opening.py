"""What answers for a command: the server that owns the data directory, else the index itself.

Imported before anything slow; what is slow is imported where it is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.errors import IndexBusy
from index.ownership import Owner
from rag.keys import command_key
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from ui.remote import RemoteAssistant


def open_server(settings: RagSettings, address: str) -> RemoteAssistant:
    """The server that owns the data directory, with the key that it left there for commands."""
    from ui.remote import RemoteAssistant  # httpx: only where there is a server

    key = command_key(settings.index.data_dir)
    return RemoteAssistant(address, answer_seconds=settings.llm_timeout_s, key=key)


def open_index(settings: RagSettings, held: Owner | None, *, purpose: str) -> Assistant:
    """The index itself, read beside other readers.

    Args:
        held: who owns the directory and does not serve.
        purpose: of who reads, told to those who want to write.

    Raises:
        IndexBusy: somebody owns it.
        IndexStateError: there is nothing to answer from.
    """
    if held is not None:
        raise IndexBusy(
            f"the data directory {settings.index.data_dir} is in use by {held}: wait for it or stop it"
        )
    from index.upkeep import mend_vectors, require_index  # a second: after what can fail at once

    require_index(settings.index)
    mend_vectors(settings.index, purpose=purpose)
    from rag.assistant import Assistant  # seconds: after what can fail at once

    return Assistant.open(settings)
