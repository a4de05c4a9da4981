"""What a language model writes, cleaned while it comes: markers, the word for no answer, completed follow-ups."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from misbehaving_server import ModelServer, Script, good

from index.types import Chunk, Sentence
from rag.answer import Hit, Turn
from rag.llm.client import LanguageModel, LanguageModelError
from rag.llm.markers import SENTINEL
from rag.llm.writing import Writing, complete_question, write_answer
from rag.question import analyse
from rag.settings import RagSettings
from rag.verification.passage import Passage

HISTORY = [Turn("user", "When was the harbour of Elmsund built?"), Turn("assistant", "In 1840 [1].")]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as one:
        yield one


@pytest.fixture(scope="module")
def settings(server: ModelServer) -> RagSettings:
    return RagSettings(
        llm_base_url=server.url, llm_model="served", llm_timeout_s=30, llm_answer_tokens=123, _env_file=None
    )


@pytest.fixture
def model(server: ModelServer, settings: RagSettings) -> Iterator[LanguageModel]:
    server.requests.clear()
    server.disconnected.clear()
    one = LanguageModel.open(settings)
    assert one is not None
    yield one
    one.close()


def passages(count: int = 3) -> list[Passage]:
    made = []
    for number in range(1, count + 1):
        text = f"Lantern number {number} hangs there."
        sentence = Sentence(f"d:{number}", "d", 0, 0, len(text), text, "en", "body")
        hit = Hit(Chunk("d:c", "d", 0, 0, len(text), text, "en", 0, 0), "T", None, "en", 1.0, 0.9, 0.9, 0.0)
        made.append(Passage(number, hit, 0, len(text), text, (sentence,)))
    return made


def writing(model: LanguageModel, settings: RagSettings, *, stop: threading.Event | None = None) -> Writing:
    question = analyse("কতগুলি লণ্ঠন আছে?")
    return write_answer(model, question, passages(), settings=settings, history=HISTORY, stop=stop)


def test_the_answer_comes_cleaned_piece_by_piece(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave(good("\n ", "লণ্ঠন ", "তিনটি [", "3", ", 1]", " এবং নয়টি [8]", "।"))
    written = writing(model, settings)
    pieces = list(written)
    assert len(pieces) > 2
    assert "".join(pieces) == written.text == "লণ্ঠন তিনটি [1][2] এবং নয়টি।"
    assert written.order == [3, 1]
    assert not written.not_in_documents


def test_the_model_is_asked_in_the_questions_language_within_the_limit(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave("good")
    list(writing(model, settings))
    (request,) = server.requests
    assert request["max_tokens"] == 123
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert "Bangla / বাংলা" in request["messages"][0]["content"]
    assert "Elmsund" in request["messages"][1]["content"]


def test_no_answer_in_the_documents_gives_no_text(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave(good("NOT_", "IN_DOCU", "MENTS", ". Because the passages"))
    written = writing(model, settings)
    assert list(written) == []
    assert (written.text, written.not_in_documents) == ("", True)


@pytest.mark.parametrize(
    "said", ["[9]", " \n", "[7] [8]", '<passages> <passage id="1" title="Harbour', "Three.\n</question>"]
)
def test_an_answer_without_words_of_its_own_is_empty(
    server: ModelServer, model: LanguageModel, settings: RagSettings, said: str
) -> None:
    server.behave(good(said))
    with pytest.raises(LanguageModelError) as caught:
        list(writing(model, settings))
    assert caught.value.kind == "empty"


def test_a_failure_in_the_middle_is_told_after_what_came(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave(Script("cut", ("Three lanterns ", "hang")))
    written = writing(model, settings)
    with pytest.raises(LanguageModelError) as caught:
        list(written)
    assert caught.value.kind == "cut"
    assert written.text == "Three lanterns hang"


def test_leaving_the_answer_lets_the_server_go(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave("endless")
    written = writing(model, settings)
    next(written)
    written.close()
    assert server.disconnected.wait(60)
    assert list(written) == []


def test_an_answer_that_is_stopped_just_ends(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave("slow-start")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    assert list(writing(model, settings, stop=stop)) == []
    assert server.disconnected.wait(60)


# -- follow-ups


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("How deep is the harbour of Elmsund?", id="plain"),
        pytest.param(' "How deep is the harbour of Elmsund?"\n', id="in-quotes"),
        pytest.param("**How deep is the harbour of Elmsund?**", id="bold"),
    ],
)
def test_a_follow_up_becomes_a_question_of_its_own(
    server: ModelServer, model: LanguageModel, said: str
) -> None:
    server.behave(good(*said))
    assert complete_question(model, "How deep is it?", HISTORY) == "How deep is the harbour of Elmsund?"
    (request,) = server.requests
    assert "English" in request["messages"][0]["content"]
    assert "Elmsund" in request["messages"][1]["content"]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("...", id="no-words"),
        pytest.param("How deep?\nHow wide?", id="two-lines"),
        pytest.param("deep " * 200, id="too-long"),
        pytest.param("First line\n\n" + "more " * 20, id="explained"),
    ],
)
def test_what_is_no_question_is_broken(server: ModelServer, model: LanguageModel, said: str) -> None:
    server.behave(good(said))
    with pytest.raises(LanguageModelError) as caught:
        complete_question(model, "How deep is it?", HISTORY)
    assert caught.value.kind == "broken"


def test_a_failing_server_fails_the_follow_up(server: ModelServer, model: LanguageModel) -> None:
    server.behave("busy")
    with pytest.raises(LanguageModelError) as caught:
        complete_question(model, "How deep is it?", HISTORY)
    assert caught.value.kind == "busy"


def test_a_follow_up_that_is_stopped_stays_as_it_was(server: ModelServer, model: LanguageModel) -> None:
    server.behave("slow-between")
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    assert complete_question(model, "How deep is it?", HISTORY, stop=stop) == "How deep is it?"


def test_the_word_for_no_answer_is_in_the_prompt(
    server: ModelServer, model: LanguageModel, settings: RagSettings
) -> None:
    server.behave(
        Script("good", lambda messages: [SENTINEL] if SENTINEL in messages[0]["content"] else ["?"])
    )
    written = writing(model, settings)
    list(written)
    assert written.not_in_documents
