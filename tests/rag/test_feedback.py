"""Ratings: stored over HTTP and in process, whole or not at all, and read by the evaluation."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from texts import HOSTILE, MULTI_SCRIPT, by_id

from eval.drafts import from_feedback
from index.errors import UsageError, WorkError
from index.settings import IndexSettings
from rag.answer import Answer, Citation, Turn
from rag.api import create_app
from rag.asking import Ask
from rag.feedback import MAX_REASON_CHARS, Exchange, FeedbackFull, FeedbackStore, RecentAnswers
from rag.settings import RagSettings
from ui.cli import cli

if TYPE_CHECKING:
    from rag.assistant import Assistant

ASK = Ask("How many stones?")
HERE = "http://127.0.0.1:8000"
QUESTION = "How many open data sets has the city of Can Tho published?"


def answer(**changed: Any) -> Answer:
    citation = Citation(
        marker=1,
        document_id="d1",
        source_url="https://mill.example/about",
        title="Kvarnen",
        language="sv",
        quote="Kvarnen har 14 stenar.",
        start=0,
        end=22,
        score=0.9,
    )
    made = Answer(
        id="a1",
        question="How many stones?",
        standalone_question="How many stones?",
        language="en",
        answer="14 [1]",
        short_answer="14",
        refused=False,
        refusal_reason=None,
        engine="extractive",
        model=None,
        grounding="verified",
        citations=(citation,),
    )
    return replace(made, **changed)


def lines(path: Path) -> list[dict[str, Any]]:
    """As a reader of JSON lines does: a line ends with a line feed and nothing else."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "data" / "feedback.jsonl")


class TestStore:
    def test_a_line_says_all_that_a_case_needs(self, store: FeedbackStore) -> None:
        rated = answer()
        history = (Turn("user", "Finns det en kvarn?"), Turn("assistant", "Ja. [1]"))
        store.add(
            Exchange.of(rated, Ask("?", history=tuple(history), languages=("sv",))),
            rating="down",
            reason="old",
        )
        (line,) = lines(store.path)
        assert line.pop("created_at").endswith("+00:00")
        assert line == {
            "answer_id": "a1",
            "rating": "down",
            "reason": "old",
            "question": "How many stones?",
            "language": "en",
            "history": [{"role": turn.role, "content": turn.content} for turn in history],
            "languages": ["sv"],
            "documents": None,
            "searched_known": True,
            "from_client": False,
            "answer": json.loads(json.dumps(rated.to_dict())),
        }

    def test_nobody_else_reads_it(self, store: FeedbackStore) -> None:
        store.add(Exchange.of(answer(), ASK), rating="up")
        assert store.path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("text", by_id({**MULTI_SCRIPT, **HOSTILE}))
    def test_any_text_is_read_back(self, store: FeedbackStore, text: str) -> None:
        store.add(Exchange.of(answer(answer=text), ASK), rating="up", reason=text)
        store.add(Exchange.of(answer(id="a2"), ASK), rating="down")
        first, second = lines(store.path)
        assert (first["reason"], first["answer"]["answer"]) == (text, text)
        assert second["answer_id"] == "a2"
        assert len(from_feedback(store.path)) == 2

    def test_many_at_once(self, store: FeedbackStore) -> None:
        def rate(worker: int) -> None:
            mine = FeedbackStore(store.path)
            for number in range(20):
                mine.add(Exchange.of(answer(id=f"{worker}-{number}"), ASK), rating="up")

        threads = [threading.Thread(target=rate, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [line["answer_id"] for line in lines(store.path)]
        assert sorted(ids) == sorted(f"{worker}-{number}" for worker in range(8) for number in range(20))

    @pytest.mark.parametrize(
        ("tail", "kept"),
        [
            pytest.param(b'{"answer_id": "tor', 1, id="torn"),
            pytest.param("{\"answer_id\": \"\u0995".encode()[:-1], 1, id="torn in a letter"),
            pytest.param(b'{"mine": 1}', 2, id="without a line end"),
            pytest.param(b"", 1, id="whole"),
        ],
    )  # fmt: skip
    def test_a_torn_line_does_not_spoil_the_next(self, store: FeedbackStore, tail: bytes, kept: int) -> None:
        store.add(Exchange.of(answer(), ASK), rating="up")
        before = store.path.read_bytes()
        store.path.write_bytes(before + tail)
        store.add(Exchange.of(answer(id="a2"), ASK), rating="up")
        assert store.path.read_bytes().startswith(before)
        assert len(lines(store.path)) == kept + 1

    @pytest.mark.parametrize(
        ("changed", "reason", "message"),
        [
            pytest.param({}, "x" * (MAX_REASON_CHARS + 1), "the reason has 2,001 characters", id="reason"),
            pytest.param({"answer": "x" * 600_000}, None, "at most 500,000 fit", id="answer"),
            pytest.param({"question": " "}, None, "empty id, question", id="question"),
            pytest.param({"id": ""}, None, "empty id, question", id="id"),
            pytest.param({"language": " "}, None, "empty id, question", id="language"),
            pytest.param({"citations": (replace(answer().citations[0], quote=" "),)}, None, "quote", id="quote"),
        ],
    )  # fmt: skip
    def test_what_is_not_stored(
        self, store: FeedbackStore, changed: dict[str, Any], reason: str | None, message: str
    ) -> None:
        with pytest.raises(UsageError, match=message):
            store.add(Exchange.of(answer(**changed), ASK), rating="up", reason=reason)
        assert not store.path.exists()

    def test_it_grows_to_a_bound(self, tmp_path: Path) -> None:
        store = FeedbackStore(tmp_path / "feedback.jsonl", max_bytes=2000)
        with pytest.raises(FeedbackFull, match="move it away"):
            for _ in range(10):
                store.add(Exchange.of(answer(), ASK), rating="up")
        assert 1 <= len(lines(store.path)) < 10

    def test_a_full_disk_loses_nothing(self, store: FeedbackStore) -> None:
        store.add(Exchange.of(answer(), ASK), rating="up")
        before = store.path.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        with pytest.MonkeyPatch.context() as patch, pytest.raises(WorkError, match="No space left"):
            patch.setattr(os, "fsync", full)
            store.add(Exchange.of(answer(id="a2"), ASK), rating="up")
        assert store.path.read_bytes() == before

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(WorkError, match="cannot be written"):
            FeedbackStore(tmp_path / "file" / "feedback.jsonl").add(Exchange.of(answer(), ASK), rating="up")

    def test_of_a_long_history_the_newest_turns(self, store: FeedbackStore) -> None:
        history = [Turn("user", f"{number} {'x' * 6000}") for number in range(10)]
        store.add(Exchange.of(answer(), Ask("?", history=tuple(history))), rating="up")
        kept = lines(store.path)[0]["history"]
        assert [turn["content"].split()[0] for turn in kept] == ["7", "8", "9"]


class TestRecent:
    def test_what_is_remembered(self) -> None:
        recent = RecentAnswers()
        exchange = Exchange.of(answer(), Ask("?", history=(Turn("user", "x"),), documents=("d1",)))
        recent.remember(exchange)
        found = recent.get("a1")
        assert found is not None
        assert json.dumps(found.answer) == json.dumps(exchange.answer)
        assert (found.history, found.languages, found.documents) == ((Turn("user", "x"),), None, ("d1",))
        assert recent.get("a2") is None

    def test_the_oldest_make_room(self) -> None:
        recent = RecentAnswers(count=3)
        for number in range(5):
            recent.remember(Exchange.of(answer(id=str(number)), ASK))
        assert [number for number in range(5) if recent.get(str(number))] == [2, 3, 4]

    def test_large_ones_make_room_too(self) -> None:
        recent = RecentAnswers(size=10_000)
        for number in range(5):
            recent.remember(Exchange.of(answer(id=str(number), answer="x" * 4000), ASK))
        assert [number for number in range(5) if recent.get(str(number))] == [3, 4]

    def test_the_same_answer_again_counts_once(self) -> None:
        recent = RecentAnswers(size=10_000)
        for _ in range(10):
            recent.remember(Exchange.of(answer(answer="x" * 4000), ASK))
        recent.remember(Exchange.of(answer(id="b"), ASK))
        assert recent.get("a1") is not None


# -- over HTTP


@pytest.fixture
def settings(tmp_path: Path) -> RagSettings:
    return RagSettings(index=IndexSettings(data_dir=tmp_path, _env_file=None), _env_file=None)


@pytest.fixture
def client(assistant: Assistant, settings: RagSettings) -> Iterator[TestClient]:
    with TestClient(create_app(assistant, settings), base_url=HERE) as opened:
        yield opened


def ask(client: TestClient, path: str) -> dict[str, Any]:
    """The answer to a question that was asked at one of the paths, streamed or not."""
    where, _, how = path.partition(" ")
    stream = {"stream": how == "streamed"}
    if where == "/v1/ask":
        response = client.post(where, json={"question": QUESTION, **stream})
    else:
        message = {"role": "user", "content": QUESTION}
        response = client.post(where, json={"model": "polycite", "messages": [message], **stream})
    if not stream["stream"]:
        body: dict[str, Any] = response.json()
        return body if where == "/v1/ask" else body["polycite"]
    events = [line.removeprefix("data: ") for line in response.text.splitlines() if "data: {" in line]
    found = [
        event for text in events if (event := json.loads(text)) and {"citations", "polycite"} & set(event)
    ]
    return found[0] if where == "/v1/ask" else found[0]["polycite"]


PATHS = ["/v1/ask", "/v1/ask streamed", "/v1/chat/completions", "/v1/chat/completions streamed"]


@pytest.mark.parametrize("path", PATHS)
def test_the_id_is_enough_for_a_recent_answer(client: TestClient, settings: RagSettings, path: str) -> None:
    answered = ask(client, path)
    response = client.post("/v1/feedback", json={"answer_id": answered["id"], "rating": "up"})
    assert (response.status_code, response.json()) == (201, {"answer_id": answered["id"], "rating": "up"})
    (line,) = lines(settings.index.data_dir / "feedback.jsonl")
    assert (line["question"], line["from_client"]) == (QUESTION, False)
    assert line["answer"] == answered


def test_the_evaluation_reads_what_is_stored(
    client: TestClient, settings: RagSettings, tmp_path: Path
) -> None:
    """From a question to a draft case, on the command line."""
    answered = ask(client, "/v1/ask")
    for rating in ("down", "up"):
        client.post("/v1/feedback", json={"answer_id": answered["id"], "rating": rating})
    drafts = tmp_path / "drafts.jsonl"
    ratings = str(settings.index.data_dir / "feedback.jsonl")
    done = CliRunner().invoke(cli, ["eval", "--from-feedback", ratings, "--drafts", str(drafts)])
    assert done.exit_code == 0, done.output
    (draft,) = lines(drafts)
    first = answered["citations"][0]
    assert (draft["question"], draft["language"], draft["tags"]) == (QUESTION, "en", ["draft"])
    assert (draft["evidence"], draft["source_url"]) == ([first["quote"]], first["source_url"])
    assert "note" not in draft


def test_an_answer_of_another_time_comes_with_its_rating(client: TestClient, settings: RagSettings) -> None:
    sent = json.loads(json.dumps(answer().to_dict()))
    body = {"answer_id": "a1", "rating": "down", "reason": "old"}
    unknown = client.post("/v1/feedback", json=body)
    assert unknown.status_code == 404
    assert unknown.json()["type"] == "urn:polycite:problem:answer-unknown"
    assert "`answer`" in unknown.json()["detail"]
    history = [{"role": "user", "content": "Finns det en kvarn?"}]
    stored = client.post("/v1/feedback", json={**body, "answer": sent, "history": history})
    assert stored.status_code == 201
    (line,) = lines(settings.index.data_dir / "feedback.jsonl")
    assert (line["answer"], line["history"], line["from_client"]) == (sent, history, True)
    assert len(from_feedback(settings.index.data_dir / "feedback.jsonl")) == 1


SEARCHED: dict[str, tuple[dict[str, Any], tuple[Any, Any, bool]]] = {
    "not said": ({}, (None, None, False)),
    "said to be unknown": ({"searched": None}, (None, None, False)),
    "everything": ({"searched": {}}, (None, None, True)),
    "a language": ({"searched": {"languages": ["sv"], "documents": None}}, (["sv"], None, True)),
    "documents": ({"searched": {"documents": ["d1", "d2"]}}, (None, ["d1", "d2"], True)),
}


@pytest.mark.parametrize(("sent", "kept"), SEARCHED.values(), ids=SEARCHED)
def test_what_was_searched_is_kept_or_said_to_be_unknown(
    client: TestClient, settings: RagSettings, sent: dict[str, Any], kept: tuple[Any, Any, bool]
) -> None:
    body = {"answer_id": "a1", "rating": "down", "answer": answer().to_dict(), **sent}
    assert client.post("/v1/feedback", json=body).status_code == 201
    (line,) = lines(settings.index.data_dir / "feedback.jsonl")
    assert (line["languages"], line["documents"], line["searched_known"]) == kept
    assert len(from_feedback(settings.index.data_dir / "feedback.jsonl")) == 1


def test_what_was_searched_of_a_recent_answer_is_the_servers_word(
    client: TestClient, settings: RagSettings
) -> None:
    asked = client.post("/v1/ask", json={"question": QUESTION, "languages": ["bn"]}).json()
    body = {"answer_id": asked["id"], "rating": "up", "searched": {"languages": ["sv"]}}
    assert client.post("/v1/feedback", json=body).status_code == 201
    (line,) = lines(settings.index.data_dir / "feedback.jsonl")
    assert (line["languages"], line["searched_known"]) == (["bn"], True)


def test_what_the_server_knows_counts(client: TestClient, settings: RagSettings) -> None:
    answered = ask(client, "/v1/ask")
    forged = {**answered, "answer": "Something else"}
    client.post("/v1/feedback", json={"answer_id": answered["id"], "rating": "up", "answer": forged})
    (line,) = lines(settings.index.data_dir / "feedback.jsonl")
    assert line["answer"] == answered


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"rating": "good"}, 422, id="rating"),
        pytest.param({"answer_id": ""}, 422, id="no id"),
        pytest.param({"answer_id": "x" * 65}, 422, id="long id"),
        pytest.param({"reason": "x" * 2001}, 422, id="long reason"),
        pytest.param({"reason": "\ud800"}, 422, id="half a character"),
        pytest.param({"stars": 5}, 422, id="unknown field"),
        pytest.param({"answer": {"id": "a1"}}, 422, id="half an answer"),
        pytest.param({"answer_id": "a2"}, 422, id="of another answer"),
        pytest.param({"answer": answer(question="").to_dict()}, 422, id="no question"),
        pytest.param({"answer": answer(answer="x" * 600_000).to_dict()}, 422, id="large"),
        pytest.param({"answer": None}, 404, id="unknown"),
        pytest.param({"searched": {"engine": "llm"}}, 422, id="searched in another way"),
    ],
)
def test_a_wrong_rating_is_a_problem(
    client: TestClient, settings: RagSettings, changes: dict[str, Any], status: int
) -> None:
    body = {"answer_id": "a1", "rating": "up", "answer": answer().to_dict(), **changes}
    response = client.post(
        "/v1/feedback", content=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert not (settings.index.data_dir / "feedback.jsonl").exists()


def test_no_room_is_a_problem(client: TestClient, assistant: Assistant, settings: RagSettings) -> None:
    path = settings.index.data_dir / "feedback.jsonl"
    path.touch()
    os.truncate(path, 200_000_000)
    answered = ask(client, "/v1/ask")
    response = client.post("/v1/feedback", json={"answer_id": answered["id"], "rating": "up"})
    assert response.status_code == 503
    assert response.json()["type"] == "urn:polycite:problem:feedback-full"
    assert path.stat().st_size == 200_000_000
