"""An answer on a terminal while it is written.

What is written is not checked yet, and what the check leaves may be less. So the pieces stand in a place of their own,
the last lines of the screen, and make room for the answer once that is there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from index.errors import WorkError
from index.normalise import whole
from rag.answer import Answer, Token
from ui.render import printable, wrapped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_LOOKING = "looking in the documents"
_UNCHECKED = "(This is not the whole answer, and it was not checked against the documents.)"


def can_show_writing(console: Console) -> bool:
    """Whether lines that a console shows can be taken back: it is a terminal, and one that can erase."""
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


def show_writing(console: Console, items: Iterable[Token | Answer]) -> Answer:
    """Show the pieces of an answer as they come; return the answer, with nothing of them left on the terminal.

    Where the writing breaks off, by an error of the work or by Ctrl-C, what was written stays, marked as unchecked.

    Raises:
        WorkError: there was no answer at the end.
        PolyciteError, KeyboardInterrupt: what `items` raise.
    """
    written = ""
    try:
        with Live(Spinner("dots", _LOOKING, style="dim"), console=console, transient=True) as live:
            for item in items:
                if isinstance(item, Answer):
                    return item
                written += item.text
                live.update(_End(_harmless(written)))
        raise WorkError("the answer broke off: ask again")
    except (KeyboardInterrupt, WorkError):
        _leave(console, _harmless(written).strip())
        raise


class _End:
    """The end of a text, as much of it as the screen holds."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The last lines, one less than the screen has: below them stands the cursor."""
        lines = list(_lines(self._text.rstrip(), width=options.max_width))
        yield Text("\n".join(lines[-max(1, console.height - 1) :]), no_wrap=True, overflow="crop")


def _harmless(text: str) -> str:
    """A text as `printable` makes it: of the whole of it, since a piece may end within an escape or a character."""
    return printable(whole(text))


def _lines(text: str, *, width: int) -> Iterator[str]:
    """The lines of a text, none of which takes more than `width` columns on any terminal: each must be erased."""
    longest = max(1, width * cell_len(text) // max(1, _most_columns(text)))
    for line in wrapped(text, width=longest):
        if _most_columns(line) <= width:
            yield line
        else:
            yield from wrapped(line, width=max(1, width // 2))


def _most_columns(text: str) -> int:
    """The columns of a text where the vowel signs of Indic scripts, about which terminals differ, take one each."""
    return cell_len(text) + sum(unicodedata.category(character) == "Mc" for character in text)


def _leave(console: Console, text: str) -> None:
    if not text:
        return
    for line in wrapped(text, width=console.width):
        console.print(Text(line), soft_wrap=True)
    console.print(Text(_UNCHECKED, style="yellow"), soft_wrap=True)
