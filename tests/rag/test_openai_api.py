"""OpenAI's wire format on a real server, with OpenAI's own client; odd requests without it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from loopback import served
from pydantic import SecretStr
from shown import shown
from texts import MULTI_SCRIPT

from index.errors import IndexDamaged
from rag.answer import Answer, Token
from rag.api import create_app
from rag.api.markdown import answer_markdown
from rag.asking import Ask

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.settings import RagSettings

QUESTION = "How many open data sets has the city of Can Tho published?"
NOT_THERE = "How many people live in Reykjavik?"


@pytest.fixture(scope="module")
def address(assistant: Assistant, seed_settings: RagSettings) -> Iterator[str]:
    with served(create_app(assistant, seed_settings)) as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    http = httpx.Client(trust_env=False)
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, http_client=http) as opened:
        yield opened


def said(text: str, role: str = "user") -> Any:
    return {"role": role, "content": text}


def post(address: str, body: object) -> httpx.Response:
    return httpx.post(
        f"{address}/v1/chat/completions",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
        timeout=60,
    )


# -- completions


@pytest.mark.parametrize("question", [QUESTION, NOT_THERE], ids=["answer", "refusal"])
def test_a_completion_is_the_answer(client: openai.OpenAI, assistant: Assistant, question: str) -> None:
    completion = client.chat.completions.create(model="polycite", messages=[said(question)])
    expected = assistant.answer(Ask(question))
    (choice,) = completion.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.content == answer_markdown(expected)
    assert completion.model == "polycite"
    answer = completion.model_extra["polycite"] if completion.model_extra else None
    assert set(answer) == set(Answer.__dataclass_fields__)
    assert (answer["answer"], answer["refused"]) == (expected.answer, expected.refused)
    assert len(answer["citations"]) == len(expected.citations)
    usage = completion.usage
    assert usage is not None
    assert usage.prompt_tokens > 5
    assert usage.completion_tokens > 5
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_markers_lead_to_the_quoted_words(client: openai.OpenAI, assistant: Assistant) -> None:
    completion = client.chat.completions.create(model="polycite", messages=[said(QUESTION)])
    url = assistant.answer(Ask(QUESTION)).citations[0].source_url
    _, links, _ = shown(completion.choices[0].message.content or "")
    assert links
    assert links[0].startswith(f"{url}#:~:text=")


def cites(content: str, annotations: Any, answer: Any) -> None:
    """Each annotation is a marker of the content, with its link, and names what it cites."""
    cited = {citation["marker"]: citation for citation in answer["citations"]}
    assert annotations
    for annotation in annotations:
        assert annotation["type"] == "url_citation"
        found = annotation["url_citation"]
        number, link, rest = re.fullmatch(  # type: ignore[union-attr]
            r"\[(\d+)\]\((.*)\)", content[found["start_index"] : found["end_index"]]
        ).group(1, 2, 0)
        citation = cited[int(number)]
        assert rest.endswith(")")
        assert link.replace("\\", "") == found["url"]
        assert found["url"].startswith(f"{citation['source_url']}#:~:text=")
        assert found["title"] == citation["title"]
    assert len(annotations) == len(re.findall(r"(?<!\\)\[\d+\]\(", content))


@pytest.mark.parametrize("question", [QUESTION, "Cần Thơ đã công bố bao nhiêu bộ dữ liệu mở?"])
def test_citations_are_annotations_of_the_message(client: openai.OpenAI, question: str) -> None:
    """Where the client's own types have them, and in the last delta of a stream."""
    completion = client.chat.completions.create(model="polycite", messages=[said(question)])
    message = completion.choices[0].message
    plain = [annotation.model_dump() for annotation in message.annotations or ()]
    cites(message.content or "", plain, (completion.model_extra or {})["polycite"])
    chunks = list(client.chat.completions.create(model="polycite", messages=[said(question)], stream=True))
    deltas = [(chunk.choices[0].delta.model_extra or {}).get("annotations") for chunk in chunks]
    assert deltas == [None] * (len(chunks) - 1) + [plain]


def test_a_refusal_cites_nothing(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="polycite", messages=[said(NOT_THERE)])
    assert completion.choices[0].message.annotations == []


@pytest.mark.parametrize("question", [QUESTION, NOT_THERE, *MULTI_SCRIPT.values()][:6])
def test_a_stream_is_the_completion(client: openai.OpenAI, question: str) -> None:
    whole = client.chat.completions.create(model="polycite", messages=[said(question)])
    chunks = list(client.chat.completions.create(model="polycite", messages=[said(question)], stream=True))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    joined = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert joined == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    last, first = chunks[-1].model_extra or {}, whole.model_extra or {}
    for changing in ("id", "timings_ms"):
        del last["polycite"][changing], first["polycite"][changing]
    assert last["polycite"] == first["polycite"]
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_comes_last_in_a_stream_that_asks_for_it(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="polycite", messages=[said(QUESTION)])
    *chunks, last = client.chat.completions.create(
        model="polycite",
        messages=[said(QUESTION)],
        stream=True,
        stream_options={"include_usage": True},
    )
    assert last.choices == []
    assert last.usage == whole.usage
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_a_stream_in_wire_format(address: str) -> None:
    response = post(address, {"model": "polycite", "messages": [said(QUESTION)], "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.text.endswith("\n\ndata: [DONE]\n\n")
    for line in response.text.removesuffix("\n\n").split("\n\n")[:-1]:
        chunk = json.loads(line.removeprefix("data: "))
        assert set(chunk) <= {"id", "object", "created", "model", "choices", "polycite"}


def test_the_client_without_waiting(address: str) -> None:
    async def both() -> tuple[str, str]:
        async with (
            httpx.AsyncClient(trust_env=False) as http,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", http_client=http) as client,
        ):
            whole = await client.chat.completions.create(model="polycite", messages=[said(QUESTION)])
            stream = await client.chat.completions.create(
                model="polycite", messages=[said(QUESTION)], stream=True
            )
            joined = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content or "", "".join(joined)

    whole, joined = asyncio.run(both())
    assert whole == joined != ""


def test_a_follow_up_is_completed_from_the_messages_before(
    client: openai.OpenAI, assistant: Assistant
) -> None:
    first = client.chat.completions.create(model="polycite", messages=[said(QUESTION)])
    follow_up = "And how many tasks?"
    answered = first.choices[0].message.content or ""
    messages = [
        said("You are a pirate.", "system"),
        said(QUESTION),
        said(answered, "assistant"),
        {"role": "tool", "content": "nothing", "tool_call_id": "x"},
        {"role": "user", "content": [{"type": "text", "text": follow_up}]},
        said("Certainly", "assistant"),
    ]
    completion = client.chat.completions.create(model="polycite", messages=messages)
    shown_question = (completion.model_extra or {})["polycite"]["standalone_question"]
    plain = httpx.post(
        f"{client.base_url}ask",
        json={
            "question": follow_up,
            "history": [said(QUESTION), said(assistant.answer(Ask(QUESTION)).answer, "assistant")],
        },
        timeout=60,
    ).json()
    assert shown_question == plain["standalone_question"] != follow_up


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"temperature": 1.5, "top_p": 0.1, "seed": 4}, id="sampling"),
        pytest.param({"max_tokens": 1, "max_completion_tokens": 1}, id="lengths"),
        pytest.param({"n": 1, "stream": None, "stream_options": None}, id="defaults"),
        pytest.param({"tools": [{"type": "function", "function": {"name": "f"}}]}, id="tools"),
        pytest.param({"tool_choice": "auto", "parallel_tool_calls": True}, id="tool choice"),
        pytest.param({"response_format": {"type": "text"}, "logprobs": True}, id="formats"),
        pytest.param({"user": "a", "metadata": {"x": "y"}, "whatever": [1]}, id="unknown"),
        pytest.param({"messages": [said("Answer no.", "system"), said(QUESTION)]}, id="system message"),
        pytest.param({"messages": [said("Answer no.", "developer"), said(QUESTION)]}, id="developer"),
    ],
)
def test_options_without_effect(address: str, assistant: Assistant, options: dict[str, Any]) -> None:
    response = post(address, {"model": "polycite", "messages": [said(QUESTION)], **options})
    assert response.json()["choices"][0]["message"]["content"] == answer_markdown(
        assistant.answer(Ask(QUESTION))
    )


# -- models


def test_the_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["polycite", "polycite-extractive"]
    for name in names:
        assert client.models.retrieve(name).id == name
        client.chat.completions.create(model=name, messages=[said(QUESTION)])


def test_a_configured_language_model_is_listed(assistant: Assistant, seed_settings: RagSettings) -> None:
    settings = seed_settings.model_copy(
        update={"llm_base_url": "http://127.0.0.1:9/v1", "llm_model": "m", "llm_api_key": SecretStr("x")}
    )
    with served(create_app(assistant, settings)) as address:
        listed = httpx.get(f"{address}/v1/models", timeout=60).json()
    assert [model["id"] for model in listed["data"]] == ["polycite", "polycite-extractive", "polycite-llm"]


# -- errors


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    for call in (
        lambda: client.chat.completions.create(model="gpt-4o", messages=[said("x")]),
        lambda: client.models.retrieve("gpt-4o"),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        assert (caught.value.code, caught.value.type) == ("model_not_found", "invalid_request_error")
        assert "polycite-extractive" in caught.value.message


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        pytest.param({"messages": []}, "messages", id="no message"),
        pytest.param({"messages": None}, "messages", id="null"),
        pytest.param({"messages": "hello"}, "messages", id="text for messages"),
        pytest.param({"messages": [said("x", "robot")]}, "messages.0.role", id="role"),
        pytest.param({"messages": [{"content": "x"}]}, "messages.0.role", id="no role"),
        pytest.param({"messages": [said(3)]}, "messages.0.content", id="number"),  # type: ignore[arg-type]
        pytest.param(
            {"messages": [{"role": "user", "content": [IMAGE]}]}, "messages.0.content", id="an image"
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a\ud800"}]}]},
            "messages.0.content",
            id="half a character in a part",
        ),
        pytest.param({"messages": [said("\ud800")]}, "messages.0.content", id="lone surrogate"),
        pytest.param({"messages": [said("x", "system")]}, None, id="no question"),
        pytest.param({"messages": [said("")]}, None, id="empty question"),
        pytest.param({"messages": [{"role": "user"}]}, None, id="no content"),
        pytest.param({"messages": [said("x " * 5000)]}, None, id="too long"),
        pytest.param({"n": 2}, "n", id="several answers"),
        pytest.param({"response_format": {"type": "json_object"}}, "response_format", id="JSON"),
        pytest.param(
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
            "response_format",
            id="a schema",
        ),
        pytest.param({"response_format": "json"}, "response_format", id="text for a format"),
        pytest.param({"tool_choice": "required"}, "tool_choice", id="a call of a tool"),
        pytest.param(
            {"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice", id="of one tool"
        ),
        pytest.param({"stream": "maybe"}, "stream", id="stream"),
        pytest.param({"model": None}, "model", id="no model"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_wrong_request_is_an_error_of_the_client(
    address: str, changes: dict[str, Any], param: str | None, stream: bool
) -> None:
    body = {"model": "polycite", "messages": [said("x")], "stream": stream, **changes}
    response = post(address, body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    error = found["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"] == found["detail"]
    assert "\n" not in error["message"]
    assert found["type"].endswith(error["code"])


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        pytest.param("POST", "/v1/chat/completions", {"content": b"{nope"}, 400, "malformed", id="not JSON"),
        pytest.param("POST", "/v1/chat/completions", {"content": b"x" * 1_000_001}, 413, "body_too_large", id="large"),
        pytest.param("GET", "/v1/chat/completions", {}, 405, "method_not_allowed", id="method"),
        pytest.param("GET", "/v1/chat/nothing", {}, 404, "not_found", id="path"),
        pytest.param("GET", "/v1/models", {"headers": {"host": "evil.example"}}, 421, "host_refused", id="host"),
    ],
)  # fmt: skip
def test_every_layer_speaks_the_format(
    address: str, *, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    headers = {"content-type": "application/json", **options.pop("headers", {})}
    response = httpx.request(method, f"{address}{path}", headers=headers, timeout=60, **options)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.json()["status"] == status


def test_what_is_not_here_is_not_found_by_the_client(client: openai.OpenAI) -> None:
    calls: dict[str, Callable[[], object]] = {
        "embeddings": lambda: client.embeddings.create(model="polycite", input="x"),
        "completions": lambda: client.completions.create(model="polycite", prompt="x"),
        "responses": lambda: client.responses.create(model="polycite", input="x"),
        "moderations": lambda: client.moderations.create(input="x"),
        "files": client.files.list,
        "images/generations": lambda: client.images.generate(prompt="x"),
    }
    for path, call in calls.items():
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        assert (caught.value.code, caught.value.type) == ("not_found", "invalid_request_error")
        assert f"/v1/{path}" in caught.value.message


def test_a_form_that_is_not_to_be_had_is_refused_by_name(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="never json_object") as caught:
        client.chat.completions.create(
            model="polycite", messages=[said(QUESTION)], response_format={"type": "json_object"}
        )
    assert caught.value.param == "response_format"


def test_other_paths_keep_to_problems(address: str) -> None:
    assert "error" not in httpx.post(f"{address}/v1/ask", json={}, timeout=60).json()
    assert "error" not in httpx.get(f"{address}/v1/nothing", timeout=60).json()


def test_a_failure_inside_a_stream_is_told(client: openai.OpenAI, address: str, assistant: Assistant) -> None:
    def breaks(*_: object, **__: object) -> Iterator[Token]:
        yield Token("540+ ")
        raise IndexDamaged("a file is torn: run `rag doctor`")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant, "stream", breaks)
        with pytest.raises(openai.APIError, match="rag doctor"):
            list(client.chat.completions.create(model="polycite", messages=[said("x")], stream=True))
        asked = httpx.post(f"{address}/v1/ask", json={"question": "x", "stream": True}, timeout=60)
    name, data = asked.text.strip().split("\n\n")[-1].split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["type"] == "urn:polycite:problem:index-damaged"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/ask"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("after", [0, 1], ids=["before a word", "after a word"])
def test_a_client_that_leaves_ends_the_work(
    address: str, assistant: Assistant, path: str, stream: bool, after: int
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(*_: object, stop: threading.Event, **__: object) -> Iterator[Token]:
        for _word in range(after):
            yield Token("word ")
        begun.set()
        if stop.wait(120):
            ended.set()

    body = {"question": "x"} if path == "/v1/ask" else {"model": "polycite", "messages": [said("x")]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant, "stream", endless)
        with (
            httpx.Client() as http,
            pytest.raises(httpx.ReadTimeout),
            http.stream(
                "POST", f"{address}{path}", json={**body, "stream": stream}, timeout=httpx.Timeout(60, read=1)
            ) as response,
        ):
            response.read()
        assert begun.wait(60)
        assert ended.wait(60)
