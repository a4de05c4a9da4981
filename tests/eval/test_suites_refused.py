"""Files that are none of a public format are refused with the line that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from public_files import (
    PARKING,
    RIVER,
    VISIT,
    faq,
    passages,
)

from eval import suites
from index.errors import UsageError

SQUAD = '{"data": [{"paragraphs": [%s]}]}'
FAQ = faq("Var kan jag parkera?", [VISIT, PARKING], 1, "https://hospital.example/faq")
PASSAGES = passages("1", "hi", "नदी कहाँ गिरती है?", [RIVER], answerable=True)


def _squad_of(path: Path, suite_options: dict[str, Any]) -> object:
    return suites.squad_suites([path], [path], **suite_options)


def _pool_of(path: Path, suite_options: dict[str, Any]) -> object:
    return suites.squad_pool([path], [path], **suite_options)


def _nomiracl_of(path: Path, suite_options: dict[str, Any]) -> object:
    return suites.nomiracl_suite([path], **suite_options)


def _swefaq_of(path: Path, suite_options: dict[str, Any]) -> object:
    return suites.swefaq_suite(path, **suite_options)


def _bad_files() -> Iterator[Any]:
    for make, name in ((_squad_of, "pairs"), (_pool_of, "pool")):
        for content, message, case in (
            (None, "cannot be read", "missing"),
            ("", "is not a SQuAD-format file", "empty"),
            ("[1]", "is not a SQuAD-format file", "a list"),
            ('{"data": {}}', '"data" is not a list', "data no list"),
            ('{"data": []}', "holds no questions", "no article"),
            ('{"data": [{"title": "x"}]}', "article 1: 'paragraphs' is missing", "no paragraphs"),
            (SQUAD % '{"context": "a b"}', "article 1: 'qas' is missing", "no questions"),
            (
                SQUAD % '{"context": null, "qas": [{"id": "1", "question": "Why?", "answers": []}]}',
                "holds no paragraph with a question",
                "no context",
            ),
            ("\udcff", "is not a SQuAD-format file", "not UTF-8"),
        ):
            yield pytest.param(make, content, message, id=f"{name} {case}")
    for make, name, row in ((_nomiracl_of, "NoMIRACL", PASSAGES), (_swefaq_of, "SweFAQ", FAQ)):
        good = json.dumps(row)
        for content, message, case in (
            (None, "cannot be read", "missing"),
            ("\n", "holds no question", "empty"),
            (f"{good}\n[]\n", f"bad:2 is not a {name} line", "a list"),
            (f"{good}\n\n{{\n", f"bad:3 is not a {name} line", "half a line"),
            ("\udcff", f"is not a {name} file", "not UTF-8"),
            *(
                (json.dumps({k: v for k, v in row.items() if k != key}), f"'{key}' is missing", f"no {key}")
                for key in row
            ),
        ):
            yield pytest.param(make, content, message, id=f"{name} {case}")
    for change, message in (
        ({"label": 2}, '"label" is 2, not the number of one of the 2 answers'),
        ({"label": True}, '"label" is True'),
        ({"meta": {"link": " "}}, "the link is empty"),
    ):
        yield pytest.param(_swefaq_of, json.dumps(FAQ | change), message, id=f"SweFAQ {change}")
    yield pytest.param(
        _nomiracl_of, json.dumps(PASSAGES | {"answerable": "no"}), "neither true nor false", id="NoMIRACL no"
    )
    yield pytest.param(
        _nomiracl_of, json.dumps(PASSAGES | {"passages": []}), "no passage with text", id="NoMIRACL nothing"
    )
    yield pytest.param(
        _nomiracl_of, f"{json.dumps(PASSAGES)}\n" * 2, "two lines have the id 1", id="NoMIRACL twice"
    )


@pytest.mark.parametrize(("make", "content", "message"), list(_bad_files()))
def test_a_file_of_another_format_is_refused(
    make: Callable[[Path, dict[str, Any]], object],
    content: str | None,
    message: str,
    tmp_path: Path,
    suite_options: dict[str, Any],
) -> None:
    path = tmp_path / "bad"
    if content is not None:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        make(path, suite_options)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
