"""The embedder's contract, on the bundled model and on one of sentence-transformers."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from texts import MULTI_SCRIPT, by_id

from index.bundled import build
from index.embedder import Embedder, load_embedder
from index.errors import ModelError
from index.settings import IndexSettings
from index.token_batches import token_batches

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights as a sentence-transformers folder: 16 wide, 32 tokens, prompts of its own."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ask", "text", ":", *"abcdefgh"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    plain = folder / "plain"
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(plain)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(plain)
    model = SentenceTransformer(
        modules=[Transformer(str(plain), max_seq_length=32), Pooling(16, "mean")],
        prompts={"query": "ask: ", "passage": "text: "},
        device="cpu",
    )
    model.save(str(folder / "saved"))
    return folder / "saved"


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return load_embedder(IndexSettings(data_dir=tmp_path_factory.mktemp("d"), embed_model=str(tiny_folder)))


@pytest.fixture(params=["bundled", "tiny"])
def any_embedder(request: pytest.FixtureRequest) -> Embedder:
    """Every model must keep the contract."""
    name = {"bundled": "embedder", "tiny": "tiny"}[request.param]
    chosen: Embedder = request.getfixturevalue(name)
    return chosen


class TestContract:
    def test_rows_are_unit_float32(self, any_embedder: Embedder) -> None:
        for vectors in (
            any_embedder.embed_passages(list(MULTI_SCRIPT.values())),
            any_embedder.embed_queries(list(MULTI_SCRIPT.values())),
        ):
            assert vectors.shape == (len(MULTI_SCRIPT), any_embedder.dimension)
            assert vectors.dtype == np.float32
            assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)

    def test_nothing_in_nothing_out(self, any_embedder: Embedder) -> None:
        for vectors in (any_embedder.embed_passages([]), any_embedder.embed_queries([])):
            assert vectors.shape == (0, any_embedder.dimension)
            assert vectors.dtype == np.float32
        assert any_embedder.count_tokens([]) == []

    @pytest.mark.parametrize(
        "text", ["", " ", "\n\t", "\U00013000\U0001f9ff\ue000", "a" * 40_000, "a b " * 5_000]
    )
    def test_any_text_has_a_unit_row(self, any_embedder: Embedder, text: str) -> None:
        assert np.linalg.norm(any_embedder.embed_passages([text, "a b c"]), axis=1) == pytest.approx(
            1, abs=1e-5
        )

    def test_order_is_kept_whatever_the_lengths(self, any_embedder: Embedder) -> None:
        texts = [" ".join("abcdefgh"[: 1 + i % 7]) * (1 + (i * 7) % 5) for i in range(24)]
        together = any_embedder.embed_passages(texts)
        alone = np.concatenate([any_embedder.embed_passages([text]) for text in texts])
        assert (together * alone).sum(axis=1).min() > 0.999

    def test_progress_adds_up(self, any_embedder: Embedder) -> None:
        done: list[int] = []
        any_embedder.embed_passages(["a b", "a", "c d e"] * 5, progress=done.append)
        assert sum(done) == 15

    def test_what_fits_is_read_and_the_rest_is_cut_off(self, any_embedder: Embedder) -> None:
        unit = " a b"
        (unit_tokens,) = any_embedder.count_tokens([unit])
        fits = unit * (any_embedder.max_tokens // unit_tokens)
        assert any_embedder.count_tokens([fits])[0] <= any_embedder.max_tokens
        short, fitting, longer, longest = any_embedder.embed_passages(
            [fits[: len(fits) // 2] + " c", fits, fits + unit * 50 + " c", fits + unit * 50 + " d"]
        )
        assert longer @ longest > 0.9999
        assert short @ fitting < 0.9999

    def test_questions_and_passages_differ_by_their_prompts(self, any_embedder: Embedder) -> None:
        assert any_embedder.query_prompt
        assert any_embedder.passage_prompt
        query, passage = any_embedder.embed_queries(["a"]), any_embedder.embed_passages(["a"])
        assert (query * passage).sum() < 0.9999


@pytest.fixture(scope="module")
def tokenizer(embedder: Embedder, model_dir: Path) -> Tokenizer:
    """The bundled model's tokenizer, read from its folder once more."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(build.model_folder(build.require_source(), model_dir) / "tokenizer.json"))


class TestBundled:
    def test_says_what_it_is(self, embedder: Embedder) -> None:
        assert (embedder.dimension, embedder.query_prompt, embedder.passage_prompt) == (
            384,
            "query: ",
            "passage: ",
        )
        assert embedder.name == "multilingual-e5-small"
        assert 480 < embedder.max_tokens < 512

    @pytest.mark.parametrize("text", by_id(MULTI_SCRIPT))
    def test_counts_tokens_as_the_tokenizer_does(
        self, embedder: Embedder, tokenizer: Tokenizer, text: str
    ) -> None:
        assert embedder.count_tokens([text]) == [len(tokenizer.encode(text, add_special_tokens=False).ids)]

    def test_the_same_question_is_near_itself_in_other_languages(self, embedder: Embedder) -> None:
        questions = embedder.embed_queries([MULTI_SCRIPT["bengali"], MULTI_SCRIPT["english"], "Vem är du?"])
        assert questions[0] @ questions[1] > questions[0] @ questions[2]

    def test_many_threads_get_their_own_answers(self, embedder: Embedder) -> None:
        from concurrent.futures import ThreadPoolExecutor

        texts = list(MULTI_SCRIPT.values())
        expected = embedder.embed_queries(texts)
        with ThreadPoolExecutor(4) as pool:
            single = list(pool.map(lambda text: embedder.embed_queries([text])[0], texts))
            whole = list(pool.map(lambda _: embedder.embed_queries(texts), range(4)))
        assert (np.stack(single) * expected).sum(axis=1).min() > 0.999
        assert all((rows * expected).sum(axis=1).min() > 0.999 for rows in whole)


class TestOtherModels:
    def test_declared_prompts_are_used(self, tiny: Embedder, tiny_folder: Path) -> None:
        from sentence_transformers import SentenceTransformer

        assert (tiny.query_prompt, tiny.passage_prompt) == ("ask: ", "text: ")
        model = SentenceTransformer(str(tiny_folder), device="cpu")
        raw = model.encode(["ask: a b", "text: a b"], prompt="")
        raw = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        assert tiny.embed_queries(["a b"])[0] == pytest.approx(raw[0], abs=1e-5)
        assert tiny.embed_passages(["a b"])[0] == pytest.approx(raw[1], abs=1e-5)

    def test_room_is_what_prompt_and_special_tokens_leave(self, tiny: Embedder) -> None:
        assert tiny.max_tokens == 32 - len(["[CLS]", "[SEP]"]) - len(["text", ":"])

    def test_revision_follows_the_files(self, tiny_folder: Path, tmp_path: Path) -> None:
        import shutil

        copy = tmp_path / "copy"
        shutil.copytree(tiny_folder, copy)
        settings = IndexSettings(data_dir=tmp_path, embed_model=str(copy))
        first = load_embedder(settings)
        assert first.revision == load_embedder(settings).revision
        config = copy / "config_sentence_transformers.json"
        config.write_text(config.read_text().replace("ask: ", "find: "))
        changed = load_embedder(settings)
        assert changed.query_prompt == "find: "
        assert changed.revision != first.revision

    @pytest.mark.parametrize(
        "name",
        [
            "no-such-model",
            "nobody/no-such-model",
            "/no/such/folder",
            "./nowhere",
            "~/nowhere-at-all",
            "a/b/c",
        ],
    )
    def test_a_wrong_name_is_a_quick_error(self, tmp_path: Path, name: str) -> None:
        start = time.monotonic()
        with pytest.raises(ModelError, match=r"RAG_EMBED_MODEL: .*bundled.*folder.*hub") as caught:
            load_embedder(IndexSettings(data_dir=tmp_path, embed_model=name))
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
        assert time.monotonic() - start < 30

    def test_a_folder_without_a_model_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="RAG_EMBED_MODEL"):
            load_embedder(IndexSettings(data_dir=tmp_path, embed_model=str(tmp_path)))

    def test_without_the_package_the_hub_name_is_used_and_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        # The state of a platform without a build; everything after the look-up is real.
        monkeypatch.setattr(build, "find_source", lambda: None)
        with (
            caplog.at_level(logging.WARNING),
            pytest.raises(ModelError, match="intfloat/multilingual-e5-small"),
        ):
            load_embedder(IndexSettings(data_dir=tmp_path))
        assert "does not exist for this platform" in caplog.text


class TestTokenBatches:
    @pytest.mark.parametrize(
        ("lengths", "budget", "expected"),
        [
            pytest.param([], 10, [], id="empty"),
            pytest.param([3], 10, [[0]], id="one"),
            pytest.param([0, 0, 0], 2, [[0, 1], [2]], id="empty-texts-cost-one"),
            pytest.param([5, 1, 5, 1], 10, [[0, 2], [1, 3]], id="similar-lengths-together"),
            pytest.param([50, 2, 3], 10, [[0], [2, 1]], id="longer-than-the-budget"),
        ],
    )
    def test_groups(self, lengths: list[int], budget: int, expected: list[list[int]]) -> None:
        assert token_batches(lengths, budget) == expected

    def test_every_text_once_within_the_budget(self) -> None:
        lengths = [(i * 37) % 101 for i in range(300)]
        batches = token_batches(lengths, 256)
        assert sorted(index for batch in batches for index in batch) == list(range(300))
        assert all(max(lengths[i] for i in batch) * len(batch) <= 256 for batch in batches)
