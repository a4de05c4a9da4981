"""SQuAD-format files: contexts in one language, questions in another, joined by question id."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index.errors import UsageError

SEPARATOR = "\n\n"

NO_TEXT = "paragraphs without text"
NOT_THERE = "answers that are not in their paragraph"
NO_WORDS = "questions without words"


@dataclass(frozen=True, slots=True)
class Article:
    """The paragraphs of one title, joined by a blank line: one document."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question and where its answer stands: code points of `articles[article].text`.

    Attributes:
        answers: the distinct answers of the file, the one that stands at `start` first; empty when the file has none.
        start, end: both 0 when the answer stands nowhere.
    """

    id: str
    question: str
    article: int
    answers: tuple[str, ...] = ()
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class SquadFile:
    """What a SQuAD-format file holds.

    Attributes:
        articles: in the order of the file; one whose paragraphs have no text has an empty text.
        cases: the questions that their paragraph answers, by id.
        unanswerable: the questions that the file marks as impossible (SQuAD 2.0), by id.
        questions: every question, by id, those too whose paragraph has no text: the wording for `join`.
        left_out: reason -> how many paragraphs, answers or questions were passed over for it.
    """

    path: Path
    articles: tuple[Article, ...]
    cases: Mapping[str, Case]
    unanswerable: Mapping[str, Case]
    questions: Mapping[str, Case]
    left_out: Mapping[str, int]

    @property
    def paragraphs(self) -> list[str]:
        """The texts of all paragraphs."""
        return [text for article in self.articles for text in article.text.split(SEPARATOR) if text]


def read_squad(path: Path) -> SquadFile:
    """The articles and questions of a file, with offsets into the article's text.

    An answer whose offset is wrong is looked for in its paragraph, the place nearest to the offset first.

    Raises:
        UsageError: the file is missing, not in SQuAD format, or empty.
    """
    reader = _Reader()
    for number, entry in enumerate(_entries(path), start=1):
        try:
            reader.article(entry)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise _wrong_format(path, f"article {number}: {_cause(error)}") from error
    if not reader.questions:
        raise UsageError(f"{path} holds no questions; give a file such as xquad.en.json")
    return SquadFile(
        path=path,
        articles=tuple(reader.articles),
        cases=reader.cases,
        unanswerable=reader.unanswerable,
        questions=reader.questions,
        left_out=dict(reader.left_out),
    )


def join(contexts: Mapping[str, Case], questions: Mapping[str, Case]) -> list[Case]:
    """The cases of `contexts` asked with the wording of `questions`, where both hold the id, in a stable order."""
    return [
        replace(case, question=questions[case.id].question)
        for case in sorted(contexts.values(), key=lambda case: case.id)
        if case.id in questions
    ]


class _Reader:
    """Takes one article after the other."""

    def __init__(self) -> None:
        self.articles: list[Article] = []
        self.cases: dict[str, Case] = {}
        self.unanswerable: dict[str, Case] = {}
        self.questions: dict[str, Case] = {}
        self.left_out: Counter[str] = Counter()

    def article(self, entry: Mapping[str, Any]) -> None:
        texts: list[str] = []
        for paragraph in entry["paragraphs"]:
            # A blank line would be taken for the end of the paragraph. A translation may lack a paragraph: null.
            context = (paragraph["context"] or "").replace("\n", " ")
            offset = sum(len(text) + len(SEPARATOR) for text in texts)
            for row in paragraph["qas"]:
                self._question(row, context, offset)
            if context.strip():
                texts.append(context)
            else:
                self.left_out[NO_TEXT] += 1
        title = (entry.get("title") or "").replace("_", " ")
        self.articles.append(Article(title=title, text=SEPARATOR.join(texts)))

    def _question(self, row: Mapping[str, Any], context: str, offset: int) -> None:
        case = _read_case(row, article=len(self.articles))
        if not any(character.isalnum() for character in case.question):
            self.left_out[NO_WORDS] += 1
            return
        self.questions[case.id] = case
        if not context.strip():
            return
        if row.get("is_impossible"):
            self.unanswerable[case.id] = case
        elif case.answers:
            claimed, answer = row["answers"][0]["answer_start"], row["answers"][0]["text"]
            start = _find(answer.replace("\n", " "), context, claimed)
            if start is None:
                self.left_out[NOT_THERE] += 1
            else:
                start += offset
                self.cases[case.id] = replace(case, start=start, end=start + len(answer))


def _read_case(row: Mapping[str, Any], *, article: int) -> Case:
    answers = [] if row.get("is_impossible") else [a["text"].strip() for a in row.get("answers") or []]
    return Case(
        id=str(row["id"]),
        question=row["question"].strip(),
        article=article,
        answers=tuple(dict.fromkeys(answer for answer in answers if answer)),
    )


def _find(answer: str, context: str, claimed: int) -> int | None:
    """Where the answer begins: at the offset claimed, else nearest to it; None when it stands nowhere."""
    if claimed >= 0 and context.startswith(answer, claimed):
        return claimed
    found, places = context.find(answer), []
    while found >= 0:
        places.append(found)
        found = context.find(answer, found + 1)
    return min(places, key=lambda place: abs(place - claimed), default=None)


def _entries(path: Path) -> list[Any]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["data"]
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); give a file in SQuAD format") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _wrong_format(path, _cause(error)) from error
    if not isinstance(entries, list):
        raise _wrong_format(path, '"data" is not a list')
    return entries


def _cause(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _wrong_format(path: Path, cause: str) -> UsageError:
    return UsageError(f"{path} is not a SQuAD-format file ({cause}); give a file such as xquad.en.json")
