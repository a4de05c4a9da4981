"""New cases: typed by a person until they are valid, added in one step, or drafted from rated answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.cases import GOLD, read_cases
from eval.drafts import add_case, from_feedback, ids_beside, prompt_fields, write_drafts
from index.errors import UsageError
from index.readers import read_bytes
from index.types import Document

MILL = "https://mill.example/about"


@pytest.fixture(scope="module")
def mill() -> list[Document]:
    text = f"Kvarnen i Varnholt har 14 stenar och maler 950 ton om året.\nKälla: {MILL}\n"
    return [read_bytes(text.encode(), "mill.txt", max_bytes=10_000, max_garbled_share=0.5)]


def fields(**changed: Any) -> dict[str, Any]:
    return {
        "id": "mill-stones.en",
        "language": "en",
        "question": "How many stones does the mill have?",
        "expect": {"any": ["14"]},
        "source_url": MILL,
        **changed,
    }


class TestAddCase:
    def test_what_was_there_stays_byte_for_byte(self, tmp_path: Path, mill: list[Document]) -> None:
        file = tmp_path / "facts.jsonl"
        old = json.dumps(fields(id="first.en")).encode()  # without a line end, as editors leave it
        file.write_bytes(old)
        file.chmod(0o640)
        case = add_case(file, fields(question="মিলে কয়টি পাথর?"), mill)
        assert case.where == f"{file}:2"
        assert file.read_bytes().startswith(old + b"\n")
        assert [one.id for one in read_cases(file)] == ["first.en", "mill-stones.en"]
        assert "মিলে কয়টি পাথর?" in file.read_text("utf-8")
        assert file.stat().st_mode & 0o777 == 0o640
        assert [path.name for path in tmp_path.iterdir()] == ["facts.jsonl"]

    def test_a_new_file_in_a_new_folder(self, tmp_path: Path, mill: list[Document]) -> None:
        file = tmp_path / "mine" / "new.jsonl"
        assert add_case(file, fields(), mill) == read_cases(file)[0]

    @pytest.mark.parametrize(
        ("name", "changed", "message"),
        [
            pytest.param(
                "a.jsonl", {"id": "taken.en"}, r"'taken\.en' is already used at .*a\.jsonl:1", id="id"
            ),
            pytest.param("b.jsonl", {"id": "taken.en"}, r"already used at .*a\.jsonl:1", id="id-beside"),
            pytest.param("a.jsonl", {"question": ""}, r"a\.jsonl:2: question is empty", id="blank"),
            pytest.param("a.jsonl", {"expect": {"any": ["15"]}}, "holds any of '15'", id="not-there"),
            pytest.param("a.jsonl", {"source_url": "https://x.example/"}, "no document has", id="source"),
            pytest.param("a.jsonl", {"tags": ["draft"]}, "tagged draft", id="draft"),
            pytest.param("a.txt", {}, r"does not end in \.jsonl", id="name"),
        ],
    )
    def test_what_is_not_added(
        self, tmp_path: Path, mill: list[Document], name: str, changed: dict[str, Any], message: str
    ) -> None:
        file = tmp_path / "a.jsonl"
        file.write_text(json.dumps(fields(id="taken.en")) + "\n", "utf-8")
        before = file.read_bytes()
        with pytest.raises(UsageError, match=message):
            add_case(tmp_path / name, fields(**changed), mill)
        assert file.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]

    def test_a_malformed_file_is_not_made_longer(self, tmp_path: Path, mill: list[Document]) -> None:
        file = tmp_path / "a.jsonl"
        file.write_text("{}\n", "utf-8")
        with pytest.raises(UsageError, match=r"a\.jsonl:1: id is missing"):
            add_case(file, fields(), mill)

    def test_ids_beside(self, tmp_path: Path) -> None:
        assert ids_beside(tmp_path / "a.jsonl") == {}
        (tmp_path / "b.jsonl").write_text(json.dumps(fields()) + "\n", "utf-8")
        assert ids_beside(tmp_path / "a.jsonl") == {"mill-stones.en": f"{tmp_path / 'b.jsonl'}:1"}


class TestPrompt:
    @staticmethod
    def typed(*answers: str) -> tuple[Callable[[str, str], str], Iterator[str]]:
        """A person who types these answers, and what is left of them; "" takes the default."""
        left = iter(answers)
        return (lambda what, default: next(left) or default), left

    def test_each_field_is_asked_until_it_is_valid(self, tmp_path: Path, mill: list[Document]) -> None:
        ask, left = self.typed(
            *("Swedish", "sv"),
            *(" ", "Hur mycket mals?"),
            *("Finns det en kvarn?", "", "Ja. [1]", ""),
            *("maybe", ""),
            *("https://x.example/", MILL),
            *("", "951", "950 | 950 ton"),
            *("maler 951 ton", "maler 950 ton"),
            *("draft", "short number"),
            *("taken.sv", "two words", "mill-tons.sv"),
        )
        told: list[str] = []
        typed = prompt_fields(ask, documents=mill, tell=told.append, taken={"taken.sv"})
        assert next(left, "nothing") == "nothing"
        assert typed == {
            "language": "sv",
            "question": "Hur mycket mals?",
            "history": [
                {"role": "user", "content": "Finns det en kvarn?"},
                {"role": "assistant", "content": "Ja. [1]"},
            ],
            "source_url": MILL,
            "expect": {"any": ["950", "950 ton"]},
            "evidence": ["maler 950 ton"],
            "tags": ["short", "number"],
            "id": "mill-tons.sv",
        }
        # One line for each answer that was not taken, and one for the only source.
        assert len(told) == 11 + 1
        assert add_case(tmp_path / "a.jsonl", typed, mill).id == "mill-tons.sv"

    def test_a_refusal_asks_for_no_source(self, tmp_path: Path, mill: list[Document]) -> None:
        ask, left = self.typed("", "Who built it?", "", "near-miss", "", "mill-builder.en")
        typed = prompt_fields(ask, documents=mill, tell=lambda text: None)
        assert next(left, "nothing") == "nothing"
        assert add_case(tmp_path / "a.jsonl", typed, mill).stratum == "near-miss"

    def test_documents_without_a_source(self) -> None:
        ask, _ = self.typed()
        with pytest.raises(UsageError, match="none of the documents has a source URL"):
            prompt_fields(ask, documents=[], tell=lambda text: None)


QUOTE = "Kvarnen i Varnholt har 14 stenar och maler 950 ton om året."


def answer(**changed: Any) -> dict[str, Any]:
    citation = {"marker": 1, "quote": QUOTE, "source_url": MILL, "start": 0, "end": len(QUOTE)}
    return {"refused": False, "short_answer": "14", "citations": [citation], **changed}


def rated(**changed: Any) -> dict[str, Any]:
    return {
        "answer_id": "a1",
        "rating": "up",
        "question": "How many stones?",
        "language": "en",
        "answer": answer(),
        "created": "2025-01-01T00:00:00Z",
        **changed,
    }


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8"
    )
    return path


class TestFeedback:
    def draft(self, folder: Path, **changed: Any) -> dict[str, Any]:
        (found,) = from_feedback(write(folder / "ratings.jsonl", rated(**changed)))
        return found

    @pytest.mark.parametrize(
        ("short", "expected"),
        [
            pytest.param("14", "14", id="number"),
            pytest.param("950+", "950", id="at-least"),
            pytest.param("~950", "950", id="about"),
            pytest.param(None, QUOTE, id="no-short-answer"),
            pytest.param("Varnholtskvarnen", QUOTE, id="not-in-the-quote"),
        ],
    )
    def test_up(self, tmp_path: Path, short: str | None, expected: str) -> None:
        assert self.draft(tmp_path, answer=answer(short_answer=short)) == {
            "id": "rated-a1.en",
            "language": "en",
            "question": "How many stones?",
            "expect": {"any": [expected]},
            "source_url": MILL,
            "evidence": [QUOTE],
            "tags": ["draft"],
        }

    def test_a_good_draft_needs_only_its_tag_removed(self, tmp_path: Path, mill: list[Document]) -> None:
        draft = self.draft(tmp_path)
        with pytest.raises(UsageError, match="tagged draft"):
            add_case(tmp_path / "mine.jsonl", draft, mill)
        (tmp_path / "ratings.jsonl").unlink()
        assert add_case(tmp_path / "mine.jsonl", {**draft, "tags": []}, mill).expected == ("14",)

    def test_up_on_a_refusal(self, tmp_path: Path) -> None:
        draft = self.draft(tmp_path, answer=answer(refused=True, short_answer=None))
        assert (draft["expect"], draft["tags"]) == ({"refuse": True}, ["draft"])
        assert draft.keys().isdisjoint({"source_url", "evidence", "note"})

    @pytest.mark.parametrize(
        ("changed", "note"),
        [
            pytest.param(
                {"rating": "down", "reason": " wrong number "},
                f"rated down: wrong number; it was answered '14' from {MILL}",
                id="down",
            ),
            pytest.param(
                {"rating": "down", "answer": answer(refused=True)}, "rated down; it was refused", id="refused"
            ),
            pytest.param({"answer": None}, "rated up; the answer was not kept", id="no-answer"),
            pytest.param(
                {"answer": answer(citations=[])},
                "rated up; it was answered without a citation",
                id="no-citation",
            ),
            pytest.param(
                {"answer": answer(citations=[{"quote": QUOTE, "source_url": None}])},
                "rated up; it was answered '14' from a document without URL",
                id="no-url",
            ),
        ],
    )
    def test_what_a_person_has_to_complete(self, tmp_path: Path, changed: dict[str, Any], note: str) -> None:
        draft = self.draft(tmp_path, **changed)
        assert (draft["expect"], draft["source_url"], draft["note"]) == ({"any": [""]}, "", note)
        with pytest.raises(UsageError, match=r"expect\.any\.0 is empty.*note is no key"):
            read_cases(write(tmp_path / "draft.jsonl", draft))

    def test_history_without_empty_turns(self, tmp_path: Path) -> None:
        turns = [{"role": "user", "content": "Hej"}, {"role": "assistant", "content": " "}]
        assert self.draft(tmp_path, history=turns)["history"] == turns[:1]

    def test_the_last_rating_of_an_answer_counts(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "ratings.jsonl",
            rated(rating="down"),
            rated(answer_id="b 2"),
            "",
            rated(),
        )
        drafts = from_feedback(file)
        assert [draft["id"] for draft in drafts] == ["rated-b-2.en", "rated-a1.en"]
        assert "note" not in drafts[1]

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            pytest.param(rated(rating="good"), "rating: Input should be 'up' or 'down'", id="rating"),
            pytest.param({"rating": "up"}, "answer_id is missing; question is missing", id="missing"),
            pytest.param(rated(answer="14"), "answer: Input should be", id="answer"),
            pytest.param(rated(answer={}), "answer.refused is missing", id="empty-answer"),
            pytest.param("no json", "not JSON", id="not-json"),
        ],
    )
    def test_a_malformed_line_is_named(self, tmp_path: Path, row: dict[str, Any] | str, message: str) -> None:
        file = write(tmp_path / "ratings.jsonl", rated(), row)
        with pytest.raises(UsageError) as error:
            from_feedback(file)
        assert str(error.value).startswith(f"{file}:2: ")
        assert message in str(error.value)

    def test_no_rating(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="holds no rating"):
            from_feedback(write(tmp_path / "ratings.jsonl"))
        with pytest.raises(UsageError, match="cannot be read"):
            from_feedback(tmp_path / "missing.jsonl")


class TestWriteDrafts:
    def test_one_a_line(self, tmp_path: Path) -> None:
        drafts = [{"id": "a", "question": "কয়টি?\n"}, {"id": "b"}]
        write_drafts(tmp_path / "drafts.jsonl", drafts)
        lines = (tmp_path / "drafts.jsonl").read_text("utf-8").splitlines()
        assert [json.loads(line) for line in lines] == drafts

    def test_work_is_not_written_over(self, tmp_path: Path) -> None:
        file = write(tmp_path / "drafts.jsonl", {"id": "mine"})
        with pytest.raises(UsageError, match="may hold drafts that were worked on"):
            write_drafts(file, [{"id": "a"}])

    def test_never_into_the_gold_set(self) -> None:
        with pytest.raises(UsageError, match="lies in the gold set"):
            write_drafts(GOLD / "drafts.jsonl", [{"id": "a"}])
        assert not (GOLD / "drafts.jsonl").exists()
