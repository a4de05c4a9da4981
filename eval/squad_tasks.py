"""Files in SQuAD format beside one another: who asks about what, and what each question becomes as a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import regex

from eval.public import language_of, locate
from eval.records import Place, Task
from eval.squad import Case, SquadFile, read_squad
from index.errors import UsageError
from index.types import Document

# File names hold at most 255 bytes: four for a letter, and the language, number and ending.
_LONGEST_SLUG = 50
_NOT_IN_SLUG = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True, slots=True)
class SquadSet:
    """Files of contexts and files of questions.

    Attributes:
        context_language, question_language: told from the contents of each file, by its path.
    """

    contexts: tuple[SquadFile, ...]
    questions: tuple[SquadFile, ...]
    context_language: Mapping[Path, str]
    question_language: Mapping[Path, str]

    @classmethod
    def read(cls, contexts: Sequence[Path], questions: Sequence[Path]) -> Self:
        """The files of these paths; one given twice counts once.

        Raises:
            UsageError: a file is not in SQuAD format or empty, or shares no question with the other side.
        """
        if not contexts or not questions:
            raise UsageError("give at least one file of contexts and one file of questions")
        files = {path: read_squad(path) for path in dict.fromkeys([*contexts, *questions])}
        found = cls(
            contexts=tuple(files[path] for path in dict.fromkeys(contexts)),
            questions=tuple(files[path] for path in dict.fromkeys(questions)),
            context_language={path: language_of(files[path].paragraphs) for path in contexts},
            question_language={
                path: language_of([case.question for case in files[path].questions.values()])
                for path in questions
            },
        )
        found._refuse_strangers()
        return found

    def _refuse_strangers(self) -> None:
        for over in self.contexts:
            if not over.cases and not over.unanswerable:
                raise UsageError(f"{over.path} holds no paragraph with a question; give a file with contexts")
        for by in self.questions:
            if not any(askable(over, by) for over in self.contexts):
                raise UsageError(f"{by.path} shares no question id with {_names(self.contexts)}: {_REMEDY}")
        for over in self.contexts:
            if not any(askable(over, by) for by in self.questions):
                raise UsageError(
                    f"{over.path} shares no question id with {_names(self.questions)}: {_REMEDY}"
                )

    def document_names(self, files: Sequence[SquadFile]) -> dict[tuple[Path, int], str]:
        """(file, number of its article) -> a file name without ending: language, number and title."""
        languages = Counter(self.context_language[file.path] for file in files)
        names = {}
        for position, file in enumerate(files):
            language = self.context_language[file.path]
            prefix = language if languages[language] == 1 else f"{language}{position}"
            for number, article in enumerate(file.articles):
                slug = _NOT_IN_SLUG.sub("-", article.title)[:_LONGEST_SLUG].strip("-")
                names[file.path, number] = "-".join(filter(None, (prefix, f"{number:02d}", slug)))
        return names

    def pair_id(self, id_: str, by: SquadFile, over: SquadFile) -> str:
        """The id of a task of one questions file and one contexts file."""
        return f"{id_}.{self.question_language[by.path]}.{self.context_language[over.path]}"

    def pool_id(self, id_: str, by: SquadFile) -> str:
        """The id of a task of one questions file and all contexts files."""
        return f"{id_}.{self.question_language[by.path]}"

    def pair_task(
        self, id_: str, by: SquadFile, over: SquadFile, documents: Mapping[tuple[Path, int], Document]
    ) -> Task | None:
        """A question over the articles of one file; None when its answer is not in them as they were indexed."""
        pair = f"{self.question_language[by.path]}->{self.context_language[over.path]}"
        return self._task(id_, by, [over], documents, name=self.pair_id(id_, by, over), tags=("pair", pair))

    def pool_task(
        self, id_: str, by: SquadFile, documents: Mapping[tuple[Path, int], Document]
    ) -> Task | None:
        """A question over the articles of all files, with a place in each that answers it; None when it has none."""
        return self._task(id_, by, self.contexts, documents, name=self.pool_id(id_, by), tags=("pool",))

    def _task(
        self,
        id_: str,
        by: SquadFile,
        over: Sequence[SquadFile],
        documents: Mapping[tuple[Path, int], Document],
        *,
        name: str,
        tags: tuple[str, ...],
    ) -> Task | None:
        asked = by.questions[id_]
        answered = [(file, file.cases[id_]) for file in over if id_ in file.cases]
        found = [_place(file, case, documents) for file, case in answered]
        places = tuple(place for place in found if place is not None)
        if answered and not places:
            return None
        # The documents' words first; an answer written in the question's language is as right.
        expected = [text for _, case in answered for text in case.answers]
        if answered:
            expected += asked.answers
        return Task(
            id=name,
            group=id_,
            language=self.question_language[by.path],
            question=asked.question,
            expected=tuple(dict.fromkeys(expected)),
            stratum="answerable" if answered else "unanswered",
            places=places,
            tags=tags,
        )


_REMEDY = "give translations of one set of questions, or the same file twice"


def askable(over: SquadFile, by: SquadFile) -> frozenset[str]:
    """The ids of the questions that both files hold and that the first answers or marks as impossible."""
    return frozenset((over.cases.keys() | over.unanswerable.keys()) & by.questions.keys())


def _place(file: SquadFile, case: Case, documents: Mapping[tuple[Path, int], Document]) -> Place | None:
    document = documents.get((file.path, case.article))
    return locate(case, file.articles[case.article], document) if document else None


def _names(files: Sequence[SquadFile]) -> str:
    return ", ".join(str(file.path) for file in files)
