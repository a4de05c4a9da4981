"""NoMIRACL and SweFAQ files as suites: each question with its own passages, each page with its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from made_suites import by_id, documents_of, words_at
from public_files import (
    FEES,
    FOREST,
    MARKET,
    PARKING,
    RIVER,
    VISIT,
    faq,
    passages,
    write_lines,
)

from eval import suites


def test_each_question_looks_into_its_own_passages(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    relevant = passages("1#0", "hi", "नदी कहाँ गिरती है?", [RIVER, FOREST], answerable=True)
    other = passages("2#0", "hi", "चंद्रमा कितनी दूर है?", [FOREST, MARKET], answerable=False)
    files = [write_lines(tmp_path / f"{n}.jsonl", [row]) for n, row in enumerate((relevant, other))]
    suite = suites.nomiracl_suite(files, **suite_options)
    documents = documents_of(suite)
    tasks = by_id(suite)
    # The forest is one document, although two questions have it.
    assert len(documents) == 3
    looked_into = {id_: [documents[d].text for d in task.documents or ()] for id_, task in tasks.items()}
    assert looked_into == {"1#0.hi": [RIVER, FOREST], "2#0.hi": [FOREST, MARKET]}
    assert [(task.stratum, len(task.places)) for task in suite.tasks] == [
        ("answerable", 2),
        ("unanswered", 0),
    ]
    assert [(p.start, p.end) for p in tasks["1#0.hi"].places] == [(0, len(RIVER)), (0, len(FOREST))]
    assert suite.left_out == {}


def test_a_smaller_limit_leaves_no_passage_behind(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    rows = [
        passages("1", "hi", "नदी कहाँ गिरती है?", [RIVER], answerable=True),
        passages("2", "hi", "बाज़ार कब खुलता है?", [MARKET], answerable=True),
    ]
    file = write_lines(tmp_path / "relevant.jsonl", rows)
    assert len(documents_of(suites.nomiracl_suite([file], **suite_options))) == 2
    assert len(documents_of(suites.nomiracl_suite([file], **suite_options, limit=1))) == 1


def test_each_page_is_a_document_of_its_answers(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    hospital, town = "https://hospital.example/faq", "https://town.example/faq"
    rows = [
        faq("Får jag besöka en patient?", [PARKING, VISIT], 1, hospital),
        faq("Var kan jag parkera?", [VISIT, PARKING], 1, hospital),
        faq("När ska avgiften betalas?", [FEES], 0, town),
    ]
    suite = suites.swefaq_suite(write_lines(tmp_path / "faq.jsonl", rows), **suite_options)
    documents = documents_of(suite)
    assert {document.source_url: document.text for document in documents.values()} == {
        hospital: f"{PARKING}\n\n{VISIT}",
        town: FEES,
    }
    assert [words_at(suite, task) for task in suite.tasks] == [{"sv": VISIT}, {"sv": PARKING}, {"sv": FEES}]
    # "Ja." alone would stand in many a wrong answer.
    assert [task.expected for task in suite.tasks] == [
        ("Ja. Besökstiden är mellan klockan två och fyra varje dag.",),
        (PARKING,),
        (FEES,),
    ]
    assert {task.language for task in suite.tasks} == {"sv"}
    assert {task.tags for task in suite.tasks} == {("explanation",)}
