"""OpenAI's format where a language model writes: links that come late, answers that replace what was streamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from threading import Event
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from loopback import served
from misbehaving_server import ModelServer, Script, good
from shown import shown

from index.corpus import Corpus
from index.settings import IndexSettings
from rag.api import create_app
from rag.assistant import Assistant
from rag.settings import RagSettings

if TYPE_CHECKING:
    from index.embedder import Embedder

URL = "https://varnholt.example/skolor"
TEXT = f"Varnholt öppnade 12 skolor under 2021. Borgmästaren Karin Ek invigde dem i maj.\nKälla: {URL}\n"
QUESTION = "How many schools did Varnholt open in 2021?"


@pytest.fixture(scope="module")
def index(index_of: Callable[[Mapping[str, str]], IndexSettings]) -> IndexSettings:
    return index_of({"varnholt.txt": TEXT})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def client(index: IndexSettings, embedder: Embedder, server: ModelServer) -> Iterator[openai.OpenAI]:
    settings = RagSettings(
        index=index,
        refusal_threshold=0,
        llm_base_url=server.url,
        llm_model="served",
        llm_timeout_s=2.0,
        _env_file=None,
    )
    corpus = Corpus.open(index, manifest_expected=None)
    with (
        Assistant(corpus, embedder, settings) as assistant,
        served(create_app(assistant, settings)) as address,
        httpx.Client(trust_env=False) as http,
        openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0, http_client=http) as opened,
    ):
        yield opened


def says(text: str) -> Script:
    """A model that cites the first passage, in small pieces."""
    return Script("good", re.findall(r".{1,3}", text, re.DOTALL))


def streamed(client: openai.OpenAI, model: str = "polycite") -> tuple[str, dict[str, Any]]:
    """The joined content of a stream and the answer that came with it; its annotations are markers of the content."""
    messages: Any = [{"role": "user", "content": QUESTION}]
    chunks = list(client.chat.completions.create(model=model, messages=messages, stream=True))
    content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    annotations = (chunks[-1].choices[0].delta.model_extra or {})["annotations"]
    for found in (annotation["url_citation"] for annotation in annotations):
        assert content[found["start_index"] : found["end_index"]].startswith("[1]")
        assert found["url"].startswith(f"{URL}#:~:text=")
    return content, (chunks[-1].model_extra or {})["polycite"]


def places(client: openai.OpenAI, model: str) -> list[tuple[int, int]]:
    """Where a stream's annotations are."""
    messages: Any = [{"role": "user", "content": QUESTION}]
    *_, last = client.chat.completions.create(model=model, messages=messages, stream=True)
    found = (each["url_citation"] for each in (last.choices[0].delta.model_extra or {})["annotations"])
    return [(each["start_index"], each["end_index"]) for each in found]


def whole(client: openai.OpenAI, model: str = "polycite") -> tuple[str, dict[str, Any]]:
    messages: Any = [{"role": "user", "content": QUESTION}]
    completion = client.chat.completions.create(model=model, messages=messages)
    return completion.choices[0].message.content or "", (completion.model_extra or {})["polycite"]


@pytest.mark.parametrize("model", ["polycite", "polycite-llm"])
def test_links_come_at_the_end_of_a_stream(client: openai.OpenAI, server: ModelServer, model: str) -> None:
    server.behave(says("Varnholt opened 12 schools in 2021. [1]"))
    content, answer = streamed(client, model)
    assert (answer["engine"], answer["grounding"]) == ("llm", "verified")
    plain, _, definition = content.partition("\n\n")
    assert plain == answer["answer"] == "Varnholt opened 12 schools in 2021. [1]"
    assert definition.startswith(f"[1]: <{URL}#:~:text=")
    assert shown(content) == shown(whole(client, model)[0])
    assert [content[slice(*place)] for place in places(client, model)] == ["[1]"]


def test_the_other_engine_is_not_asked(client: openai.OpenAI, server: ModelServer) -> None:
    content, answer = streamed(client, "polycite-extractive")
    assert (answer["engine"], server.requests) == ("extractive", [])
    assert content == whole(client, "polycite-extractive")[0]


@pytest.mark.parametrize(
    ("script", "begun", "engine"),
    [
        pytest.param(says("Varnholt opened 77 schools in 2021. [1]"), "Varnholt opened 77", None, id="untrue"),
        pytest.param(Script("cut", ("Varnholt opened ", "12 ")), "Varnholt opened", "extractive", id="cut off"),
    ],
)  # fmt: skip
def test_the_checked_answer_follows_what_it_replaces(
    client: openai.OpenAI, server: ModelServer, script: Script, begun: str, engine: str | None
) -> None:
    server.behave(script)
    content, answer = streamed(client)
    assert content.startswith(begun)
    assert engine in (None, answer["engine"])
    replaced, _, counts = content.partition("\n\n")
    assert replaced != answer["answer"]
    if answer["notice"]:
        notice, _, counts = counts.partition("\n\n")
        assert notice == answer["notice"]
    text, links, _ = shown(counts)
    assert re.sub(r"\[(\d)\]", r"\1", " ".join(answer["answer"].split())) == " ".join(text.split())
    assert links == [link for link in links if link.startswith(f"{URL}#:~:text=")] != []


def test_a_model_that_is_down_is_noticed(client: openai.OpenAI, server: ModelServer) -> None:
    server.behave("failed")
    content, answer = streamed(client)
    assert answer["engine"] == "extractive"
    assert answer["notice"]
    assert shown(content)[1] == shown(whole(client)[0])[1] != []


def test_what_is_written_comes_as_it_is_written(client: openai.OpenAI, server: ModelServer) -> None:
    gate = Event()
    server.behave(good("Varnholt opened ", "12 schools in 2021. [1]", gate=gate))
    messages: Any = [{"role": "user", "content": QUESTION}]
    stream = client.chat.completions.create(model="polycite", messages=messages, stream=True)
    first = next(chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content)
    assert first.startswith("Varn")
    gate.set()
    assert [chunk.choices[0].finish_reason for chunk in stream][-1] == "stop"
