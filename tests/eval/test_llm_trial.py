"""What `eval.studies.llm_trial` says of answers: what became of a text, and how many of its sentences are shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from eval.records import Task
from eval.studies.llama_server import serving
from eval.studies.llm_trial import Asked, Trial, report
from index.errors import UsageError
from rag.answer import Answer
from rag.notices import notices_in

NOTICES = notices_in("en")
ANSWERABLE = Task("harbour.en", "harbour", "en", "When did the harbour open?", expected=("1987",))
UNANSWERABLE = Task("mayor.en", "mayor", "en", "Who is the mayor?", stratum="unanswered")
WRITTEN = "It opened in 1987 [1]. The mayor sang. Nobody came."
QUOTED = "1987 — the source says: “Hamnen öppnade 1987.” [1]"


def asked(task: Task, written: str, said: str, **how: Any) -> Asked:
    fields: dict[str, Any] = {
        "refused": False,
        "engine": "extractive",
        "model": None,
        "grounding": "verified",
    }
    answer = Answer(
        id="a",
        question=task.question,
        standalone_question=task.question,
        language="en",
        answer=said,
        short_answer=None,
        refusal_reason=None,
        citations=(),
        **{**fields, **how},
    )
    return Asked(task, tuple(re.findall(r"\S+\s*", written)), answer, 0.5 if written else None, 1.0)


MODEL = {"engine": "llm", "model": "trial"}
CASES = {
    "shown": (
        asked(ANSWERABLE, WRITTEN, WRITTEN, **MODEL),
        "shown, verified",
        {"written": 3, "shown": 3, "marked": 0},
        True,
    ),
    "marked": (
        asked(
            ANSWERABLE,
            WRITTEN,
            f"It opened in 1987 [1]. The mayor sang {NOTICES['unsupported']}. Nobody came {NOTICES['unsupported']}.",
            **MODEL,
            grounding="partial",
        ),
        "shown, partial",
        {"written": 3, "shown": 1, "marked": 2},
        True,
    ),
    "struck": (
        asked(ANSWERABLE, WRITTEN, "Nobody came.", **MODEL, grounding="partial"),
        "shown, partial",
        {"written": 3, "shown": 1, "marked": 0},
        False,
    ),
    "borne out by nothing": (
        asked(ANSWERABLE, WRITTEN, QUOTED, notice=NOTICES["llm_unsupported"]),
        "not shown: the passages bear nothing of it out",
        {"written": 3, "shown": 0, "marked": 0},
        True,
    ),
    "another language": (
        asked(ANSWERABLE, "Hamnen öppnade.", QUOTED, notice=NOTICES["llm_language"]),
        "not shown: another language",
        {"written": 1, "shown": 0, "marked": 0},
        True,
    ),
    "a dead server": (
        asked(ANSWERABLE, "It", QUOTED, notice=NOTICES["llm_failed"]),
        "not shown: the server failed",
        {"written": 1, "shown": 0, "marked": 0},
        True,
    ),
    "refused by the model": (
        asked(UNANSWERABLE, "", "The documents do not say.", refused=True, **MODEL, grounding="none"),
        "refused by the model",
        {"written": 0, "shown": 0, "marked": 0},
        True,
    ),
    "refused for it": (
        asked(ANSWERABLE, "", "The documents do not say.", refused=True, grounding="none"),
        "refused before the model was asked",
        {"written": 0, "shown": 0, "marked": 0},
        False,
    ),
    "small talk": (
        asked(ANSWERABLE, "", "Hello!", grounding="none"),
        "answered before the model was asked",
        {"written": 0, "shown": 0, "marked": 0},
        False,
    ),
}


@pytest.mark.parametrize(("found", "outcome", "sentences", "right"), CASES.values(), ids=CASES)
def test_what_became_of_a_text(found: Asked, outcome: str, sentences: dict[str, int], right: bool) -> None:
    assert found.outcome == outcome
    assert {name: found.sentences()[name] for name in sentences} == sentences
    assert found.right is right


def test_the_report_adds_them_up() -> None:
    found = [each for each, *_ in CASES.values()]
    trials = [Trial("stop", "it stopped | at once", held=True), Trial("kill", "it hung", held=False)]
    written = report(found, trials, title="A model.")
    assert "| stop | it stopped \\| at once | yes |" in written
    assert "| kill | it hung | **no** |" in written
    assert (
        "Of 14 sentences that it wrote, 5 are shown as they stand, 2 are marked as not found, 7 are not"
        in written
    )
    assert "| shown, partial | 2 | 1 |" in written


def test_a_server_wants_a_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of weights"), serving(tmp_path / "none.gguf", context=64):
        pass
