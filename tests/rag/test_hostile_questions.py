"""Questions that break careless code, through every door: the command line, the API, the assistant itself.

Whatever is asked, the answer is an answer (with exact citations), a refusal, or one line that says what is wrong; the
question after it is answered as if nothing had been.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from texts import MULTI_SCRIPT, by_id

from index.errors import UsageError
from rag.answer import Answer, Turn
from rag.asking import Ask
from ui.cli import cli

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.settings import RagSettings

ROOT = Path(__file__).resolve().parents[2]
HERE = "http://127.0.0.1:8000"
MEGABYTE = 1_000_000
QUESTION = "How many open data sets has the city of Can Tho published?"

# By what they are: texts that hold no word, and texts that hold words and something else.
WORDLESS = {
    "punctuation": "?!… — ,.;:'\"()[]{}<>/\\|@#$%^&*~`",
    "emoji": "😀🏳️‍🌈👩‍👩‍👧‍👦🇸🇪",
    "combining_marks": "\u0301\u0308\u0903\u20dd" * 100,
    "right_to_left_overrides": "\u202e\u202b\u2067\u200f" * 20,
    "nul_bytes": "\x00" * 50,
    "private_use": "\ue000\uf8ff\U0010fffd",
    "spaces": "\u2003\u00a0\u3000\u1680\u2028\u2029",
    "invisible": "\u200b\u2060\ufeff\u00ad\u180e",
    "half_code_points": "\ud800\udfff\udc80",
}
MIXED = {
    "emoji": f"😀 {QUESTION} 🏙️",
    "combining_marks": "".join(f"{letter}\u0301\u0323\u20dd" for letter in QUESTION),
    "right_to_left_override": f"\u202e{QUESTION}\u202c",
    "nul_bytes": QUESTION.replace(" ", "\x00"),
    "half_code_points": f"\ud83d{QUESTION}\udc00",
    "full_width": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in QUESTION),
    "decomposed": unicodedata.normalize("NFD", "Cần Thơ đã công bố bao nhiêu bộ dữ liệu mở?"),
    "no_spaces": QUESTION.replace(" ", ""),
    "one_letter": "a",
    "digits": "1" * 1900,
    "one_mark_pile": "How many data sets" + "\u0301" * 1900,
    "every_script": " ".join(MULTI_SCRIPT.values()),
    "noncharacters": "What is \ufdd0\ufffe\U0001ffff?",
    "language_tags": f"{QUESTION}\U000e0001\U000e0065\U000e006e",
    "format_characters": f"\u206a{QUESTION}\u206f\ufff9x\ufffay\ufffb",
}
LONG = {
    "words": "harbour " * (MEGABYTE // 8),
    "one_word": "x" * MEGABYTE,
    "marks": "e" + "\u0301" * (MEGABYTE // 2),
    "brackets": "(" * MEGABYTE + "a",
    "spaces": " " * MEGABYTE + "\x00" * 10,
    "digits": "9," * (MEGABYTE // 2),
}


def check(assistant: Assistant, answer: Answer) -> None:
    """The citations are exact, and the answer can be written down."""
    for citation in answer.citations:
        document = assistant.corpus.document(citation.document_id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
    json.dumps(answer.to_dict(), ensure_ascii=False).encode()


@pytest.mark.parametrize("text", by_id(MIXED))
def test_words_with_something_else_are_answered(assistant: Assistant, text: str) -> None:
    check(assistant, assistant.answer(Ask(text)))


@pytest.mark.parametrize("text", by_id(WORDLESS))
def test_what_holds_no_word_is_told_so(assistant: Assistant, text: str) -> None:
    for door in (assistant.answer, assistant.search):
        with pytest.raises(UsageError, match="the question is empty: ask in words"):
            door(Ask(text))


@pytest.mark.parametrize("text", by_id(LONG))
def test_a_megabyte_is_told_how_much_is_allowed(assistant: Assistant, text: str) -> None:
    with pytest.raises(UsageError, match=r"RAG_MAX_QUESTION_CHARS allows 2,000: shorten it|is empty: ask"):
        assistant.answer(Ask(text))


@pytest.mark.parametrize(
    "text", by_id({**LONG, **{name: MIXED[name] for name in ("half_code_points", "nul_bytes")}})
)
def test_an_earlier_turn_is_material_of_any_length(assistant: Assistant, text: str) -> None:
    check(
        assistant,
        assistant.answer(Ask("And how many tasks?", history=(Turn("user", text), Turn("assistant", text)))),
    )


@pytest.mark.parametrize(
    "text", by_id({**WORDLESS, "half_of_one": MIXED["half_code_points"], "nul": MIXED["nul_bytes"]})
)
def test_over_http_it_is_an_answer_or_a_problem(client: TestClient, text: str) -> None:
    body = json.dumps({"question": text})
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    assert response.status_code == (200 if text == MIXED["nul_bytes"] else 422), response.text
    if response.status_code == 422:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"]


@pytest.mark.parametrize("text", by_id(LONG))
def test_over_http_a_megabyte_is_a_problem(client: TestClient, text: str) -> None:
    for size in (len(text), 100_000):
        response = client.post("/v1/ask", json={"question": text[:size]})
        assert response.status_code in (413, 422), response.text[:300]
        assert len(response.content) < 1000, "what was sent does not come back"


def test_on_the_command_line_each_is_a_line_of_json_or_of_errors(
    seed_settings: RagSettings, assistant: Assistant, tmp_path: Path
) -> None:
    """One process, question after question, as from a pipe; the bytes need not be UTF-8."""
    asked = [
        text.replace("\n", " ")
        for text in (*MIXED.values(), *WORDLESS.values(), LONG["words"])
        if text.strip()
    ]
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "chat", "--json"],
        input="\n".join([*asked, QUESTION]).encode("utf-8", "surrogatepass") + b"\n\xff\xc3\x28",
        env={**os.environ, "RAG_DATA_DIR": str(seed_settings.index.data_dir), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [line for line in done.stderr.decode().splitlines() if line]
    assert done.returncode == 1, "some of them were wrong"
    assert [line for line in told if not line.startswith("rag: the question ")] == []
    assert len(answers) + len(told) == len(asked) + 2
    usual = next(answer for answer in answers if answer["question"] == QUESTION)
    assert usual["answer"] == assistant.answer(Ask(QUESTION)).answer


def test_a_wrong_question_is_one_line_and_exit_code_2(seed_settings: RagSettings) -> None:
    result = CliRunner().invoke(
        cli,
        ["ask", "-"],
        input=LONG["words"],
        env={"RAG_DATA_DIR": str(seed_settings.index.data_dir)},
        prog_name="rag",
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("rag: the question has ")
    assert result.stderr.count("\n") == 1
