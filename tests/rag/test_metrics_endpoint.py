"""The numbers at /metrics tell what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operation import QUESTION, UNANSWERED, Make, numbers

if TYPE_CHECKING:
    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"


def test_the_numbers_tell_what_happened(make: Make, assistant: Assistant) -> None:
    client = make()
    secret_words = "Zanzibar"
    for question in (QUESTION, QUESTION, UNANSWERED):
        assert client.post("/v1/ask", json={"question": question}).status_code == 200
    client.post("/v1/ask", json={"question": QUESTION, "stream": True})
    client.get(f"/v1/documents/{secret_words}")
    client.get(f"/v1/{secret_words}")
    client.get(f"/{secret_words}")
    client.request("BREW", "/healthz")
    found = numbers(client)
    assert found["polycite_requests_total", "POST", "/v1/ask", "200"] == 4
    assert found["polycite_requests_total", "GET", "/v1/documents/{document_id}", "404"] == 1
    assert found["polycite_requests_total", "GET", "unmatched", "404"] == 2
    assert [key for key in found if "other" in key]
    assert found["polycite_answers_total", "extractive", "verified"] == 3
    assert found["polycite_answers_total", "extractive", "none"] == 1
    assert sum(value for key, value in found.items() if key[0] == "polycite_refusals_total") == 1
    assert found["polycite_fallbacks_total",] == 0
    for stage in ("retrieve", "answer", "total"):
        assert found["polycite_answer_seconds_count", stage] == 4
    assert found["polycite_index_up",] == 1
    for name, count in assistant.corpus.counts().items():
        if name in ("documents", "chunks", "sentences"):
            assert found[f"polycite_{name}",] == count
    text = client.get("/metrics").text
    assert secret_words not in text
    assert "Can Tho" not in text


def test_two_servers_in_a_process_count_apart(make: Make) -> None:
    one, two = make(), make()
    one.get("/healthz")
    key = ("polycite_requests_total", "GET", "/healthz", "200")
    assert numbers(one)[key] == 1
    assert key not in numbers(two)
