"""`rag mcp`: a program of its own, spoken to by the protocol's own client and by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import loopback
import pytest
from mcp import Client, MCPError, StdioServerParameters

from index.ownership import own

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.settings import RagSettings

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "How many open datasets did Can Tho publish?"
COMMAND = ("-m", "ui.cli", "mcp")
SECONDS = 120


def environment(data_dir: Path) -> dict[str, str]:
    return {"RAG_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}


def spoken(data_dir: Path, *messages: dict[str, Any]) -> tuple[int, list[str], str]:
    """Exit code, lines of standard output and stderr; standard input ends once every request has its answer."""
    with subprocess.Popen(
        [sys.executable, *COMMAND],
        env={**os.environ, **environment(data_dir)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = []
        for message in messages:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            process.stdin.flush()
            if "id" in message:
                lines.append(process.stdout.readline())
        rest, errors = process.communicate(timeout=SECONDS)
    return process.returncode, [*lines, *rest.splitlines()], errors


def test_the_tools_answer_from_the_index_itself(
    seed_settings: RagSettings, assistant: Assistant, tmp_path: Path
) -> None:
    data_dir = seed_settings.index.data_dir
    program = StdioServerParameters(
        command=sys.executable, args=list(COMMAND), env=environment(data_dir), cwd=tmp_path
    )

    async def talk() -> None:
        # The client checks what it gets against the schemas that the server tells.
        async with Client(program, read_timeout_seconds=SECONDS) as client:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == ["ask", "search", "list_documents", "read_document"]
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)

            given = await client.call_tool("ask", {"question": QUESTION})
            content = given.structured_content
            assert (given.is_error, content["short_answer"], content["refused"]) == (False, "540+", False)
            citation = content["citations"][0]
            document = assistant.corpus.document(citation["document_id"])
            assert document is not None
            assert citation["quote"] == document.text[citation["start"] : citation["end"]]
            text, link = given.content
            assert text.type == "text"
            assert content["answer"] in text.text
            assert f"[1] {citation['title']} ({citation['language']})" in text.text
            assert link.type == "resource_link"
            assert link.uri == citation["source_url"]

            follow = {
                "question": "And how many tasks?",
                "history": [
                    {"role": "user", "content": QUESTION},
                    {"role": "assistant", "content": content["answer"]},
                ],
            }
            followed = await client.call_tool("ask", follow)
            assert followed.structured_content["standalone_question"] != follow["question"]

            among = {"query": "open data", "top_k": 2, "languages": ["sv"]}
            found = await client.call_tool("search", among)
            assert [hit["language"] for hit in found.structured_content["hits"]] == ["sv", "sv"]
            listed = await client.call_tool("list_documents", {"language": "bn", "limit": 1})
            bengali = sum(document.language == "bn" for document in assistant.documents())
            assert listed.structured_content["total"] == bengali
            assert len(listed.structured_content["documents"]) == 1

            piece = {
                "document_id": document.id,
                "start": citation["start"],
                "length": citation["end"] - citation["start"],
            }
            read = (await client.call_tool("read_document", piece)).structured_content
            assert (read["text"], read["remaining"]) == (
                citation["quote"],
                len(document.text) - citation["end"],
            )

            wrong = [
                ("ask", {}, "question: Field required"),
                ("ask", {"question": "  "}, "the question is empty: ask in words"),
                ("ask", {"question": "x", "engine": "llm"}, "engine llm is not available"),
                ("search", {"query": "x", "top_k": "3"}, "top_k: Input should be a valid integer"),
                ("search", {"query": "x", "colour": 1}, "colour: Extra inputs are not permitted"),
                ("read_document", {"document_id": "none"}, "there is no document 'none'"),
                ("read_document", {"document_id": document.id, "start": 10**6}, "start: the text has"),
            ]
            for name, arguments, said in wrong:
                refused = await client.call_tool(name, arguments)
                assert refused.is_error, name
                assert refused.content[0].type == "text"
                assert said in refused.content[0].text
                assert "\n" not in refused.content[0].text
            with pytest.raises(MCPError, match="there is no tool 'delete': use ask, search"):
                await client.call_tool("delete", {})

    with ThreadPoolExecutor(1) as aside:  # the browser of other tests has a loop in this thread
        aside.submit(anyio.run, talk).result()


def test_nothing_but_the_protocol_is_written_and_a_running_server_answers(
    assistant: Assistant, seed_settings: RagSettings, data_dir: Path
) -> None:
    """The directory holds no index: only the server that owns it can have answered."""
    from rag.api import create_app

    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    document = assistant.documents()[0]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("ask", {"question": QUESTION}),
        ("list_documents", {"limit": 2}),
        ("read_document", {"document_id": document.id}),
        ("read_document", {"document_id": "../readyz"}),
        ("ask", {"question": QUESTION, "engine": "llm"}),
    ]
    with (
        own(data_dir, purpose="rag serve") as ownership,
        loopback.served(create_app(assistant, seed_settings)) as address,
    ):
        ownership.announce(address)
        code, lines, errors = spoken(
            data_dir,
            {"id": 0, "method": "initialize", "params": hello},
            {"method": "notifications/initialized"},
            *(
                {"id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
                for number, (name, arguments) in enumerate(calls, start=1)
            ),
        )
    assert (code, errors, len(lines)) == (0, "", 1 + len(calls))
    said = {message["id"]: message["result"] for message in map(json.loads, lines)}
    assert said[0]["serverInfo"]["name"] == "polycite"
    assert said[1]["structuredContent"]["short_answer"] == "540+"
    assert len(said[2]["structuredContent"]["documents"]) == 2
    assert said[3]["structuredContent"]["text"] == document.text
    assert said[4]["content"][0]["text"] == "there is no document '../readyz': list_documents lists them"
    assert [said[n]["isError"] for n in (1, 2, 3, 4, 5)] == [False, False, False, True, True]


def test_without_an_index_it_says_so_and_ends(data_dir: Path) -> None:
    code, lines, errors = spoken(data_dir)
    assert (code, lines) == (1, [])
    assert errors.startswith("rag: nothing is indexed in ")
    assert errors.count("\n") == 1
