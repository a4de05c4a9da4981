"""What a language model writes: the answer, piece by piece, and a follow-up as a question of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from threading import Event

from index.language.detection import detect
from rag.answer import Turn
from rag.llm.client import LanguageModel, LanguageModelError
from rag.llm.markers import MarkerStream
from rag.llm.prompting import answer_messages, repeats_prompt, standalone_messages
from rag.question import Question
from rag.settings import RagSettings
from rag.verification.passage import Passage

# A follow-up completed from its conversation has so many tokens at most, and so many characters more than it
# had. Chosen: a sentence, with a name or two put in.
_QUESTION_TOKENS, _LONGER_BY = 160, 400
_WRAPPING = "\"'“”„«»「」`* "


class Writing(Iterator[str]):
    """An answer while it is written: iterate for the pieces of its text; afterwards it holds the result.

    A piece is never taken back. What iterating and `close` do to the server, and the errors, are as in
    `LanguageModel.stream`; an answer of which no text is left, or that repeats the prompt, is an error of the kind
    `empty`.

    Attributes:
        text: the pieces so far, joined. Its markers count from [1] on in reading order.
    """

    def __init__(self, pieces: Generator[str, None, None], *, count: int, stop: Event | None = None) -> None:
        self.text = ""
        self._markers = MarkerStream(count)
        self._stop = stop
        self._given = self._give(pieces)

    @property
    def order(self) -> list[int]:
        """For each marker of the text, from [1] on, the number of its passage."""
        return list(self._markers.order)

    @property
    def not_in_documents(self) -> bool:
        """Whether the model says that the passages do not answer. Then its text, mostly none, is not to be shown."""
        return self._markers.not_in_documents

    def __next__(self) -> str:
        return next(self._given)

    def close(self) -> None:
        """End the server's work; what came stays."""
        self._given.close()

    def _give(self, pieces: Generator[str, None, None]) -> Generator[str, None, None]:
        try:
            for piece in pieces:
                yield from self._added(self._markers.feed(piece))
            yield from self._added(self._markers.finish())
        finally:
            pieces.close()
        stopped = self._stop is not None and self._stop.is_set()
        if stopped or self.not_in_documents:
            return
        if not self.text:
            raise LanguageModelError("empty", "the answer has no text beside markers")
        if repeats_prompt(self.text):
            raise LanguageModelError("empty", "the answer repeats the prompt")

    def _added(self, text: str) -> Iterator[str]:
        text = text if self.text else text.lstrip()
        if text:
            self.text += text
            yield text


def write_answer(
    model: LanguageModel,
    question: Question,
    passages: Sequence[Passage],
    *,
    settings: RagSettings,
    history: Sequence[Turn] = (),
    stop: Event | None = None,
) -> Writing:
    """Let the model answer from the passages, in the question's language. Nothing is sent before the first `next`."""
    messages = answer_messages(question, passages, history=history)
    pieces = model.stream(messages, max_tokens=settings.llm_answer_tokens, stop=stop)
    return Writing(pieces, count=len(passages), stop=stop)


def complete_question(
    model: LanguageModel, question_text: str, history: Sequence[Turn], *, stop: Event | None = None
) -> str:
    """A follow-up as a question of its own, in its language, on one line; as it was when `stop` is set.

    Raises:
        LanguageModelError: none came, or (kind `broken`) what came is no question of one line.
    """
    messages = standalone_messages(question_text, detect(question_text), history)
    written = model.complete(messages, max_tokens=_QUESTION_TOKENS, stop=stop).strip()
    if stop is not None and stop.is_set():
        return question_text
    line = written.strip(_WRAPPING)
    if not any(character.isalnum() for character in line):
        raise LanguageModelError("broken", "the completed question has no words")
    if len(line.splitlines()) > 1 or len(line) > len(question_text) + _LONGER_BY:
        raise LanguageModelError("broken", f"the completed question has {len(line)} characters or many lines")
    return line
