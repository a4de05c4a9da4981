"""The pool of questions, and the mixture that examples are drawn from."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reader_towns import needs_package

from eval.learning.data import Place, read_corpus
from eval.learning.mixture import Mixture
from eval.learning.pool import FOLDER, Item, Pool, is_held_out, read_items, read_pool, scored_items, sources
from eval.learning.windows import Windows
from index.errors import UsageError

if TYPE_CHECKING:
    from rag.reader.encode import PairEncoder

SOURCE = "norquad"


def line(number: int, **changes: Any) -> dict[str, Any]:
    text = f"Byen {number} har {100 + number} hus. Elva er lang."
    answers = [{"text": str(100 + number), "start": text.index(str(100 + number))}]
    return {
        "id": f"q{number}", "lang": "nb", "context_lang": "nb", "question": f"Hvor mange hus har byen {number}?",
        "context": text, "answers": answers, "impossible": False, "title": f"title {number // 2}", **changes,
    }  # fmt: skip


def written(folder: Path, lines: list[dict[str, Any]], name: str = SOURCE) -> Path:
    path = folder / FOLDER / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in lines)
    return path


def test_reads_what_can_be_learnt_from(tmp_path: Path) -> None:
    long = "x" * 200
    path = written(
        tmp_path,
        [
            line(1),
            line(2, answers=[], impossible=True),
            line(3, context=long, answers=[{"text": long, "start": 0}]),  # a whole text is no answer
            line(4, lang="fon"),  # not a language that the encoder reads
            line(5, answers=[{"text": "Elva", "start": 0}, {"text": "Byen", "start": 0}]),
        ],
    )
    items = list(read_items(path, source=SOURCE))
    assert [item.question[-2] for item in items] == ["1", "2", "5"]
    assert items[0].text[items[0].answers[0].start : items[0].answers[0].end] == "101"
    assert items[1].answers == ()
    assert items[2].answers == (Place(0, 4),), "places that are the same count once"


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, [])
    path.write_bytes(b"no gzip")
    with pytest.raises(UsageError, match=SOURCE):
        list(read_items(path, source=SOURCE))


def test_what_is_scored_on_is_not_learnt(tmp_path: Path, squad_folder: Path) -> None:
    lines = [line(number) for number in range(200)]
    held = read_corpus(squad_folder).fold(0, inside=True)
    article = held.passages[0]
    lines += [line(900, title=article.article), line(901, context=next(iter(article.contexts.values())))]
    written(tmp_path, lines)
    items, hashes = read_pool(tmp_path, held)
    assert list(hashes) == [f"qa/train/{SOURCE}.jsonl.gz"]
    learnt, scored = {item.title for item in items}, scored_items(tmp_path, SOURCE, 1000)
    assert learnt.isdisjoint(item.title for item in scored)
    assert all(is_held_out(item.title) for item in scored)
    assert len(items) + len(scored) == 200
    assert scored_items(tmp_path, SOURCE, 5) == scored_items(tmp_path, SOURCE, 5)


def test_a_folder_without_a_pool_has_none(tmp_path: Path) -> None:
    assert read_pool(tmp_path, None) == ([], {})
    assert scored_items(tmp_path, SOURCE, 5) == []


def test_every_source_has_a_weight() -> None:
    table = sources()
    assert all(weight > 0 for weight in table.weights.values())
    assert not set(table.weights) & set(table.parallel), "a source is learnt from in one way"


def test_parallel_questions_are_joined_by_their_ids(tmp_path: Path, squad_folder: Path) -> None:
    for path in squad_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    english = json.loads((squad_folder / "towns.en.json").read_text("utf-8"))["data"][0]
    paragraph = english["paragraphs"][0]
    asked = paragraph["qas"][0]
    text = paragraph["context"].replace("the square was built", "torvet blev bygget")
    answer = asked["answers"][0]["text"]
    danish = line(
        0, id=f"mt_squad_da:{asked['id']}", lang="da", context=text, title=english["title"], question="Hvornår?",
        answers=[{"text": answer, "start": text.index(answer)}, {"text": text[:4], "start": 0}],
    )  # fmt: skip
    written(tmp_path, [danish], "mt_squad_da")
    corpus = read_corpus(tmp_path, parallel={"mt_squad_da": "da"})
    (ask,) = [ask for p in corpus.passages for ask in p.asks.values() if ask.id == asked["id"]]
    assert set(ask.texts) == {"en", "sv", "da"}
    assert len(ask.also["da"]) == 1
    assert "qa/train/mt_squad_da.jsonl.gz" in corpus.hashes
    assert not any("da" in p.contexts for p in read_corpus(tmp_path).passages), "only what is named is joined"


@needs_package
class TestDraws:
    def items(self) -> list[Item]:
        found = []
        for number in range(60):
            text = f"Byen {number} har {100 + number} hus. Elva er lang."
            place = Place(text.index(str(100 + number)), text.index(str(100 + number)) + 3)
            answers = () if number % 5 == 0 else (place,)
            found.append(Item(f"Hvor mange hus har Byen {number}?", text, answers, "nb", "nb", SOURCE, "one"))
        return found

    def test_hold_the_answer_or_none(self, pair_encoder: PairEncoder) -> None:
        mixture = Mixture({"pool": Pool(self.items(), Windows(pair_encoder.count))}, seed=1)
        drawn = [mixture.draw(number) for number in range(300)]
        assert drawn[7] == mixture.draw(7), "an example depends on its number alone"
        kinds = Counter(example.kind for example in drawn)
        assert set(kinds) == {"answered", "impossible", "similar", "foreign", "swapped"}
        assert 0.2 < sum(e.answer is None for e in drawn) / 300 < 0.6
        for example in drawn:
            if example.answer is not None:
                assert example.window[example.answer.start : example.answer.end].isdecimal()
