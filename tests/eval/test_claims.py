"""Claims that the judge learns from: what is said to be right is right, whatever the languages."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from random import Random

import pytest

from eval.learning.claims import Claims, Judged, parted, read_judged
from eval.learning.data import Corpus, read_corpus
from eval.learning.pool import is_held_out
from eval.learning.rules import LANGUAGES, Rules, turned, wrapped
from eval.learning.windows import Example, Windows
from rag.reader.verdict import CONTRADICTED, NEITHER, SUPPORTED, verdict_of

_NOT = re.compile(
    r"\b(not|no|cannot|rejected|prohibited|forbidden|cash only|fee|paid for|still unfinished)\b"
)


def drawn(claims: Claims | Rules, count: int) -> list[Example]:
    random = Random(3)
    return [example for _ in range(count) if (example := claims.draw(random)) is not None]


@pytest.fixture(scope="module")
def examples(squad_folder: Path) -> list[Example]:
    corpus: Corpus = read_corpus(squad_folder)
    windows = Windows(lambda texts: [len(text.split()) for text in texts])
    judged = [Judged("It rained.", "It was wet.", (SUPPORTED,), "en", "en", "g", "inference nli_negation")]
    return drawn(Claims(judged, corpus, (), windows), 4000)


class TestMadeOfTexts:
    def test_a_sentence_of_another_translation_is_supported(self, examples: list[Example]) -> None:
        said = [e for e in examples if e.kind == "parallel said"]
        assert {(e.asked, e.read) for e in said} > {("en", "sv"), ("sv", "en"), ("en", "en")}
        assert all(e.verdicts == (SUPPORTED,) for e in said)
        same = [e for e in said if e.asked == e.read]
        assert same
        assert all(e.question in e.window for e in same)

    def test_what_was_changed_or_taken_out_is_not(self, examples: list[Example]) -> None:
        made = {e.kind for e in examples}
        assert made > {
            f"parallel {change}" for change in ("number", "removed", "denied", "elsewhere", "idle")
        }
        for example in examples:
            kind = example.kind.rpartition(" ")[2]
            if kind in {
                "number",
                "name",
                "reversed",
                "removed",
                "elsewhere",
                "half",
                "idle",
                "turned",
                "denied",
            }:
                assert SUPPORTED not in example.verdicts
                assert example.asked != example.read or example.question not in example.window


class TestRules:
    def test_a_bound_is_compared(self) -> None:
        seen = set()
        for example in drawn(Rules(), 30_000):
            asked = re.match(r"Can a (\d+)-year-old apply", example.question)
            least = re.search(r"at least (\d+) years old|minimum age is (\d+) years", example.window)
            if asked and least:
                right = SUPPORTED if int(asked[1]) >= int(least[1] or least[2]) else CONTRADICTED
                assert example.verdicts == (right,), (example.question, example.window)
                seen.add(right)
        assert seen == {SUPPORTED, CONTRADICTED}

    def test_yes_and_no_follow_the_statement(self) -> None:
        seen = set()
        for example in drawn(Rules(), 30_000):
            asked = re.match(r"Is (\w+) allowed in the park", example.question)
            if not asked or example.read != "en":
                continue
            statement = next((s for s in example.window.split(". ") if s.lower().startswith(asked[1])), None)
            right = NEITHER if statement is None else CONTRADICTED if _NOT.search(statement) else SUPPORTED
            assert example.verdicts == (right,), (example.question, example.window)
            seen.add(right)
        assert seen == {SUPPORTED, CONTRADICTED, NEITHER}

    def test_every_language_asks_every_other(self) -> None:
        pairs = {(e.asked, e.read) for e in drawn(Rules(), 2000)}
        assert pairs == {(a, r) for a in LANGUAGES for r in LANGUAGES}


@pytest.mark.parametrize(
    ("language", "statement", "other"),
    [
        ("en", "The hall is open.", "The hall is not open."),
        ("en", "The hall is not open.", "The hall is open."),
        ("sv", "Hallen är öppen.", "Hallen är inte öppen."),
        ("hi", "भवन खुला है।", "भवन खुला नहीं है।"),
        ("vi", "Người dân không được vào.", "Người dân được vào."),
        ("bn", "ভবনটি খোলা।", "ভবনটি খোলা না।"),
        ("en", "Rain fell.", None),
    ],
)
def test_a_negation_is_put_in_or_taken_out(language: str, statement: str, other: str | None) -> None:
    assert turned(statement, language) == other


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_statement_is_denied_or_asked(language: str) -> None:
    random = Random(1)
    for how in ("denied", "asked"):
        made = wrapped(random, "X1.", language, how)
        assert "X1" in made
        assert len(made) > len("X1.") + 5
        assert made.endswith("?") == (how == "asked")


def test_public_claims_are_read_and_parted_by_group(tmp_path: Path) -> None:
    folder = tmp_path / "nli" / "train"
    folder.mkdir(parents=True)
    lines = [
        {
            "lang": "en",
            "context_lang": "sv",
            "premise": "Text.",
            "hypothesis": f"Claim {n}.",
            "group": f"g{n % 40}",
        }
        | {"label": ("entailment", "contradiction", "neutral", "not_entailment")[n % 4]}
        for n in range(80)
    ]
    with gzip.open(folder / "nli_negation.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    judged, hashes = read_judged(tmp_path)
    assert [each.verdicts for each in judged[:4]] == [(0,), (1,), (2,), (1, 2)]
    assert list(hashes) == ["nli/train/nli_negation.jsonl.gz"]
    held, learnt = parted(judged, held=True), parted(judged, held=False)
    assert len(held) + len(learnt) == len(judged)
    assert held
    assert {each.group for each in held}.isdisjoint(each.group for each in learnt)
    assert all(is_held_out(each.group) for each in held)


def test_a_verdict_is_of_probabilities() -> None:
    import numpy as np

    verdict = verdict_of(np.array([2.0, 0.0, -1.0], np.float32))
    assert sum(verdict) == pytest.approx(1.0)
    assert verdict.supported > verdict.contradicted > verdict.neither
