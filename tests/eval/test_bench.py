"""`python -m eval.bench` on a corpus of a few sentences: the command, its report, its corpora and its clock."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from eval.bench.__main__ import main
from eval.bench.corpora import fill
from eval.bench.foreign_texts import main as foreign_texts
from eval.bench.stages import REST, Clock, Door
from index.catalogue import Catalogue

PARAGRAPHS = {
    "en": ["The harbour opened in 1921. It has 14 quays and a light.", "Ada Berg drew the bridge in Lund."],
    "sv": ["Hamnen öppnade 1921. Den har 14 kajer och en fyr.", "Ada Berg ritade bron i Lund."],
}
QUESTIONS = {
    "en": [
        "When did the harbour open?",
        "How many quays has it?",
        "Who drew the bridge?",
        "Where is the bridge?",
    ],
    "sv": ["När öppnade hamnen?", "Hur många kajer har den?", "Vem ritade bron?", "Var är bron?"],
}


@pytest.fixture(scope="module")
def xquad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xquad")
    for language, paragraphs in PARAGRAPHS.items():
        asked = [
            {"id": f"{language}{i}", "question": question, "answers": []}
            for i, question in enumerate(QUESTIONS[language])
        ]
        article = {
            "title": "Harbour",
            "paragraphs": [
                {"context": text, "qas": asked if i == 0 else []} for i, text in enumerate(paragraphs)
            ],
        }
        (folder / f"xquad.{language}.json").write_text(json.dumps({"data": [article]}), encoding="utf-8")
    return folder


@pytest.fixture
def work(tmp_path: Path, model_dir: Path) -> Path:
    """A place to work with the embedding model in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "models").symlink_to(model_dir.resolve(), target_is_directory=True)
    return folder


def test_the_report_has_every_part_and_is_not_measured_twice(xquad: Path, work: Path, tmp_path: Path) -> None:
    report, text = tmp_path / "report.json", tmp_path / "report.md"
    arguments = [
        *(str(xquad), "--quick", "--parts", "indexing,answering", "--ways", "polycite", "--no-reader"),
        *("--work", str(work), "--json", str(report), "--markdown", str(text)),
    ]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(report.read_text(encoding="utf-8"))
    indexed = found["indexing"]["ways"]["polycite"]
    assert found["indexing"]["files"] == 4
    assert 0 < indexed["embedding"] < indexed["seconds"]
    assert indexed["tokens_embedded"] > found["indexing"]["tokens"] > 0
    answered = found["answering"]["100"]
    assert answered["corpus"]["chunks"] >= 100 > answered["corpus"]["real"] == 2
    assert answered["recall"]["chunks"] >= 0.95
    assert 0 <= answered["without_reader"]["embedding"]["p50"] < answered["without_reader"]["total"]["p50"]
    assert found["machine"]["cores"]
    assert "| total |" in text.read_text(encoding="utf-8")
    again = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert again.exit_code == 0
    assert " done, " not in again.stderr
    assert json.loads(report.read_text(encoding="utf-8")) == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--sizes", "many"], "100,10000", id="sizes that are no numbers"),
        pytest.param(["--parts", "everything"], "indexing, answering, start", id="an unknown part"),
    ],
)
def test_a_wrong_call_says_what_is_allowed(xquad: Path, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(main, [str(xquad), *arguments])
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_made_corpus_is_sound_and_grows_where_it_was(model_dir: Path, tmp_path: Path) -> None:
    texts = {language: "\n\n".join(paragraphs) for language, paragraphs in PARAGRAPHS.items()}
    first = fill(tmp_path / "index", texts, chunks=5, models=model_dir)
    assert (first["chunks"], first["real"]) == (5, 2)
    second = fill(tmp_path / "index", texts, chunks=9, models=model_dir)
    assert (second["chunks"], second["real"]) == (9, 2)
    with Catalogue.open(tmp_path / "index") as catalogue:
        assert catalogue.check() == []
        generation = catalogue.live()
        assert generation is not None
        reader = catalogue.reader(generation)
        (block,) = reader.blocks("sentences")
        cosines = block.vectors @ block.vectors.T - np.eye(len(block.rows))
        assert cosines.max() < 0.9999, "no two rows are the same"
        documents = [reader.document(info.id) for info in reader.documents() if info.folder == "made"]
    for document in documents:
        assert document is not None
        real = next(text for text in texts.values() if len(text) == len(document.text))
        assert sorted(document.text.replace("\n\n", " ").split()) != real.split()
        assert sorted(document.text) == sorted(real)


def test_a_stage_within_another_counts_for_itself_alone() -> None:
    clock = Clock()

    class Inner:
        def slow(self) -> int:
            time.sleep(0.02)
            return 7

    door = Door(Inner(), clock, {"slow": "inner"})
    with clock.stage(REST):
        assert door.slow() == 7
    spent = clock.spent()
    assert spent["inner"] >= 0.02
    assert spent.keys() == {"inner", REST}
    assert clock.spent() == {}


def test_foreign_text_takes_time_in_proportion_to_its_length() -> None:
    kinds = ["opening quotes", "one Chinese sentence", "digits", "codes", "spaces", "Markdown marks"]
    options = [part for kind in kinds for part in ("--kind", kind)]
    ran = CliRunner().invoke(foreign_texts, ["--size", "4000", "--size", "40000", *options])
    assert ran.exit_code == 0, ran.output
    assert [line.split(" | ")[0] for line in ran.stdout.splitlines()[2:]] == [f"| {kind}" for kind in kinds]
