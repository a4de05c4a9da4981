"""A quantity as it is put together, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from index.language.dates import Day
from index.language.digits import canonical
from index.language.quantity_words import Bound

Kind = Literal["count", "money", "share", "duration", "measure", "part", "date", "time", "telephone", "code"]
Form = Literal["one", "range", "part"]

# Between a number and its unit in a text where the short answer has a space.
_GAPS = frozenset(" \u00a0\u202f-")
_MARKS = {">=": "≥", "<": "<", "<=": "≤", "~": "~"}


@dataclass(slots=True)
class Amount:
    """A quantity as it is put together. Its fields are those of `Quantity`; besides,

    `full_end`: where its unit or classifier ends. `bare_year`: four digits that may be a number. `scaled`, `first`: of
    `Numeral`. `shown`: what is shown in place of its text; "" for the text.
    """

    start: int
    end: int
    kind: Kind = "count"
    form: Form = "one"
    values: tuple[float, ...] = ()
    days: tuple[Day, ...] = ()
    minutes: tuple[int, ...] = ()
    code: str = ""
    unit: str = ""
    bound: Bound = ""
    weak: bool = False
    in_words: bool = False
    share_unknown: bool = False
    full_end: int = 0
    bare_year: bool = False
    scaled: bool = False
    first: float = 0.0
    shown: str = ""

    def __post_init__(self) -> None:
        self.full_end = max(self.full_end, self.end)

    def number(self, plain: str) -> str:
        """What stands for it without unit and bound."""
        if self.shown or not self.in_words or not self.values:
            return self.shown or " ".join(plain[self.start : self.end].split())
        return canonical(self.values[0])

    def short(self, plain: str) -> str:
        """The short answer."""
        shown = self.number(plain)
        if self.kind in {"code", "telephone", "date", "time"}:
            return shown
        mark = _MARKS.get(self.bound, "")
        more = "+" if self.bound == ">" else ""
        if self.kind == "share" and not self.unit:
            shown = shown if "/" in shown else shown.rstrip("%٪％ \u00a0\u202f") + "%"
        gap = " " if not self.unit or plain[self.end : self.end + 1] in _GAPS or self.in_words else ""
        return f"{mark}{shown}{more}{gap + self.unit if self.unit else ''}"


def as_fraction(value: float) -> str:
    """A value below one as a person writes it: "2/3"; as a percentage where no small fraction is near."""
    part = Fraction(value).limit_denominator(12)
    return (
        f"{part.numerator}/{part.denominator}" if abs(part - value) < 1e-6 else f"{canonical(value * 100)}%"
    )
