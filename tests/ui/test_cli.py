"""The command line: what is printed where, and the exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import loopback
import pytest
from click.testing import CliRunner, Result

from index.ownership import CARD_NAME, own
from index.settings import IndexSettings
from index.upkeep import make_index, vector_faults
from index.vectors import pointer
from rag.asking import Ask
from rag.settings import setting_names
from ui.cli import cli

if TYPE_CHECKING:
    from index.embedder import Embedder
    from rag.answer import Answer
    from rag.assistant import Assistant
    from rag.settings import RagSettings

ROOT = Path(__file__).resolve().parents[2]
URL = (
    "https://doanhnghiepvn.vn/cong-nghe/"
    "can-tho-tang-toc-chuyen-doi-so-huong-den-do-thi-thong-minh-vung-dbscl/20251029071027975"
)
DATASETS = {
    "en": "How many open datasets did Can Tho publish?",
    "bn": "ক্যান থো কতগুলি উন্মুক্ত ডেটা সেট প্রকাশ করেছে?",
    "hi": "कैन थो ने कितने खुले डेटासेट प्रकाशित किए?",
    "sv": "Hur många öppna dataset har Can Tho publicerat?",
    "vi": "Cần Thơ đã công bố bao nhiêu bộ dữ liệu mở?",
}

Rag = Callable[..., Result]


@pytest.fixture
def rag(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Rag:
    """Run a command in this process, in an empty folder, with an empty data directory unless told otherwise."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, data: Path = data_dir, stdin: str | None = None, **settings: str) -> Result:
        environment = {"RAG_DATA_DIR": str(data), **settings}
        return CliRunner().invoke(cli, arguments, input=stdin, env=environment, prog_name="rag")

    return run


@pytest.fixture
def seeds(seed_settings: RagSettings) -> Path:
    """The data directory in which the shipped documents are indexed."""
    return seed_settings.index.data_dir


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "bridge.txt").write_text("The bridge was built in 1931. It is 412 metres long.", "utf-8")
    (folder / "tower.txt").write_text("The tower has 88 steps. It was opened by Ada Lovelace.", "utf-8")
    return folder


# -- answers


@pytest.mark.parametrize("language", DATASETS)
def test_the_same_question_has_the_same_answer_in_five_languages(assistant: Assistant, language: str) -> None:
    answer = assistant.answer(Ask(DATASETS[language]))
    assert (answer.short_answer, answer.refused, answer.language) == ("540+", False, language)
    citation = answer.citations[0]
    assert citation.source_url == URL
    assert answer.answer.count("[1]") == 1
    document = assistant.corpus.document(citation.document_id)
    assert document is not None
    assert citation.quote == document.text[citation.start : citation.end]


def same(printed: str, answer: Answer) -> bool:
    """Whether a line of JSON is an answer, but for its id and its timings."""
    volatile = ("id", "timings_ms")
    got, expected = json.loads(printed), answer.to_dict()
    assert got.keys() == expected.keys()
    return {k: v for k, v in got.items() if k not in volatile} == {
        k: v for k, v in json.loads(json.dumps(expected)).items() if k not in volatile
    }


def test_ask_prints_the_answer_and_nothing_else(rag: Rag, seeds: Path, assistant: Assistant) -> None:
    result = rag("ask", DATASETS["bn"], data=seeds)
    assert (result.exit_code, result.stderr) == (0, "")
    answer = assistant.answer(Ask(DATASETS["bn"]))
    assert result.stdout.startswith(answer.answer.split("\n")[0])
    assert str(answer.citations[0].source_url) in result.stdout.splitlines()[-1].strip()
    assert "\x1b" not in result.stdout


def test_a_process_of_its_own_is_as_quiet(seeds: Path, assistant: Assistant, tmp_path: Path) -> None:
    """What libraries write on import or at exit, past Python's own streams, would show here."""
    done = subprocess.run(
        [sys.executable, "-m", "ui.cli", "ask", "--json", DATASETS["sv"]],
        env={**os.environ, "RAG_DATA_DIR": str(seeds), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert same(done.stdout, assistant.answer(Ask(DATASETS["sv"])))


def test_json_is_the_answer_schema_and_nothing_else(rag: Rag, seeds: Path, assistant: Assistant) -> None:
    result = rag("ask", "--json", "-", data=seeds, stdin=f"{DATASETS['vi']}\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert same(result.stdout, assistant.answer(Ask(DATASETS["vi"])))
    assert "Cần" in result.stdout, "written as it is, not as escapes"


def test_chat_goes_on_after_a_bad_question_until_an_empty_line(rag: Rag, seeds: Path) -> None:
    asked = f"{DATASETS['en']}\n???\n{DATASETS['sv']}\n\nnot asked\n"
    result = rag("chat", "--json", "-l", "BN", data=seeds, stdin=asked)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == [DATASETS["en"], DATASETS["sv"]]
    assert {citation["language"] for answer in answers for citation in answer["citations"]} == {"bn"}
    assert result.stderr == "rag: the question is empty: ask in words\n"
    assert result.exit_code == 1


def test_another_configuration_than_the_index_names_the_remedy(rag: Rag, seeds: Path) -> None:
    result = rag("ask", "How many?", data=seeds, RAG_CHUNK_TOKENS="64")
    assert result.exit_code == 1
    assert "chunk_tokens 192, not 64" in result.stderr
    assert "run `rag index` to rebuild it or set RAG_CHUNK_TOKENS back to 192" in result.stderr


# -- usage


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "said"),
    [
        pytest.param(["ask"], {}, 2, "give a question, or --file QUESTIONS", id="no-question"),
        pytest.param(["ask", " "], {}, 2, "the question is empty", id="empty-question"),
        pytest.param(["ask", "a", "b"], {}, 2, "unexpected extra argument", id="unquoted-question"),
        pytest.param(["ask", "--engine", "magic", "x"], {}, 2, "'magic' is not one of", id="unknown-engine"),
        pytest.param(["nope"], {}, 2, "No such command 'nope'", id="unknown-command"),
        pytest.param(["--nope"], {}, 2, "No such option", id="unknown-option"),
        pytest.param(["index", "/no/such/folder"], {}, 2, "does not exist", id="no-folder"),
        pytest.param(["serve", "--port", "70000"], {}, 2, "0<=x<=65535", id="port"),
        pytest.param(["ask", "x"], {"RAG_TOPK": "1"}, 2, "did you mean RAG_TOP_K?", id="unknown-setting"),
        pytest.param(
            ["index"], {"RAG_CHUNK_TOKENS": "1"}, 2, "greater than or equal to 32", id="out-of-range"
        ),
        pytest.param(["ask", "how?"], {}, 1, "nothing is indexed in", id="nothing-indexed"),
        pytest.param(["chat"], {}, 1, "run `rag index`", id="nothing-to-chat-about"),
    ],
)
def test_a_wrong_call_is_one_line_with_its_exit_code(
    rag: Rag, arguments: list[str], settings: dict[str, str], code: int, said: str
) -> None:
    result = rag(*arguments, **settings)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("rag: ")
    assert result.stdout == ""


def test_debug_adds_the_traceback_to_the_line(rag: Rag) -> None:
    result = rag("--debug", "ask", "how?")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("rag: nothing is indexed")


def test_help_and_version_load_nothing_slow() -> None:
    code = (
        "import sys\n"
        "from ui.cli import cli\n"
        "cli(['--help'], standalone_mode=False)\n"
        "slow = {'numpy', 'torch', 'pydantic', 'sqlalchemy', 'httpx', 'rich', 'chromadb', 'llama_index'}\n"
        "sys.exit(', '.join(slow & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- indexing


def test_index_reports_each_kind_of_change_and_the_code_tells_of_skipped_files(rag: Rag, docs: Path) -> None:
    first = rag("index", str(docs))
    assert (first.exit_code, first.stderr) == (0, "")
    assert "added     2: bridge.txt, tower.txt" in first.stdout
    (docs / "bridge.txt").write_text("The bridge was closed in 2020.", "utf-8")
    shutil.copy(docs / "tower.txt", docs / "copy.txt")
    (docs / "empty.txt").write_bytes(b"")
    second = rag("index", str(docs))
    assert (second.exit_code, second.stderr) == (1, "")
    assert "changed   1: bridge.txt" in second.stdout
    assert "unchanged 1" in second.stdout
    assert "skipped   copy.txt (duplicate): " in second.stdout
    assert "skipped   empty.txt (empty): " in second.stdout
    (docs / "empty.txt").unlink()
    third = rag("index", str(docs))
    assert third.exit_code == 0, "a duplicate alone is no failure"
    assert "removed   1: empty.txt" in third.stdout


def test_an_index_is_emptied_on_purpose_alone(
    rag: Rag, docs: Path, data_dir: Path, embedder: Embedder
) -> None:
    make_index(IndexSettings(data_dir=data_dir, _env_file=None), [docs], embedder=embedder)
    (docs / "bridge.txt").unlink()
    (docs / "tower.txt").write_bytes(b"")
    refused = rag("index", str(docs))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "(tower.txt: " in refused.stderr
    assert "nothing was removed; look at the folder, or give --allow-empty" in refused.stderr
    emptied = rag("index", "--allow-empty", str(docs))
    assert "removed   1: bridge.txt" in emptied.stdout
    assert "skipped   tower.txt (empty): " in emptied.stdout
    assert "indexed   0 documents" in emptied.stdout


def test_a_command_that_does_not_serve_is_named_at_once_by_the_others(rag: Rag, data_dir: Path) -> None:
    def all_of_them() -> list[Result]:
        return [rag("index"), rag("ask", "how?"), rag("chat", stdin="how?\n"), rag("serve", "--port", "0")]

    with own(data_dir, purpose="rag index"):
        results = all_of_them()
        started = time.monotonic()
        all_of_them()
        took = time.monotonic() - started
    for result in results:
        assert result.exit_code == 1
        assert "is in use by `rag index`" in result.stderr
        assert "wait for it or stop it" in result.stderr
    assert took < 20, "nobody waits; what is imported is there from the first time"


def test_ctrl_c_while_indexing_is_one_line_and_the_next_run_completes(
    rag: Rag, docs: Path, data_dir: Path
) -> None:
    command = [sys.executable, "-m", "ui.cli", "index", str(docs)]
    environment = {**os.environ, "RAG_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=docs
    ) as process:
        while not (data_dir / CARD_NAME).exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (1, "", "rag: stopped; run again to complete\n")
    assert rag("index", str(docs)).exit_code == 0


def test_a_damaged_version_is_rebuilt_by_the_next_question(
    rag: Rag, docs: Path, data_dir: Path, embedder: Embedder
) -> None:
    make_index(IndexSettings(data_dir=data_dir, _env_file=None), [docs], embedder=embedder)
    torn = next(path for path in pointer.folder(data_dir).rglob("data_level0.bin") if path.stat().st_size)
    torn.write_bytes(torn.read_bytes()[:100])
    result = rag("ask", "How many steps does the tower have?")
    assert result.exit_code == 0
    assert "tower has 88 steps" in result.stdout
    assert result.stderr.startswith("rag: warning: the vectors for search are damaged")
    assert "rebuilding them from the catalogue" in result.stderr
    assert vector_faults(IndexSettings(data_dir=data_dir, _env_file=None)) == []


# -- through a server


@pytest.fixture
def served(data_dir: Path, assistant: Assistant, seed_settings: RagSettings) -> Iterator[str]:
    """The address of a real server on the shipped documents, which owns `data_dir`."""
    from rag.api import create_app

    with (
        own(data_dir, purpose="rag serve") as ownership,
        loopback.served(create_app(assistant, seed_settings)) as address,
    ):
        ownership.announce(address)
        yield address


def test_questions_are_answered_through_the_server_that_owns_the_directory(
    rag: Rag, served: str, assistant: Assistant
) -> None:
    asked = rag("ask", "--json", DATASETS["bn"])
    assert (asked.exit_code, asked.stderr) == (0, "")
    assert same(asked.stdout, assistant.answer(Ask(DATASETS["bn"])))
    filtered = rag("ask", "--json", "-l", "sv", DATASETS["en"])
    assert same(filtered.stdout, assistant.answer(Ask(DATASETS["en"], languages=("sv",))))
    chatted = rag("chat", stdin=f"{DATASETS['hi']}\n")
    assert chatted.stdout == rag("ask", DATASETS["hi"]).stdout + "\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(
            ["ask", "--engine", "llm", "x y z"], 2, "engine llm is not available", id="the-call-is-wrong"
        ),
        pytest.param(["ask", "?!"], 2, "the question is empty: ask in words", id="the-question-is-empty"),
        pytest.param(["index"], 1, "in use by `rag serve`", id="indexing-is-not-for-others"),
        pytest.param(["serve", "--port", "0"], 1, "in use by `rag serve`", id="one-server-only"),
    ],
)
def test_errors_of_the_server_are_those_of_the_command(
    rag: Rag, served: str, arguments: list[str], code: int, said: str
) -> None:
    result = rag(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_server_that_does_not_answer_is_an_error_in_one_line(rag: Rag, data_dir: Path) -> None:
    with own(data_dir, purpose="rag serve", address="http://127.0.0.1:9"):
        result = rag("ask", "how?")
    assert result.exit_code == 1
    assert "the server at http://127.0.0.1:9 does not answer" in result.stderr


# -- doctor


def test_doctor_prints_a_line_per_check_and_the_remedy(rag: Rag, tmp_path: Path) -> None:
    result = rag("doctor", data=tmp_path / "none")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok    settings: ")
    failing = [line for line in lines if line.startswith("FAIL")]
    assert failing
    assert all("Remedy: rag index" in line for line in failing)


def test_doctor_reports_a_wrong_setting_as_a_failing_line(rag: Rag) -> None:
    result = rag("doctor", RAG_PORT="70000")
    assert result.exit_code == 1
    assert result.stdout.startswith("FAIL  settings: RAG_PORT='70000'")
    assert "Remedy: unset RAG_PORT" in result.stdout


def test_doctor_lists_every_setting_and_hides_secrets(rag: Rag) -> None:
    result = rag(
        "doctor", "--settings", RAG_LLM_API_KEY="sk-secret", RAG_LLM_BASE_URL="http://me:hidden@127.0.0.1/v1"
    )
    assert result.exit_code == 0
    assert [name for name in setting_names() if f"{name}=" not in result.stdout] == []
    assert "sk-secret" not in result.stdout
    assert "RAG_LLM_API_KEY=***" in result.stdout
    assert "hidden" not in result.stdout
