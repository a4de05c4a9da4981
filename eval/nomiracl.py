"""NoMIRACL files: questions with the ten passages that each is to be answered from, or refused.

Thakur et al. 2023, "NoMIRACL: Knowing When You Don't Know for Robust Multilingual Retrieval-Augmented Generation"
(https://arxiv.org/abs/2312.11361). One JSON object a line: `id`, `lang`, `question`, `answerable`, and `passages`, each
with `docid` and `text`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.records import Place, Task
from index.errors import UsageError
from index.types import Document


@dataclass(frozen=True, slots=True)
class PassageCase:
    """A question with its own passages (id -> text); `answerable`: whether one of them answers it, unsaid which."""

    id: str
    language: str
    question: str
    answerable: bool
    passages: Mapping[str, str]


def read_nomiracl(path: Path) -> list[PassageCase]:
    """The questions of a NoMIRACL file.

    Raises:
        UsageError: the file is missing or empty, a line is malformed (the text names it), or two have one id.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a NoMIRACL file ({error}); give lines of JSON in UTF-8") from error
    cases = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            cases.append(_case(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise UsageError(f"{path}:{number} is not a NoMIRACL line ({cause})") from error
    if not cases:
        raise UsageError(f"{path} holds no question; give lines of JSON such as those of NoMIRACL")
    repeated = next((id_ for id_, times in Counter(case.id for case in cases).items() if times > 1), None)
    if repeated is not None:
        raise UsageError(f"{path}: two lines have the id {repeated}; give each question once")
    return cases


def _case(line: str) -> PassageCase:
    row = json.loads(line)
    if not isinstance(row["answerable"], bool):
        raise TypeError('"answerable" is neither true nor false')
    passages = {str(passage["docid"]): passage["text"].strip() for passage in row["passages"]}
    if not any(passages.values()) or not row["question"].strip():
        raise ValueError("it has no passage with text, or no question")
    return PassageCase(
        id=str(row["id"]),
        language=row["lang"],
        question=row["question"].strip(),
        answerable=row["answerable"],
        passages=passages,
    )


def passage_texts(case: PassageCase) -> dict[str, str]:
    """The passages of a question by file names that no other question's passages have."""
    names = (hashlib.sha256(f"{case.id} {key}".encode()).hexdigest()[:16] for key in case.passages)
    return dict(zip(names, case.passages.values(), strict=True))


def passages_task(case: PassageCase, documents: Mapping[str, Document]) -> Task | None:
    """A question that looks only into its own passages: `documents` has them by their texts. None when it has none."""
    own = [documents[text] for text in case.passages.values() if text in documents]
    if not own:
        return None
    places = (Place(document.id, document.language, 0, len(document.text)) for document in own)
    return Task(
        id=f"{case.id}.{case.language}",
        group=f"{case.id}.{case.language}",
        language=case.language,
        question=case.question,
        stratum="answerable" if case.answerable else "unanswered",
        places=tuple(places) if case.answerable else (),
        documents=tuple(document.id for document in own),
        tags=("own passages",),
    )
