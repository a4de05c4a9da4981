"""The reader's training: its data, its changes of text, its encoding, and a run from a SQuAD file to spans."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest

from index.bundled import build
from index.errors import ModelError, UsageError
from rag.assistant import Assistant
from rag.doctor import check_reader
from rag.question import analyse
from rag.reader import train
from rag.reader.augment import ask_of_another, latin_names, names_in, to_bengali_script, with_digits
from rag.reader.data import Ask, read_corpus
from rag.reader.encode import LONGEST_ANSWER, LONGEST_ROW, PairEncoder, Row, best_spans, pad, token_span
from rag.reader.examples import Examples
from rag.reader.openvino_reader import Reader
from rag.reader.score import token_f1
from rag.settings import RagSettings

needs_package = pytest.mark.skipif(build.find_source() is None, reason="the bundled model is not installed")

TOWNS = ("Alby", "Borna", "Celje", "Dalen", "Ekero", "Fagersta")
GOODS = (
    ("bread", "bröd"),
    ("iron", "järn"),
    ("wool", "ull"),
    ("salt", "salt"),
    ("glass", "glas"),
    ("tea", "te"),
)


def _squad(language: str) -> dict[str, object]:
    """Six articles of two paragraphs, each with a question about a number and one about goods."""
    swedish = language == "sv"
    articles = []
    for a, town in enumerate(TOWNS):
        paragraphs = []
        for p in range(2):
            count, goods = str(1200 + 10 * a + p), GOODS[(a + p) % 6][swedish]
            context = (
                f"{town} ligger vid floden. År {count} byggdes torget. Folket säljer {goods} varje dag."
                if swedish
                else f"{town} lies on the river. In {count} the square was built. People sell {goods} every day."
            )
            asked = (
                [f"När byggdes torget i {town}?", f"Vad säljer folket i {town}?"]
                if swedish
                else [f"When was the square in {town} built?", f"What do people in {town} sell?"]
            )
            answers = [count, goods]
            qas = [
                {
                    "id": f"{a}-{p}-{n}",
                    "question": question,
                    "answers": [{"text": answer, "answer_start": context.index(f" {answer} ") + 1}],
                }
                for n, (question, answer) in enumerate(zip(asked, answers, strict=True))
            ]
            nowhere = {
                "id": f"{a}-{p}-x",
                "question": f"Who rules {town}?",
                "answers": [],
                "is_impossible": True,
            }
            paragraphs.append({"context": context, "qas": [*qas, nowhere]})
        articles.append({"title": town, "paragraphs": paragraphs})
    return {"data": articles}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the same SQuAD articles in two languages."""
    path = tmp_path_factory.mktemp("squad")
    for language in ("en", "sv"):
        (path / f"towns.{language}.json").write_text(json.dumps(_squad(language)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def encoder() -> PairEncoder:
    return PairEncoder.bundled()


class TestCorpus:
    def test_joins_translations_by_question_id(self, folder: Path) -> None:
        corpus = read_corpus(folder)
        assert len(corpus.passages) == 6 * 2
        assert all(set(passage.contexts) == {"en", "sv"} for passage in corpus.passages)
        answers = {
            passage.contexts[language][place.start : place.end]
            for passage in corpus.passages
            for language, place in passage.asks.get("0-0-1", Ask("")).answers.items()
        }
        assert answers == {"bread", "bröd"}

    def test_keeps_what_is_not_answered_without_answers(self, folder: Path) -> None:
        asks = [ask for passage in read_corpus(folder).passages for ask in passage.asks.values()]
        assert sum(not ask.answers for ask in asks) == 6 * 2

    def test_parts_articles_into_folds(self, folder: Path) -> None:
        corpus = read_corpus(folder)
        inside, outside = corpus.fold(0, inside=True), corpus.fold(0, inside=False)
        assert {p.article for p in inside.passages} == {"Alby", "Fagersta"}  # places 0 and 5 of 6
        assert len(inside.passages) + len(outside.passages) == len(corpus.passages)

    @pytest.mark.parametrize("articles", [1, 3, 6, 9])
    def test_fewer_articles_are_whole_articles(self, folder: Path, articles: int) -> None:
        corpus = read_corpus(folder)
        fewer = corpus.fewer(articles)
        kept = {passage.article for passage in fewer.passages}
        assert len(kept) == min(articles, 6)
        assert fewer.passages == tuple(p for p in corpus.passages if p.article in kept)
        assert fewer.hashes == corpus.hashes

    def test_reads_judged_passages(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "towns.en.json").write_bytes((folder / "towns.en.json").read_bytes())
        line = {"question": "Who?", "lang": "en", "answerable": False, "passages": [{"text": "Nobody."}]}
        lines = [line, {**line, "answerable": True}]
        (tmp_path / "judged.jsonl").write_text("\n".join(json.dumps(entry) for entry in lines))
        (judged,) = read_corpus(tmp_path).unanswered
        assert judged.passages == ("Nobody.",)
        (texts,) = read_corpus(tmp_path).texts
        assert texts.passages == ("Nobody.",), "an answered question lends its passages as plain text"

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            pytest.param("a.en.json", "{}", id="no-data"),
            pytest.param("a.en.json", "[", id="no-json"),
            pytest.param("a.txt", "text", id="nothing-to-read"),
        ],
    )
    def test_refuses_other_files(self, tmp_path: Path, name: str, content: str) -> None:
        (tmp_path / name).write_text(content)
        with pytest.raises(UsageError, match="SQuAD file"):
            read_corpus(tmp_path)


class TestChanges:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("भारत।", "ভারত।", id="the-danda-stays"),
            pytest.param("वर्ष २०२४", "বর্ষ ২০২৪", id="letters-without-a-twin"),
            pytest.param("In 2024", "In 2024", id="other-scripts-stay"),
            pytest.param("", "", id="empty"),
        ],
    )
    def test_to_bengali_script(self, text: str, expected: str) -> None:
        assert to_bengali_script(text) == expected
        assert len(to_bengali_script(text)) == len(text)

    @pytest.mark.parametrize(
        ("script", "expected"), [("bengali", "১২,৫ och ৯"), ("latin", "12,5 och 9"), ("arabic", "١٢,٥ och ٩")]
    )
    def test_with_digits(self, script: str, expected: str) -> None:
        assert with_digits("12,5 och ९", script) == expected

    def test_finds_names_by_sound(self) -> None:
        texts = {"en": "When did Luther leave Rome?", "hi": "लूथर ने रोम कब छोड़ा?"}
        assert [name.english for name in names_in(texts, "hi")] == ["Luther"]
        assert latin_names(texts, "hi") == "Luther ने रोम कब छोड़ा?"

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize(
        "question",
        [
            pytest.param("What did Anna Berg sell in 1957?", id="name-and-year"),
            pytest.param("What happened in 1957?", id="year"),
            pytest.param("Who saw Anna Berg?", id="name"),
        ],
    )
    def test_asks_something_else(self, question: str, seed: int) -> None:
        others = ["Anna Lund", "Karl Ek", "anna berg"]
        changed = ask_of_another(Random(seed), {"en": question}, "en", others)
        assert changed is not None
        assert changed != question
        assert "Anna Lund" not in changed, "a name that shares a word may be the same person"

    def test_leaves_a_question_without_names_and_numbers(self) -> None:
        assert ask_of_another(Random(0), {"en": "What is sold?"}, "en", ["Karl Ek"]) is None


@pytest.fixture(scope="module")
def examples(folder: Path, encoder: PairEncoder) -> Examples:
    corpus = read_corpus(folder)
    similar = {ask: [place ^ 1] for place, p in enumerate(corpus.passages) for ask in p.asks}
    return Examples(corpus, count=encoder.count, similar=similar, seed=3)


@needs_package
class TestExamples:
    def test_depend_on_their_number_alone(self, examples: Examples) -> None:
        assert [examples.draw(i) for i in (5, 6)] == [examples.draw(i) for i in (6, 5)][::-1]

    def test_hold_the_answer_or_none(self, examples: Examples) -> None:
        drawn = [examples.draw(i) for i in range(400)]
        answered = [e for e in drawn if e.answer is not None]
        assert 0.55 < len(answered) / len(drawn) < 0.9
        known = {goods for pair in GOODS for goods in pair} | {
            str(1200 + 10 * a + p) for a in range(6) for p in (0, 1)
        }
        for example in answered:
            assert example.answer is not None
            words = with_digits(example.window[example.answer.start : example.answer.end], "latin")
            assert words in known
        assert {e.kind for e in drawn} >= {
            "answered",
            "swapped",
            "similar",
            "foreign",
            "impossible",
            "elsewhere",
        }
        assert len(Counter((e.asked, e.read) for e in drawn)) == 2 * 2


@needs_package
class TestEncoding:
    @pytest.mark.parametrize(
        ("window", "answer"),
        [
            pytest.param("Torget byggdes 1957 i Malmö.", "1957", id="latin"),
            pytest.param("पुल १९५७ में बना।", "१९५७", id="devanagari"),
            pytest.param("সেতুটি ১৯৫৭ সালে তৈরি।", "১৯৫৭", id="bengali"),
            pytest.param("Cầu được xây năm 1957.", "năm 1957", id="two-words"),
        ],
    )
    def test_finds_the_tokens_of_a_span(self, encoder: PairEncoder, window: str, answer: str) -> None:
        (row,) = encoder.rows(["When?"], [window])
        start = window.index(answer)
        span = token_span(row, start, start + len(answer))
        assert span is not None
        first, last = (row.offsets[place - row.first] for place in span)
        assert answer in window[first[0] : last[1]]
        assert first[0] == start

    def test_cuts_a_long_window_at_its_end(self, encoder: PairEncoder) -> None:
        window = "word " * 1000
        (row,) = encoder.rows(["why " * 500], [window])
        assert len(row.ids) == LONGEST_ROW
        assert token_span(row, len(window) - 5, len(window)) is None

    def test_pads_to_the_longest(self, encoder: PairEncoder) -> None:
        rows = encoder.rows(["Who?", "Who was it then?"], ["", "Anna"])
        batch = pad(rows)
        assert batch.mask.sum(axis=1).tolist() == [len(row.ids) for row in rows]
        assert batch.passage.sum(axis=1).tolist() == [0, len(rows[1].offsets)]

    @pytest.mark.parametrize("size", [1, 2, 7, 60])
    def test_best_spans_are_those_of_the_slow_way(self, size: int) -> None:
        random = np.random.default_rng(size)
        start, end = random.normal(size=(2, size + 3)).astype(np.float32)
        row = Row(ids=tuple(range(size + 3)), first=2, offsets=tuple((i, i + 1) for i in range(size)))
        slow = max(
            (float(start[2 + i] + end[2 + j]), i, j + 1)
            for i in range(size)
            for j in range(i, min(size, i + LONGEST_ANSWER))
        )
        found = best_spans(row, start, end, count=3)
        assert (found[0].score, found[0].start, found[0].end) == slow
        covered = [place for span in found for place in range(span.start, span.end)]
        assert len(covered) == len(set(covered))

    def test_no_span_in_an_empty_window(self) -> None:
        row = Row(ids=(0, 2, 2, 2), first=3, offsets=())
        assert best_spans(row, np.zeros(4, np.float32), np.zeros(4, np.float32)) == []


@pytest.mark.parametrize(
    ("found", "right", "language", "expected"),
    [
        pytest.param("the Red House", "red house", "en", 1.0, id="articles-and-case"),
        pytest.param("Anna Berg", "Anna", "sv", 2 * 1 / (2 + 1), id="one-word-more"),
        pytest.param("১৯৫৭", "1957", "bn", 1.0, id="digits-of-any-script"),
        pytest.param("北京市", "北京", "zh", 2 * 2 / (3 + 2), id="by-character"),
        pytest.param("", "x", "en", 0.0, id="nothing"),
    ],
)
def test_token_f1(found: str, right: str, language: str, expected: float) -> None:
    assert token_f1(found, right, language) == pytest.approx(expected)


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a smoke run; its exit code says that the loss fell."""
    path = tmp_path_factory.mktemp("run") / "reader.safetensors"
    assert train.main([str(folder), "--out", str(path), "--smoke"]) == 0
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
            assert (reading.best is None) == (reading.over_none is None) == (not window)
            assert reading.covers(0, len(window)) == pytest.approx(1.0 if window else 0.0)
            if reading.best is not None:
                assert 0 <= reading.best.start < reading.best.end <= len(window)
                assert reading.covers(reading.best.start, reading.best.end) > reading.covers(0, 0) == 0.0

    def test_runs_alike_on_openvino_and_torch(self, trained: Path, encoder: PairEncoder) -> None:
        import torch

        from rag.reader.model import load_model

        question, window = (
            "What do people in Borna sell?",
            "Borna ligger vid floden. Folket säljer järn varje dag.",
        )
        rows = encoder.rows([question], [window])
        batch = pad(rows)
        with torch.no_grad():
            scores = load_model(trained)(*map(torch.from_numpy, (batch.ids, batch.mask, batch.passage)))
        (best,) = best_spans(rows[0], scores.start[0].numpy(), scores.end[0].numpy())
        (reading,) = Reader.load(trained).read(question, [window])
        assert reading.best is not None
        assert reading.best.score == pytest.approx(best.score, abs=0.35)  # activations of 8 bits
        assert reading.answered == pytest.approx(float(torch.sigmoid(scores.answered[0])), abs=0.05)

    def test_leaves_the_lowest_layers_as_they_are(self, trained: Path) -> None:
        from rag.reader.model import ReaderModel
        from rag.reader.weights import read_weights

        weights, bundled = read_weights(trained)[0], ReaderModel().stored()
        changed = {
            name.split(".")[1]
            for name, value in weights.items()
            if name.startswith("layers.") and abs(value - bundled[name].detach().numpy()).max() > 1e-3
            if name.endswith("bias")
        }
        assert changed == {str(number) for number in range(train.SMOKE.frozen, 12)}

    def test_writes_its_recipe(self, trained: Path, folder: Path) -> None:
        from rag.reader.weights import read_weights

        recipe = read_weights(trained)[1]
        assert recipe["steps"] == train.SMOKE.steps
        assert set(recipe["data"]) == {path.name for path in folder.iterdir()}  # type: ignore[call-overload]
        assert trained.stat().st_size < 45_000_000

    def test_goes_on_where_it_stopped(self, trained: Path, folder: Path) -> None:
        arguments = [str(folder), "--out", str(trained), "--smoke", "--resume"]
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
        folder: Path,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        arguments: list[str],
        message: str,
    ) -> None:
        assert train.main([str(folder), "--out", str(tmp_path / "r.safetensors"), "--smoke", *arguments]) == 2
        assert message in caplog.text

    def test_a_file_of_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other.safetensors").write_bytes(b"x" * 100)
        with pytest.raises(ModelError, match=r"rag\.reader\.train"):
            Reader.load(tmp_path / "other.safetensors")

    def test_has_its_say_in_answers(self, trained: Path, seed_settings: RagSettings) -> None:
        settings = seed_settings.model_copy(update={"reader_model": str(trained)})
        with Assistant.open(settings) as assistant:
            answer = assistant.ask("How many open datasets did Can Tho publish?")
            assert answer.citations
            for citation in answer.citations:
                document = assistant.corpus.document(citation.document_id)
                assert document is not None
                assert document.text[citation.start : citation.end] == citation.quote
            evidence, _ = assistant.evidence(analyse("How many open datasets did Can Tho publish?"))
        assert evidence.was_read
        assert not evidence.judged, "the passage is in Bengali, which it did not learn"
        assert evidence.features is not None
        assert 0 < evidence.features.read == max(each.reading.answered for each in evidence.reads) <= 1
        # The windows are few: most sentences were not read.
        read = [support.answered for support in evidence.supports]
        assert 0 < sum(value > 0 for value in read) < len(read)


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
