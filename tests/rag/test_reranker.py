"""The optional cross-encoder: any that sentence-transformers loads, here a tiny one with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import ModelError
from rag.asking import Ask
from rag.assistant import Assistant
from rag.matching.reranker import Reranker


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("cross-encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_the_same_hits_in_another_order(assistant: Assistant, cross_encoder: Path) -> None:
    hits = assistant.look(Ask("How many open datasets did Can Tho publish?")).evidence.hits
    reranked = Reranker(str(cross_encoder)).rerank("a question", hits)
    assert {hit.chunk.id for hit in reranked} == {hit.chunk.id for hit in hits}
    assert [hit.score for hit in reranked] == sorted((hit.score for hit in hits), reverse=True)


def test_a_wrong_name_says_which_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="RAG_RERANK_MODEL"):
        Reranker(str(tmp_path / "nothing"))
