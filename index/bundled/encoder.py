"""The bundled encoder as a sentence-transformers module: text in, token states out.

Importing this imports torch and sentence-transformers (seconds): `index.embedder` does so when a model is
loaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from sentence_transformers.base.modules import InputModule
from tokenizers import Tokenizer

from index.bundled import CONFIG_FILE, NETWORK_FILE, TOKENIZER_FILE, WEIGHTS_FILE
from index.bundled.network import Network


class OpenVinoEncoder(InputModule):
    """A BERT encoder that runs on OpenVINO inside a `SentenceTransformer`.

    Its features are those of sentence-transformers' own `Transformer` module: `input_ids` and
    `attention_mask` (texts, tokens) int64, then `token_embeddings` (texts, tokens, hidden) float32, zeros
    under the mask. Texts longer than `max_seq_length` tokens, prompt and special tokens included, are
    truncated at the end.
    """

    config_file_name: str = CONFIG_FILE
    config_keys: list[str] = ["max_seq_length"]  # noqa: RUF012 - declared so by the base class

    def __init__(self, folder: Path, *, max_seq_length: int, threads: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._folder = folder
        self.max_seq_length = max_seq_length
        # Never given truncation or padding of its own, so that others may count tokens with it.
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._network = Network(folder / NETWORK_FILE, threads=threads)

    @classmethod
    def load(  # type: ignore[override]
        cls, model_name_or_path: str, *, subfolder: str = "", threads: int = 0, **_: Any
    ) -> Self:
        """The module in the folder `model_name_or_path`; `threads` 0 means all CPU cores."""
        folder = Path(model_name_or_path, subfolder)
        return cls(folder, threads=threads, **cls.load_config(str(folder)))

    def get_embedding_dimension(self) -> int:
        """Width of a token state."""
        return self._network.hidden

    def preprocess(  # type: ignore[override]
        self, inputs: Sequence[str], prompt: str | None = None, **_: Any
    ) -> dict[str, torch.Tensor]:
        """Token ids and attention mask of the texts, each with `prompt` before it."""
        encodings = self.tokenizer.encode_batch([(prompt or "") + text for text in inputs])
        rows = [self._truncated(encoding.ids) for encoding in encodings]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(longest)[None, :] < lengths[:, None]).to(torch.int64)
        return {"input_ids": ids, "attention_mask": mask}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Adds `token_embeddings` to `features`."""
        ids: torch.Tensor = features["input_ids"]
        lengths = features["attention_mask"].sum(dim=1).tolist()
        rows = [row[:length] for row, length in zip(ids.tolist(), lengths, strict=True)]
        states = torch.zeros(*ids.shape, self._network.hidden)
        for position, row_states in enumerate(self._network.states(rows)):
            states[position, : len(row_states)] = torch.from_numpy(row_states)
        features["token_embeddings"] = states
        return features

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Copies the module's files to `output_path`."""
        self.save_config(output_path)
        for name in (TOKENIZER_FILE, NETWORK_FILE, WEIGHTS_FILE):
            shutil.copyfile(self._folder / name, Path(output_path, name))

    def _truncated(self, ids: list[int]) -> list[int]:
        """At most `max_seq_length` ids, of which the last stays the end-of-text token."""
        return ids if len(ids) <= self.max_seq_length else [*ids[: self.max_seq_length - 1], ids[-1]]
