"""What the reader learns from: its data, its changes of text, its examples and their encoding."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from reader_towns import GOODS, needs_package

from eval.learning.augment import ask_of_another, latin_names, names_in, to_bengali_script, with_digits
from eval.learning.data import ParallelQuestion, read_corpus
from eval.learning.examples import Examples
from eval.learning.mixture import Mixture
from eval.learning.score import token_f1
from eval.learning.windows import Windows
from index.errors import UsageError
from rag.reader.encode import LONGEST_ANSWER, LONGEST_ROW, PairEncoder, Row, best_span, pad, token_span


class TestCorpus:
    def test_joins_translations_by_question_id(self, squad_folder: Path) -> None:
        corpus = read_corpus(squad_folder)
        assert len(corpus.passages) == 6 * 2
        assert all(set(passage.contexts) == {"en", "sv"} for passage in corpus.passages)
        answers = {
            passage.contexts[language][place.start : place.end]
            for passage in corpus.passages
            for language, place in passage.asks.get("0-0-1", ParallelQuestion("")).answers.items()
        }
        assert answers == {"bread", "bröd"}

    def test_keeps_what_is_not_answered_without_answers(self, squad_folder: Path) -> None:
        asks = [ask for passage in read_corpus(squad_folder).passages for ask in passage.asks.values()]
        assert sum(not ask.answers for ask in asks) == 6 * 2

    def test_parts_articles_into_folds(self, squad_folder: Path) -> None:
        corpus = read_corpus(squad_folder)
        inside, outside = corpus.fold(0, inside=True), corpus.fold(0, inside=False)
        assert {p.article for p in inside.passages} == {"Alby", "Fagersta"}  # places 0 and 5 of 6
        assert len(inside.passages) + len(outside.passages) == len(corpus.passages)

    @pytest.mark.parametrize("articles", [1, 3, 6, 9])
    def test_fewer_articles_are_whole_articles(self, squad_folder: Path, articles: int) -> None:
        corpus = read_corpus(squad_folder)
        fewer = corpus.fewer(articles)
        kept = {passage.article for passage in fewer.passages}
        assert len(kept) == min(articles, 6)
        assert fewer.passages == tuple(p for p in corpus.passages if p.article in kept)
        assert fewer.hashes == corpus.hashes

    def test_reads_judged_passages(self, squad_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "towns.en.json").write_bytes((squad_folder / "towns.en.json").read_bytes())
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
def examples(squad_folder: Path, pair_encoder: PairEncoder) -> Mixture:
    corpus = read_corpus(squad_folder)
    similar = {ask: [place ^ 1] for place, p in enumerate(corpus.passages) for ask in p.asks}
    passages = Examples(corpus, windows=Windows(pair_encoder.count), similar=similar, seed=3)
    return Mixture({"passages": passages}, seed=3)


@needs_package
class TestExamples:
    def test_depend_on_their_number_alone(self, examples: Mixture) -> None:
        assert [examples.draw(i) for i in (5, 6)] == [examples.draw(i) for i in (6, 5)][::-1]

    def test_hold_the_answer_or_none(self, examples: Mixture) -> None:
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
    def test_finds_the_tokens_of_a_span(self, pair_encoder: PairEncoder, window: str, answer: str) -> None:
        (row,) = pair_encoder.rows(["When?"], [window])
        start = window.index(answer)
        span = token_span(row, start, start + len(answer))
        assert span is not None
        first, last = (row.offsets[place - row.first] for place in span)
        assert answer in window[first[0] : last[1]]
        assert first[0] == start

    def test_cuts_a_long_window_at_its_end(self, pair_encoder: PairEncoder) -> None:
        window = "word " * 1000
        (row,) = pair_encoder.rows(["why " * 500], [window])
        assert len(row.ids) == LONGEST_ROW
        assert token_span(row, len(window) - 5, len(window)) is None

    def test_pads_to_the_longest(self, pair_encoder: PairEncoder) -> None:
        rows = pair_encoder.rows(["Who?", "Who was it then?"], ["", "Anna"])
        batch = pad(rows)
        assert batch.mask.sum(axis=1).tolist() == [len(row.ids) for row in rows]
        assert batch.passage.sum(axis=1).tolist() == [0, len(rows[1].offsets)]

    @pytest.mark.parametrize("size", [1, 2, 7, 60])
    def test_the_best_span_is_that_of_the_slow_way(self, size: int) -> None:
        random = np.random.default_rng(size)
        start, end = random.normal(size=(2, size + 3)).astype(np.float32)
        row = Row(ids=tuple(range(size + 3)), first=2, offsets=tuple((i, i + 1) for i in range(size)))
        _, *slow = max(
            (float(start[2 + i] + end[2 + j]), i, j + 1)
            for i in range(size)
            for j in range(i, min(size, i + LONGEST_ANSWER))
        )
        assert best_span(row, start, end) == tuple(slow)

    def test_no_span_in_an_empty_window(self) -> None:
        row = Row(ids=(0, 2, 2, 2), first=3, offsets=())
        assert best_span(row, np.zeros(4, np.float32), np.zeros(4, np.float32)) is None


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
