"""SQuAD-format files: contexts in one language, questions in another, joined by question id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from index.errors import UsageError

SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Article:
    """The paragraphs of one title, joined by a blank line: one document."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question and where its answer stands: code points of `articles[article].text`."""

    id: str
    question: str
    article: int
    answer: str
    start: int
    end: int


def read_contexts(path: Path) -> tuple[list[Article], dict[str, Case]]:
    """The articles of a file and its answerable questions by id, with offsets into the article's text.

    Raises:
        UsageError: the file is missing or not in SQuAD format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))["data"]
        articles: list[Article] = []
        cases: dict[str, Case] = {}
        for entry in data:
            offset, texts = 0, []
            for paragraph in entry["paragraphs"]:
                if not paragraph["context"]:  # a translation that lacks this paragraph
                    continue
                context = paragraph["context"].replace("\n", " ")
                for question in paragraph["qas"]:
                    if question.get("is_impossible") or not question["answers"]:
                        continue
                    answer = question["answers"][0]
                    start = offset + answer["answer_start"]
                    cases[question["id"]] = Case(
                        id=question["id"],
                        question=question["question"].strip(),
                        article=len(articles),
                        answer=answer["text"],
                        start=start,
                        end=start + len(answer["text"]),
                    )
                texts.append(context)
                offset += len(context) + len(SEPARATOR)
            articles.append(
                Article(title=entry.get("title", "").replace("_", " "), text=SEPARATOR.join(texts))
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is not a SQuAD-format file ({error}); give a file such as xquad.en.json"
        ) from error
    return articles, cases


def join(contexts: dict[str, Case], questions: dict[str, Case]) -> list[Case]:
    """The cases of `contexts` asked with the wording of `questions`, where both hold the id, in a stable order."""
    return [
        Case(**{**{f: getattr(case, f) for f in Case.__slots__}, "question": questions[case.id].question})
        for case in sorted(contexts.values(), key=lambda case: case.id)
        if case.id in questions
    ]
