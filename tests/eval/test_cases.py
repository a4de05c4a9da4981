"""Gold files: what a line may hold, what is said about one that may not, and where an answer stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.cases import check_cases, read_cases, tasks, warn_cases
from eval.records import Case, Place
from index.errors import UsageError
from index.readers import read_bytes
from index.types import Document
from rag.answer import Turn

HARBOUR = "https://harbour.example/history"


def document(name: str, text: str) -> Document:
    return read_bytes(text.encode(), name, max_bytes=10_000, max_garbled_share=0.5)


@pytest.fixture(scope="module")
def harbour() -> list[Document]:
    """A source in Swedish and Bengali, and a document of another source."""
    return [
        document("sv.txt", f"Hamnen i Varnholt öppnade 1987. Den har 36 kranar.\nKälla: {HARBOUR}\n"),
        document(
            "bn.txt",
            f"ভার্নহোল্টের বন্দর ১৯৮৭ সালে খোলা হয়। সেখানে ৩৬টি ক্রেন আছে। আরও ৩৬টি নৌকা আছে।\nসূত্র: {HARBOUR}\n",
        ),
        document(
            "hi.txt",
            "ओस्टरमार्क की नौका सेवा हर दिन 36 यात्राएँ करती है।\nस्रोत: https://ferry.example/ostermark\n",
        ),
    ]


def fields(**changed: Any) -> dict[str, Any]:
    """The keys of a sound line, changed; a key set to None is left out."""
    whole = {
        "id": "harbour-opening.en",
        "language": "en",
        "question": "When did the harbour open?",
        "expect": {"any": ["1987"]},
        "source_url": HARBOUR,
        "tags": ["short", "date"],
        **changed,
    }
    return {key: value for key, value in whole.items() if value is not None}


def refusal(**changed: Any) -> dict[str, Any]:
    return fields(**{"expect": {"refuse": True}, "source_url": None, **changed})


def write(path: Path, *lines: dict[str, Any] | str) -> Path:
    path.write_text(
        "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8"
    )
    return path


def read_one(folder: Path, line: dict[str, Any] | str) -> Case:
    (case,) = read_cases(write(folder / "one.jsonl", line))
    return case


class TestReading:
    def test_a_line_becomes_a_case(self, tmp_path: Path) -> None:
        line = fields(history=[{"role": "user", "content": "Is there a harbour?"}], evidence=["öppnade 1987"])
        assert read_one(tmp_path, line) == Case(
            id="harbour-opening.en",
            group="harbour-opening",
            language="en",
            question="When did the harbour open?",
            history=(Turn("user", "Is there a harbour?"),),
            expected=("1987",),
            stratum="answerable",
            source_url=HARBOUR,
            evidence=("öppnade 1987",),
            tags=("short", "date"),
            where=f"{tmp_path / 'one.jsonl'}:1",
        )

    @pytest.mark.parametrize(
        ("changed", "group"),
        [
            pytest.param({}, "harbour-opening", id="without-its-language"),
            pytest.param({"id": "a.b.en"}, "a.b", id="last-part-only"),
            pytest.param({"id": "harbour-opening.sv"}, "harbour-opening.sv", id="another-language-stays"),
            pytest.param({"group": "harbour"}, "harbour", id="named"),
        ],
    )
    def test_group(self, tmp_path: Path, changed: dict[str, Any], group: str) -> None:
        assert read_one(tmp_path, fields(**changed)).group == group

    @pytest.mark.parametrize(
        ("changed", "stratum"),
        [
            pytest.param({}, "unanswered", id="default"),
            pytest.param({"stratum": "off-topic"}, "off-topic", id="off-topic"),
            pytest.param({"stratum": "near-miss"}, "near-miss", id="near-miss"),
        ],
    )
    def test_a_refusal_has_a_stratum(self, tmp_path: Path, changed: dict[str, Any], stratum: str) -> None:
        case = read_one(tmp_path, refusal(**changed))
        assert (case.stratum, case.expected, case.source_url) == (stratum, (), None)

    def test_a_folder_is_read_by_file_name(self, tmp_path: Path) -> None:
        write(tmp_path / "b.jsonl", refusal(id="third.en"))
        write(tmp_path / "a.jsonl", refusal(id="first.en"), "", "  ", refusal(id="second.en"))
        (tmp_path / "README.md").write_text("not a case", "utf-8")
        cases = read_cases(tmp_path)
        assert [case.id for case in cases] == ["first.en", "second.en", "third.en"]
        assert cases[1].where == f"{tmp_path / 'a.jsonl'}:4"

    def test_byte_order_mark_and_line_separator(self, tmp_path: Path) -> None:
        file = tmp_path / "one.jsonl"
        line = json.dumps(refusal(question="one\u2028line"), ensure_ascii=False)
        file.write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n")
        assert [case.question for case in read_cases(file)] == ["one\u2028line"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            pytest.param(fields(expects={}), "expects is no key of a case", id="unknown-key"),
            pytest.param(fields(id=None), "id is missing", id="no-id"),
            pytest.param(fields(expect=None), "expect is missing", id="no-expect"),
            pytest.param(fields(question=7), "question: Input should be a valid string", id="number"),
            pytest.param(fields(tags="short"), "tags: Input should be a valid list", id="text-for-list"),
            pytest.param(fields(question=" "), "question is empty", id="blank-question"),
            pytest.param(fields(expect={"any": [""]}), "expect.any.0 is empty", id="blank-expected"),
            pytest.param(fields(expect={"any": []}), "expect.any: List should have", id="nothing-expected"),
            pytest.param(fields(expect={}), 'takes either {"any"', id="neither"),
            pytest.param(fields(expect={"any": ["1"], "refuse": True}), 'takes either {"any"', id="both"),
            pytest.param(fields(expect={"refuse": False}), "expect.refuse: Input should be True", id="false"),
            pytest.param(fields(source_url=None), "source_url is missing", id="no-source"),
            pytest.param(refusal(source_url=HARBOUR), "belong to an answer", id="source-of-a-refusal"),
            pytest.param(fields(stratum="near-miss"), "stratum belongs to a refusal", id="stratum-of-answer"),
            pytest.param(refusal(stratum="answerable"), "'off-topic', 'unanswered' or", id="stratum"),
            pytest.param(fields(language="English"), "language is no ISO 639-1 code", id="language"),
            pytest.param(fields(id="two words"), "id holds white space", id="space-in-id"),
            pytest.param(
                fields(history=[{"role": "bot", "content": "x"}]), "history.0.role: Input", id="role"
            ),
            pytest.param(fields(note="look"), "note is no key", id="note-of-a-draft"),
            pytest.param("[1]", "not a JSON object", id="array"),
            pytest.param('{"id": ', "not JSON", id="torn"),
            pytest.param('{"id": "a", "id": "b"}', "a key stands twice", id="repeated-key"),
            pytest.param("[" * 100_000, "not JSON", id="deep"),
        ],
    )
    def test_what_is_no_case(self, tmp_path: Path, line: dict[str, Any] | str, message: str) -> None:
        file = write(tmp_path / "cases.jsonl", refusal(id="sound.en"), line)
        with pytest.raises(UsageError) as error:
            read_cases(file)
        assert str(error.value).startswith(f"{file}:2: ")
        assert message in str(error.value)
        assert "\n" not in str(error.value)

    def test_a_repeated_id_names_both_places(self, tmp_path: Path) -> None:
        write(tmp_path / "a.jsonl", refusal(id="same.en"))
        write(tmp_path / "b.jsonl", refusal(id="other.en"), refusal(id="same.en"))
        with pytest.raises(UsageError, match=r"b\.jsonl:2: .*'same\.en'.*a\.jsonl:1"):
            read_cases(tmp_path)

    def test_not_utf_8(self, tmp_path: Path) -> None:
        file = tmp_path / "latin.jsonl"
        file.write_bytes(b"\n" + '{"id": "ö"}'.encode("latin-1"))
        with pytest.raises(UsageError, match=r"latin\.jsonl:2: not UTF-8 at byte 8"):
            read_cases(file)

    @pytest.mark.parametrize("name", ["", "missing.jsonl", "empty.jsonl"], ids=["folder", "missing", "empty"])
    def test_nothing_to_read(self, tmp_path: Path, name: str) -> None:
        if name == "empty.jsonl":
            write(tmp_path / name, "")
        with pytest.raises(UsageError, match=r"holds no case|neither a \.jsonl file nor a folder"):
            read_cases(tmp_path / name)


class TestChecking:
    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            pytest.param(fields(), None, id="sound"),
            pytest.param(fields(evidence=["öppnade 1987.", "১৯৮৭ সালে খোলা হয়।"]), None, id="both-versions"),
            pytest.param(refusal(), None, id="refusal"),
            pytest.param(
                fields(source_url="https://harbour.example/"),
                "no document has the source_url",
                id="no-source",
            ),
            pytest.param(
                fields(expect={"any": ["1988", "198"]}), "holds any of '1988', '198'", id="not-there"
            ),
            pytest.param(fields(expect={"any": ["1988", "1987"]}), None, id="one-is-enough"),
            pytest.param(
                fields(source_url="https://ferry.example/ostermark"), "holds any of '1987'", id="other-source"
            ),
            pytest.param(fields(evidence=["öppnade  1987"]), "word for word", id="not-verbatim"),
            pytest.param(
                fields(evidence=["öppnade 1987.", "Den har 36 kranar."]), "second of one version", id="twice"
            ),
            pytest.param(refusal(tags=["follow-up"]), "has no history", id="follow-up"),
            pytest.param(refusal(tags=["draft"]), "tagged draft", id="draft"),
        ],
    )
    def test_faults(
        self, tmp_path: Path, harbour: list[Document], line: dict[str, Any], fault: str | None
    ) -> None:
        case = read_one(tmp_path, line)
        found = check_cases([case], harbour)
        assert len(found) == (fault is not None)
        assert all(text.startswith(f"{case.where}: ") and str(fault) in text for text in found)

    def test_a_question_with_its_answer_is_a_warning(self, tmp_path: Path, harbour: list[Document]) -> None:
        case = read_one(tmp_path, fields(question="Did it open in ১৯৮৭?"))
        assert check_cases([case], harbour) == []
        assert warn_cases([case]) == [f"{case.where}: the question holds its own answer, '1987'"]


class TestTasks:
    def texts(self, line: dict[str, Any], tmp_path: Path, documents: list[Document]) -> dict[str, list[str]]:
        """The words at a task's places by language."""
        (task,) = tasks([read_one(tmp_path, line)], documents)
        by_id = {one.id: one for one in documents}
        found: dict[str, list[str]] = {}
        for place in task.places:
            text = by_id[place.document_id].text[place.start : place.end]
            found.setdefault(place.language, []).append(text)
        return found

    def test_evidence_is_one_place_a_version(self, tmp_path: Path, harbour: list[Document]) -> None:
        line = fields(evidence=["öppnade 1987", "১৯৮৭ সালে"])
        assert self.texts(line, tmp_path, harbour) == {"sv": ["öppnade 1987"], "bn": ["১৯৮৭ সালে"]}

    def test_evidence_of_one_version_only(self, tmp_path: Path, harbour: list[Document]) -> None:
        line = fields(evidence=["öppnade 1987"])
        assert self.texts(line, tmp_path, harbour) == {"sv": ["öppnade 1987"]}

    def test_without_evidence_every_sentence_that_holds_it(
        self, tmp_path: Path, harbour: list[Document]
    ) -> None:
        assert self.texts(fields(expect={"any": ["36"]}), tmp_path, harbour) == {
            "sv": ["Den har 36 kranar."],
            "bn": ["সেখানে ৩৬টি ক্রেন আছে।", "আরও ৩৬টি নৌকা আছে।"],
        }

    def test_what_a_task_keeps(self, tmp_path: Path, harbour: list[Document]) -> None:
        (task,) = tasks([read_one(tmp_path, fields(evidence=["1987"]))], harbour)
        start = harbour[0].text.index("1987")
        assert task.places == (Place(harbour[0].id, "sv", start, start + len("1987")),)
        assert (task.id, task.group, task.language) == ("harbour-opening.en", "harbour-opening", "en")
        assert (task.expected, task.tags, task.documents) == (("1987",), ("short", "date"), None)
        assert (task.must_refuse, task.document_languages) == (False, ("sv",))

    def test_a_refusal_has_no_place(self, tmp_path: Path, harbour: list[Document]) -> None:
        (task,) = tasks([read_one(tmp_path, refusal())], harbour)
        assert (task.places, task.must_refuse) == ((), True)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            pytest.param(
                fields(source_url="https://x.example/"), "is not indexed; run `rag index`", id="source"
            ),
            pytest.param(fields(evidence=["stängde 1987"]), "none of its evidence stands", id="evidence"),
            pytest.param(
                fields(expect={"any": ["98"]}), "none of its expected strings stands", id="expected"
            ),
        ],
    )
    def test_what_cannot_be_found(
        self, tmp_path: Path, harbour: list[Document], line: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(UsageError, match=message) as error:
            tasks([read_one(tmp_path, line)], harbour)
        assert f"{tmp_path / 'one.jsonl'}:1: harbour-opening.en" in str(error.value)
