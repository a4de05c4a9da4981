"""What a tab of the page gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

if TYPE_CHECKING:
    from index.corpus import Corpus
    from index.intake import Intake
    from rag.settings import RagSettings

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a tab works with. `intake` None: no documents are taken and none deleted."""

    corpus: Corpus
    settings: RagSettings
    intake: Intake | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The components of a tab that change when the page is opened, or shown in another language.

    `update(labels, language, request)` returns a new value for each of `outputs`, in their order.
    """

    outputs: Sequence[Any] = ()
    update: Callable[[Labels, str, gr.Request], Sequence[Any]] = field(default=lambda *_: ())
