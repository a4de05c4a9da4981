"""The engine of a language model: an answer written from passages of the evidence."""

from __future__ import annotations

from contextlib import closing
from threading import Event
from typing import Self

from index.language.detection import detect
from index.language.lexicon import languages
from rag.answer import Token
from rag.asking import Ask
from rag.engines.engine import Draft, Drafting, Engine
from rag.engines.extractive import choose
from rag.engines.refusal import refused
from rag.llm.client import LanguageModel, LanguageModelError
from rag.llm.prompting import select_passages
from rag.llm.writing import complete_question, write_answer
from rag.look import Declined, Look
from rag.settings import RagSettings

# Passages that the model is shown, and tokens of each. Chosen: enough for what stands around a sentence to be clear.
_PASSAGES, _PASSAGE_TOKENS = 6, 300
# A text with fewer letters does not show its language. Chosen.
_LETTERS = 60


class WrittenByModel(Engine):
    """Has a model behind a server write the answer."""

    name = "llm"
    takes_several = True
    rewords = True

    def __init__(self, model: LanguageModel, settings: RagSettings) -> None:
        self._model = model
        self._settings = settings
        self._failed = Declined(self.name, "llm_failed")

    @classmethod
    def open(cls, settings: RagSettings) -> Self | None:
        """See `Engine.open`."""
        model = LanguageModel.open(settings)
        return None if model is None else cls(model, settings)

    def complete(self, ask: Ask, *, stop: Event | None = None) -> str | Declined:
        """See `Engine.complete`."""
        try:
            return complete_question(self._model, ask.text, ask.history, stop=stop)
        except LanguageModelError:  # it has logged why
            return self._failed

    def draft(self, look: Look, *, stop: Event | None = None) -> Drafting:
        """See `Engine.draft`; declined where the server fails or the text is in another language."""
        evidence, language = look.evidence, look.question.language
        passages = select_passages(
            evidence, count=_PASSAGES, tokens=self._settings.llm_context_tokens, each=_PASSAGE_TOKENS
        )
        writing = write_answer(self._model, look.question, passages, settings=self._settings, stop=stop)
        try:
            with closing(writing):
                for piece in writing:
                    yield Token(piece)
        except LanguageModelError:  # it has logged why
            yield self._failed
            return
        if stop is not None and stop.is_set():
            return
        if writing.not_in_documents:
            yield refused(evidence, "unanswered", engine=self.name, model=self._model.name)
        elif not _is_in(language, writing.text):
            yield Declined(self.name, "llm_language")
        else:
            short = choose(evidence)[1]
            yield Draft(
                engine=self.name,
                text=writing.text,
                short=short,
                passages=tuple(passages),
                order=tuple(writing.order),
                model=self._model.name,
            )

    def close(self) -> None:
        """End what is being written and close the connections."""
        self._model.close()


def _is_in(language: str, text: str) -> bool:
    """Whether a text is in a language, as far as one can tell: only languages with a table are told apart."""
    if language not in languages() or sum(character.isalpha() for character in text) < _LETTERS:
        return True
    found = detect(text)
    return found == language or found not in languages()
