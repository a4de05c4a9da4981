"""The engines, each a line of one table; doors, settings and the evaluation take their names from it.

engine.py          what an engine is: `draft(look)`
refusal.py, extractive.py, language_model.py
                   those that write
checked.py, counted.py, first_of.py
                   those that are made of others: what is written is checked, what comes of it is counted, one that
                   declines makes room
opened.py          the engines of some settings, put together
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.settings import RagSettings


@dataclass(frozen=True, slots=True)
class Row:
    """An engine that users can name.

    Attributes:
        name: as they name it.
        made_by: module and class of the `rag.engines.engine.Engine`; imported where it is offered.
        needs: settings without which it is not offered.
        without: what is missing then, as it is told to who asks for it.
        writes: whether its text is sent while it is written, before it is checked.
    """

    name: str
    made_by: str
    needs: tuple[str, ...] = ()
    without: str = ""
    writes: bool = False


ENGINES = (
    Row("extractive", "rag.engines.extractive:Extractive"),
    Row(
        "llm",
        "rag.engines.language_model:WrittenByModel",
        needs=("llm_base_url", "llm_model"),
        without="no model server is configured",
        writes=True,
    ),
)


def names() -> tuple[str, ...]:
    """Every name, offered or not."""
    return tuple(row.name for row in ENGINES)


def offered(settings: RagSettings) -> tuple[Row, ...]:
    """The rows whose settings are there."""
    return tuple(row for row in ENGINES if all(getattr(settings, name) for name in row.needs))


def default(settings: RagSettings) -> Row:
    """What answers when no engine is named: the last whose settings somebody made, else the first."""
    rows = offered(settings)
    return ([row for row in rows if row.needs] or rows[:1])[-1]
