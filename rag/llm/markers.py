"""Markers in a text that is still being written: half ones are held back, wrong ones dropped, the rest renumbered."""

from __future__ import annotations

import regex

SENTINEL = "NOT_IN_DOCUMENTS"
"""What a model writes when the passages do not answer."""

_BETWEEN = r"\s?[,;、，،؛&–-]\s?"
# Numbers in brackets, of any script. More than three digits are a year or the like and no marker. All repetitions
# are bounded: no more than this is ever held back.
_MARKER = rf"[\[【［]\s?(?P<numbers>\d{{1,3}}(?:{_BETWEEN}\d{{1,3}}){{0,15}})\s?[\]】］]"
# Some models escape the underscores as Markdown asks, and set the word in quotes, stars or brackets.
_SENTINEL = r"[*_`\"'“\[]{0,4}(?P<sentinel>" + SENTINEL.replace("_", r"\\?_") + r")"
_FOUND = regex.compile(rf"(?P<space>\s{{0,8}})(?:{_MARKER}|{_SENTINEL})")
_NUMBER_OR_RANGE = regex.compile(r"(\d+)\s?(?:[–-]\s?(\d+))?")


class MarkerStream:
    """Takes a model's text in pieces and gives it back with good markers only, the first seen as [1].

    Joined, what it gives does not depend on where the pieces were cut. Several numbers in one bracket become
    several markers. A bracket without one good number goes, with the space before it. Other brackets stay.

    Args:
        count: how many passages there are; the good numbers are 1 to `count`.

    Attributes:
        order: for each marker given, from [1] on, the number of its passage.
    """

    def __init__(self, count: int) -> None:
        self.order: list[int] = []
        self._count = count
        self._held = ""
        self._said = False
        self._declined = False
        self._muted = False

    @property
    def not_in_documents(self) -> bool:
        """Whether the model says that the passages do not answer, and claims nothing from them."""
        return self._declined and not self.order

    def feed(self, piece: str) -> str:
        """What is certain after one more piece; may be empty."""
        return self._advance(piece, more=True)

    def finish(self) -> str:
        """What was held back and turned out to be no marker."""
        return self._advance("", more=False)

    def _advance(self, piece: str, *, more: bool) -> str:
        text = self._held + piece
        self._held = ""
        out: list[str] = []
        done = 0
        for match in _FOUND.finditer(text, partial=more):
            out.append(self._plain(text[done : match.start()]))
            done = match.end()
            if match.partial:
                self._held = text[match.start() :]
                done = len(text)
                break
            out.append(self._declining() if match["sentinel"] else self._instead(match))
        out.append(self._plain(text[done:]))
        return "".join(out)

    def _plain(self, text: str) -> str:
        self._said = self._said or bool(text.strip())
        return "" if self._muted else text

    def _declining(self) -> str:
        self._declined = True
        # At the beginning it is the answer, and what comes after it explains it to nobody.
        self._muted = self._muted or not self._said
        return ""

    def _instead(self, match: regex.Match[str]) -> str:
        """Our markers for one bracket."""
        if self._muted:
            return ""
        markers = "".join(f"[{self._renumbered(number)}]" for number in self._numbers(match["numbers"]))
        return self._plain(f"{match['space']}{markers}") if markers else ""

    def _numbers(self, written: str) -> list[int]:
        """The good numbers of one bracket, each once, in their order; a range counts in full."""
        found: dict[int, None] = {}
        for first, last in _NUMBER_OR_RANGE.findall(written):
            for number in range(int(first), int(last or first) + 1):
                if 1 <= number <= self._count:
                    found[number] = None
        return list(found)

    def _renumbered(self, number: int) -> int:
        if number not in self.order:
            self.order.append(number)
        return self.order.index(number) + 1
