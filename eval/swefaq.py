"""SweFAQ files: questions that visitors of Swedish authorities' pages ask, each with the answers of its page.

SuperLim 2 (https://spraakbanken.gu.se/en/resources/swefaq). One JSON object a line: `question`, `candidate_answers`,
`label` (which of them answers it, counted from 0) and `meta` with the page's `link`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.public import locate
from eval.records import Place, Task
from eval.squad import SEPARATOR, Article, Case
from index.errors import UsageError
from index.language.sentences import split_sentences
from index.types import Document

# A first sentence of fewer words ("Ja.") would stand in many a wrong answer: the next one is added.
_FEWEST_WORDS = 4


@dataclass(frozen=True, slots=True)
class FaqCase:
    """A question, every answer of its page, and the URL of the page.

    Attributes:
        right: the answer, one of `candidates`.
        line: its number in the file, counted from 1.
    """

    question: str
    candidates: tuple[str, ...]
    right: str
    url: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """The distinct answers of all questions with one URL, in the order of the file."""

    url: str
    answers: tuple[str, ...]

    @property
    def name(self) -> str:
        """A file name without ending that no other page has."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def body(self) -> str:
        """The answers, a blank line between them."""
        return SEPARATOR.join(self.answers)

    @property
    def text(self) -> str:
        """The body with its source line, as a file."""
        return f"{self.body}{SEPARATOR}Källa: {self.url}\n"


def read_swefaq(path: Path) -> list[FaqCase]:
    """The questions of a SweFAQ file, each answer on one line.

    Raises:
        UsageError: the file is missing or empty, or a line is malformed; the text names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a SweFAQ file ({error}); give lines of JSON in UTF-8") from error
    cases = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            cases.append(_case(json.loads(line), line=number))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"{path}:{number} is not a SweFAQ line ({cause})") from error
    if not cases:
        raise UsageError(f"{path} holds no question; give lines of JSON such as those of SweFAQ")
    return cases


def _case(row: dict[str, Any], *, line: int) -> FaqCase:
    candidates = tuple(" ".join(answer.split()) for answer in row["candidate_answers"])
    label, url, question = row["label"], row["meta"]["link"].strip(), row["question"].strip()
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < len(candidates):
        raise ValueError(f'"label" is {label!r}, not the number of one of the {len(candidates)} answers')
    if not (question and url and candidates[label]):
        raise ValueError("the question, the right answer or the link is empty")
    return FaqCase(question, candidates, candidates[label], url, line)


def pages(cases: Sequence[FaqCase]) -> dict[str, Page]:
    """The pages of the questions by URL."""
    answers: dict[str, dict[str, None]] = {}
    for case in cases:
        answers.setdefault(case.url, {}).update(dict.fromkeys(filter(None, case.candidates)))
    return {url: Page(url, tuple(found)) for url, found in answers.items()}


def faq_task(case: FaqCase, page: Page, document: Document | None, *, language: str) -> Task | None:
    """A question over its page; None when its answer is not in the document as it stands on the page."""
    start = sum(len(answer) + len(SEPARATOR) for answer in page.answers[: page.answers.index(case.right)])
    right = Case("", case.question, 0, (case.right,), start, start + len(case.right))
    place = locate(right, Article("", page.body), document) if document else None
    if document is None or place is None:
        return None
    return Task(
        id=f"line {case.line}",
        group=f"line {case.line}",
        language=language,
        question=case.question,
        expected=(_first_sentence(document, place),),
        places=(place,),
        tags=("explanation",),
    )


def _first_sentence(document: Document, place: Place) -> str:
    """The first sentence of a place, and those after it while it has too few words to tell anything."""
    end = place.end
    for sentence in split_sentences(document):
        if sentence.start >= place.start and sentence.end <= place.end:
            end = sentence.end
            if len(document.text[place.start : end].split()) >= _FEWEST_WORDS:
                break
    return document.text[place.start : end]
