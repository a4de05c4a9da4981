"""How long texts are for a language model, counted with a vocabulary that is on this machine.

o200k_base stands in for all models: it cuts every script into few pieces. A model with a smaller vocabulary
needs more tokens for the same text (docs/language-models.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

# Longer runs without a space make the tokenizer slow in the square of their length. Chosen.
_SLICE = 2_000


def count_tokens(texts: Sequence[str]) -> list[int]:
    """The tokens of each text. Words that are commands to some models ("<|endoftext|>") count as plain text."""
    return [sum(len(part) for part in _encoded(text)) for text in texts]


def fit(text: str, tokens: int) -> str:
    """The text, or its beginning with an ellipsis where it has more than `tokens` tokens; never half a letter."""
    left = tokens
    for number, part in enumerate(_encoded(text)):
        if len(part) > left:
            begun = _vocabulary().decode_bytes(part[:left]).decode("utf-8", errors="ignore")
            return f"{text[: number * _SLICE]}{begun}".rstrip() + "…"
        left -= len(part)
    return text


def _encoded(text: str) -> list[list[int]]:
    slices = [text[start : start + _SLICE] for start in range(0, len(text), _SLICE)]
    return [_vocabulary().encode_ordinary(part) for part in slices]


@cache
def _vocabulary() -> Encoding:
    # llama-index ships the file; tiktoken would fetch it from the network. A user's own folder is left as it is.
    spec = find_spec("llama_index.core")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(Path(folder) / "_static" / "tiktoken_cache"))
    import tiktoken  # half a second with its vocabulary, and only where a model is asked

    return tiktoken.get_encoding("o200k_base")
