"""The reader's training: a run from a SQuAD file to spans, and what `rag doctor` says of a reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reader_towns import needs_package

from eval.learning import train
from index.errors import ModelError
from rag.asking import Ask
from rag.assistant import Assistant
from rag.doctor import check_reader
from rag.reader.encode import PairEncoder, pad, span_scores
from rag.reader.openvino_reader import Reader
from rag.settings import RagSettings


@pytest.fixture(scope="module")
def trained(squad_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a smoke run; its exit code says that the loss fell."""
    path = tmp_path_factory.mktemp("run") / "reader.safetensors"
    assert train.main([str(squad_folder), "--out", str(path), "--smoke"]) == 0
    return path


@needs_package
class TestRun:
    def test_gives_spans_of_the_windows(self, trained: Path) -> None:
        windows = ["Alby lies on the river. In 1200 the square was built.", "", "Folket säljer ull."]
        readings = Reader.load(trained).read("When was the square in Alby built?", windows)
        assert len(readings) == len(windows)
        for reading, window in zip(readings, windows, strict=True):
            assert 0 <= reading.answered <= 1
            assert reading.answered == pytest.approx(1 / (1 + np.exp(-reading.logit)))
            assert (reading.best is None) == (not window)
            assert reading.covers(0, len(window)) == pytest.approx(1.0 if window else 0.0)
            if reading.best is not None:
                assert 0 <= reading.best.start < reading.best.end <= len(window)
                assert reading.covers(reading.best.start, reading.best.end) > reading.covers(0, 0) == 0.0

    def test_runs_alike_on_openvino_and_torch(self, trained: Path, pair_encoder: PairEncoder) -> None:
        import torch

        from eval.learning.model import load_model

        question, window = (
            "What do people in Borna sell?",
            "Borna ligger vid floden. Folket säljer järn varje dag.",
        )
        rows = pair_encoder.rows([question], [window])
        batch = pad(rows)
        with torch.no_grad():
            scores = load_model(trained)(*map(torch.from_numpy, (batch.ids, batch.mask, batch.passage)))
        start, end = scores.start[0].numpy(), scores.end[0].numpy()
        (reading,) = Reader.load(trained).read(question, [window])
        assert reading.best is not None
        margin = float(span_scores(rows[0], start, end).max() - start[0] - end[0])
        assert reading.best.margin == pytest.approx(margin, abs=0.35)  # activations of 8 bits
        assert reading.answered == pytest.approx(float(torch.sigmoid(scores.answered[0])), abs=0.05)

    def test_leaves_the_lowest_layers_as_they_are(self, trained: Path) -> None:
        from eval.learning.model import ReaderModel
        from rag.reader.weights import read_weights

        weights, bundled = read_weights(trained)[0], ReaderModel().stored()
        changed = {
            name.split(".")[1]
            for name, value in weights.items()
            if name.startswith("layers.") and abs(value - bundled[name].detach().numpy()).max() > 1e-3
            if name.endswith("bias")
        }
        assert changed == {str(number) for number in range(train.SMOKE.frozen, 12)}

    def test_writes_its_recipe(self, trained: Path, squad_folder: Path) -> None:
        from rag.reader.weights import read_weights

        recipe = read_weights(trained)[1]
        assert recipe["steps"] == train.SMOKE.steps
        assert set(recipe["data"]) == {path.name for path in squad_folder.iterdir()}  # type: ignore[call-overload]
        assert trained.stat().st_size < 45_000_000

    def test_goes_on_where_it_stopped(self, trained: Path, squad_folder: Path) -> None:
        arguments = [str(squad_folder), "--out", str(trained), "--smoke", "--resume"]
        assert train.main(arguments) == 0, "all steps are done: it only writes the file again"
        lines = trained.with_name(trained.name + ".log.jsonl").read_text(encoding="utf-8").splitlines()
        scored = [json.loads(line) for line in lines]
        assert [line["step"] for line in scored] == [train.SMOKE.steps] * 2
        assert set(scored[0]["f1"]) == {"en-en", "en-sv", "sv-sv"}
        assert scored[0]["f1"] == scored[1]["f1"], "the same weights on the same sample"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            pytest.param(["--resume"], "no checkpoint", id="nothing-to-resume"),
            pytest.param(["--hold-out", "5"], "fold from 0 to 4", id="no-such-fold"),
        ],
    )
    def test_tells_a_wrong_call(
        self,
        squad_folder: Path,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        arguments: list[str],
        message: str,
    ) -> None:
        assert (
            train.main([str(squad_folder), "--out", str(tmp_path / "r.safetensors"), "--smoke", *arguments])
            == 2
        )
        assert message in caplog.text

    def test_a_file_of_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other.safetensors").write_bytes(b"x" * 100)
        with pytest.raises(ModelError, match=r"eval\.learning\.train"):
            Reader.load(tmp_path / "other.safetensors")

    def test_has_its_say_in_answers(self, trained: Path, seed_settings: RagSettings) -> None:
        settings = seed_settings.model_copy(update={"reader_model": str(trained)})
        with Assistant.open(settings) as assistant:
            answer = assistant.answer(Ask("How many open datasets did Can Tho publish?"))
            assert answer.citations
            for citation in answer.citations:
                document = assistant.corpus.document(citation.document_id)
                assert document is not None
                assert document.text[citation.start : citation.end] == citation.quote
            evidence = assistant.look(Ask("How many open datasets did Can Tho publish?")).evidence
        assert len(evidence.reads) == len(evidence.hits)
        assert all(support.features.margin is not None for support in evidence.supports)
        assert 0 < evidence.answered < 1


class TestDoctor:
    def test_is_content_without_a_reader(self, seed_settings: RagSettings) -> None:
        check = check_reader(seed_settings.model_copy(update={"reader_model": "off"}))
        assert (check.ok, check.detail) == (True, "off: answers are chosen by similarity alone")

    @pytest.mark.parametrize(
        "content", [None, b"", b"not a reader"], ids=["missing", "empty", "something else"]
    )
    def test_names_a_file_that_is_none(
        self, seed_settings: RagSettings, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "reader.safetensors"
        if content is not None:
            path.write_bytes(content)
        check = check_reader(seed_settings.model_copy(update={"reader_model": str(path)}))
        assert not check.ok
        assert str(path) in check.detail
        assert check.remedy.startswith("unset RAG_READER_MODEL")
