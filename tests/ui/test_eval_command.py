"""`rag eval`: what it prints and writes, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import loopback
import pytest
from click.testing import CliRunner, Result
from junitparser import JUnitXml

from rag.asking import Ask
from ui.cli import cli

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.settings import RagSettings

BRIDGE = "https://example.org/bridge"
TOWER = "https://example.org/tower"

CASES: list[dict[str, Any]] = [
    {
        "id": "length.en",
        "language": "en",
        "question": "How many metres long is the bridge?",
        "expect": {"any": ["412"]},
        "source_url": BRIDGE,
        "evidence": ["The bridge is 412 metres long."],
        "tags": ["short", "number"],
    },
    {
        "id": "length.sv",
        "language": "sv",
        "question": "Hur många meter lång är bron?",
        "expect": {"any": ["412"]},
        "source_url": BRIDGE,
        "tags": ["short", "number"],
    },
    {
        "id": "steps.en",
        "language": "en",
        "question": "How many steps does the tower have?",
        "expect": {"any": ["88"]},
        "source_url": TOWER,
        "tags": ["short", "number"],
    },
    {
        "id": "soup.en",
        "language": "en",
        "question": "Which spices belong in a fish soup?",
        "expect": {"refuse": True},
        "stratum": "off-topic",
        "tags": [],
    },
]
SQUAD = {
    "data": [
        {
            "title": "Bridge",
            "paragraphs": [
                {
                    "context": "The bridge was built in 1931. It is 412 metres long.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "When was the bridge built?",
                            "answers": [{"text": "1931", "answer_start": 24}],
                        }
                    ],
                }
            ],
        }
    ]
}

Rag = Callable[..., Result]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_data_dir: Callable[[Path], Path]) -> Path:
    """A folder with two small documents in `docs`, and a data directory for their index in `data`."""
    folder = tmp_path_factory.mktemp("eval")
    make_data_dir(folder / "data")
    (folder / "docs").mkdir()
    bridge = f"The bridge was built in 1931. The bridge is 412 metres long.\nSource: {BRIDGE}\n"
    tower = f"The tower has 88 steps. It was opened by Ada Lovelace.\nSource: {TOWER}\n"
    (folder / "docs" / "bridge.txt").write_text(bridge, "utf-8")
    (folder / "docs" / "tower.txt").write_text(tower, "utf-8")
    return folder


@pytest.fixture
def rag(tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Rag:
    """Run `rag eval` in this process, over two small documents unless told otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "docs").symlink_to(place / "docs")
    write_cases(tmp_path / "gold.jsonl", CASES)

    def run(*arguments: str, stdin: str | None = None, **settings: str) -> Result:
        environment = {"RAG_DATA_DIR": str(place / "data"), **settings}
        return CliRunner().invoke(cli, ["eval", *arguments], input=stdin, env=environment, prog_name="rag")

    return run


OURS = ("--gold", "gold.jsonl", "--documents", "docs")


def write_cases(path: Path, cases: list[dict[str, Any]]) -> None:
    lines = [json.dumps(case, ensure_ascii=False) for case in cases]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def thresholds(path: Path, text: str) -> tuple[str, str]:
    path.write_text(text, encoding="utf-8")
    return "--thresholds", str(path)


def test_every_report_is_written(rag: Rag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    floors = thresholds(tmp_path / "t.toml", "[floors]\ncitation_exact = 1.0\n")
    result = rag(
        *OURS,
        "--gate",
        *floors,
        "--json",
        "r.json",
        "--junit",
        "r.xml",
        "--markdown",
        "r.md",
        "--html",
        "r.html",
    )
    assert result.exit_code == 0, result.stderr
    assert "4 gold cases over the documents of docs" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert [record["task"]["id"] for record in report["records"]] == [case["id"] for case in CASES]
    assert {"cases", "data", "normaliser", "seed", "code", "index.revision", "RAG_TOP_K"} <= set(
        report["settings"]
    )
    gates = [case.name for suite in JUnitXml.fromfile("r.xml") for case in suite]
    assert gates == ["no failure", "citation_exact at least 1.000"]
    assert "Quotes exact" in (tmp_path / "r.md").read_text("utf-8")
    assert (tmp_path / "step.md").read_text("utf-8").strip() == (tmp_path / "r.md").read_text("utf-8").strip()
    assert "</html>" in (tmp_path / "r.html").read_text("utf-8")


def test_a_floor_that_is_not_reached_is_exit_code_1(rag: Rag, tmp_path: Path) -> None:
    floors = thresholds(
        tmp_path / "t.toml", "[floors]\ncitation_exact = 1.0\nrefusal_precision = 1.0\nf1 = 1.0\n"
    )
    result = rag(*OURS, "--gate", *floors, "--junit", "r.xml")
    assert result.exit_code == 1
    assert "FAIL" in result.stdout
    failed = {
        case.name: " ".join(result.message for result in case.result)
        for suite in JUnitXml.fromfile("r.xml")
        for case in suite
        if case.result
    }
    assert "the floor is 1.000" in failed["f1 at least 1.000"]
    assert "citation_exact at least 1.000" not in failed


def test_a_run_becomes_the_baseline_of_the_next(rag: Rag, tmp_path: Path) -> None:
    written = rag(*OURS, "--write-baseline", "--baseline", "base.json")
    assert written.exit_code == 0, written.stderr
    assert "wrote base.json" in written.stderr
    drops = thresholds(tmp_path / "t.toml", "[drops]\nanswer_match = 0.0\n")
    same = rag(*OURS, "--gate", *drops, "--baseline", "base.json")
    assert same.exit_code == 0, same.stdout
    write_cases(tmp_path / "gold.jsonl", CASES[:2])
    other = rag(*OURS, "--gate", *drops, "--baseline", "base.json")
    assert other.exit_code == 2
    assert "base.json cannot be compared with this run: they differ in cases" in other.stderr


def test_cases_are_chosen_by_language_and_tag(rag: Rag) -> None:
    assert "1 gold cases" in rag(*OURS, "-l", "sv").stdout
    assert "2 gold cases" in rag(*OURS, "-l", "en", "--tag", "number").stdout
    none = rag(*OURS, "-l", "fi")
    assert none.exit_code == 2
    assert "none of the 4 cases" in none.stderr


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ([], "gold.jsonl"),
        ([*CASES, CASES[0]], "gold.jsonl:5"),
        ([CASES[0], {**CASES[1], "question": ""}], "gold.jsonl:2"),
        ([{**CASES[0], "source_url": "https://example.org/nothing"}], "gold.jsonl:1"),
    ],
    ids=["empty", "duplicate id", "no question", "missing document"],
)
def test_a_wrong_set_is_exit_code_2(rag: Rag, tmp_path: Path, cases: list[dict[str, Any]], said: str) -> None:
    write_cases(tmp_path / "gold.jsonl", cases)
    result = rag(*OURS, "--gate")
    assert result.exit_code == 2, result.stdout
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--gold", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--live", "--url", "http://127.0.0.1:1"), "--live and --url exclude each other"),
        (("--squad", "gold.jsonl"), "--squad CONTEXTS and --questions QUESTIONS belong together"),
        (("--pool",), "--pool puts the contexts of --squad into one index"),
        (("--swefaq", "gold.jsonl", "--live"), "leave out --live"),
        (("--swefaq", "gold.jsonl", "--gold", "gold.jsonl"), "--gold and --swefaq exclude each other"),
        (("--limit", "3"), "--limit and --work are for public data"),
        (("--gate", "--thresholds", "none.toml"), "none.toml cannot be read"),
        ((*OURS, "--baseline", "none.json"), "there is no baseline none.json"),
        ((*OURS, "--engine", "llm"), "no model server is configured"),
        (("--live",), "nothing is indexed"),
        (("--swefaq", "gold.jsonl"), "gold.jsonl"),
        (("--squad", "gold.jsonl", "--questions", "gold.jsonl"), "gold.jsonl"),
        (("--nomiracl", "gold.jsonl"), "gold.jsonl"),
        (("--add",), "--gold eval/gold/NAME.jsonl"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_call_says_so(rag: Rag, arguments: tuple[str, ...], said: str) -> None:
    result = rag(*arguments)
    assert result.exit_code == (1 if arguments == ("--live",) else 2), result.stdout
    assert said in result.stderr


def test_public_data_is_asked_of_its_own_index_and_goes_on(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "squad.json").write_text(json.dumps(SQUAD), encoding="utf-8")
    call = ("--squad", "squad.json", "--questions", "squad.json", "--work", "work", "--json", "r.json")
    first = rag(*call)
    assert first.exit_code == 0, first.stderr
    assert "1 case " in first.stdout
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert report["records"][0]["scores"]["recall@1"] == 1.0
    assert "file.squad.json" in report["settings"]
    # The journal answers for what was asked: the time of each answer is the same to the last digit.
    rag(*call)
    again = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert again["records"] == report["records"]


def test_a_case_is_added_at_the_terminal(rag: Rag, tmp_path: Path) -> None:
    typed = [
        "en", "Who opened the tower?", "", "", TOWER, "Ada Lovelace", "", "short name", "opened.en",
    ]  # fmt: skip
    before = (tmp_path / "gold.jsonl").read_bytes()
    result = rag(*OURS, "--add", stdin="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.stderr
    assert "gold.jsonl:5: added opened.en" in result.stdout
    after = (tmp_path / "gold.jsonl").read_bytes()
    assert after.startswith(before)
    added = json.loads(after.splitlines()[-1])
    assert added["expect"] == {"any": ["Ada Lovelace"]}


def test_rated_answers_become_drafts(rag: Rag, tmp_path: Path, assistant: Assistant) -> None:
    answer = assistant.answer(Ask("How many open datasets did Can Tho publish?"))
    rated = {
        "answer_id": answer.id,
        "rating": "up",
        "question": answer.question,
        "language": "en",
        "answer": answer.to_dict(),
    }
    (tmp_path / "feedback.jsonl").write_text(json.dumps(rated) + "\n", encoding="utf-8")
    result = rag("--from-feedback", "feedback.jsonl")
    assert result.exit_code == 0, result.stderr
    assert "drafts.jsonl: 1 drafts" in result.stdout
    (draft,) = [json.loads(line) for line in (tmp_path / "drafts.jsonl").read_text("utf-8").splitlines()]
    assert draft["question"] == answer.question
    assert "draft" in draft["tags"]


@pytest.fixture
def served(assistant: Assistant, seed_settings: RagSettings) -> Iterator[str]:
    """The address of a real server on the shipped documents."""
    from rag.api import create_app

    with loopback.served(create_app(assistant, seed_settings)) as address:
        yield address


def test_a_server_scores_as_the_assistant_behind_it(
    rag: Rag, tmp_path: Path, served: str, seed_settings: RagSettings
) -> None:
    chosen = ("-l", "en", "--tag", "name")
    remote = rag("--url", served, *chosen, "--json", "remote.json")
    assert remote.exit_code == 0, remote.stderr
    assert f"over the documents of {served}" in remote.stdout
    local = rag(*chosen, "--live", "--json", "local.json", RAG_DATA_DIR=str(seed_settings.index.data_dir))
    assert local.exit_code == 0, local.stderr
    scores = [
        {
            record["task"]["id"]: record["scores"]
            for record in json.loads((tmp_path / name).read_text("utf-8"))["records"]
        }
        for name in ("remote.json", "local.json")
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) >= 3


def test_a_server_that_is_gone_is_named(rag: Rag) -> None:
    result = rag("--url", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "the server at http://127.0.0.1:9 does not answer" in result.stderr
