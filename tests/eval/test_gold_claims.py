"""The planted claims and the yes/no questions about made-up passages hold what eval/gold/README.md promises."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product

import pytest

from eval.cases import GOLD, lines_of

LANGUAGES = ("bn", "en", "hi", "sv", "vi")
KINDS = (
    *("true", "paraphrased", "other_document", "changed_number", "swapped_name", "negation"),
    *("reversed_relation", "bound", "nonsense", "instruction", "irrelevant", "half_true"),
)
VERDICTS_OF_KIND = {
    **dict.fromkeys(("true", "paraphrased"), ("supported",)),
    **dict.fromkeys(("changed_number", "swapped_name", "negation"), ("contradicted",)),
    **dict.fromkeys(("reversed_relation", "bound", "half_true"), ("contradicted", "neither")),
    **dict.fromkeys(("other_document", "nonsense", "instruction", "irrelevant"), ("neither",)),
}


def _lines(name: str) -> list[dict[str, str]]:
    return [json.loads(text) for _, text in lines_of(GOLD / "claims" / name)]


@pytest.fixture(scope="module")
def passages() -> list[dict[str, str]]:
    return _lines("passages.jsonl")


def test_one_passage_a_language(passages: list[dict[str, str]]) -> None:
    assert sorted(passage["language"] for passage in passages) == [*LANGUAGES]
    for passage in passages:
        assert passage.keys() == {"id", "language", "title", "text"}
        assert 110 <= len(passage["text"].split()) <= 180, passage["id"]


@pytest.mark.parametrize(
    ("name", "slot", "values"),
    [("claims.jsonl", "kind", KINDS), ("questions.jsonl", "answer", ("yes", "no", "unknown"))],
)
def test_every_block_is_whole(
    passages: list[dict[str, str]], name: str, slot: str, values: tuple[str, ...]
) -> None:
    lines = _lines(name)
    assert len({line["id"] for line in lines}) == len(lines)
    assert {line[slot] for line in lines} == set(values)
    blocks = Counter((line["passage"], line["language"]) for line in lines)
    assert set(blocks) == set(product((passage["id"] for passage in passages), LANGUAGES))
    assert set(blocks.values()) == {12 if slot == "kind" else 4}


def test_a_claim_of_each_kind_in_each_block() -> None:
    claims = _lines("claims.jsonl")
    assert (
        len(claims) == len({(claim["passage"], claim["language"], claim["kind"]) for claim in claims}) == 300
    )
    assert len({claim["claim"] for claim in claims}) == 300
    for claim in claims:
        assert claim.keys() == {"id", "passage", "language", "kind", "claim", "verdict"}
        assert claim["verdict"] in VERDICTS_OF_KIND[claim["kind"]], claim["id"]


def test_questions_are_in_balance() -> None:
    questions = _lines("questions.jsonl")
    assert len(questions) == 100
    for question in questions:
        assert question.keys() == {"id", "passage", "language", "question", "answer"}
        slot = question["id"].rsplit(".", 1)[1]
        assert question["answer"] == slot or (slot == "compared" and question["answer"] != "unknown"), (
            question["id"]
        )
    assert Counter(question["answer"] for question in questions)["yes"] in range(35, 41)
