"""The assistant: one question in, one cited answer out, from the corpus and the models of this process.

The path of a question: it is checked, an engine may complete it, a look is taken (`rag.looking`), the engine drafts
from that (`rag.engines`), and the draft becomes the answer.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from threading import BoundedSemaphore, Event, Lock
from typing import TYPE_CHECKING, Any, Self, cast

from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.errors import ModelError, PolyciteError, UsageError
from index.indexer import manifest_for
from index.normalise import whole
from index.types import Document
from rag.alignment import with_gloss
from rag.answer import Answer, Found, Intent, Timings, Token, pieces
from rag.asking import Answering, Ask
from rag.comparison import Side, compared
from rag.engines import ENGINES
from rag.engines.counted import Outcome
from rag.engines.engine import Draft
from rag.engines.opened import Engines
from rag.front import FrontDoor
from rag.look import Declined, Look
from rag.looking import Looking, Reranks, require_named, understood
from rag.matching.vectors import QuestionVectors
from rag.parts import asked_after, joined, said_of
from rag.question import analyse
from rag.reply import Reply
from rag.settings import BUNDLED_READER, RagSettings, judge_file, reader_file
from rag.shape import parts_of

if TYPE_CHECKING:
    from rag.reader.openvino_judge import Judge
    from rag.reader.openvino_reader import Reader

log = logging.getLogger(__name__)

_LOADING = Lock()  # two questions at once must not load two judges

MODEL_JOBS = max(2, os.cpu_count() or 2)
"""Questions that are worked on at once; further ones wait. Chosen: one uses all cores for most of its time."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """What is to be answered: the questions of the text, and the look at the only one where that is taken.

    `sides` are those of a comparison, whose questions are the parts then; `language` that of the text.
    """

    ask: Ask
    parts: tuple[str, ...]
    look: Look | None = None
    sides: tuple[Side, ...] = ()
    language: str = ""
    intent: Intent = "question"


class Assistant(Answering):
    """Answers questions from an open corpus. Safe to share between threads."""

    def __init__(
        self,
        corpus: Corpus,
        embedder: Embedder,
        settings: RagSettings,
        *,
        reader: Callable[[], Reader | None] | None = None,
        vectors: QuestionVectors | None = None,
    ) -> None:
        """`reader`: gives the reader that the settings name; None: it is loaded here.

        `vectors`: makes those of questions; None: made here, over `embedder`.
        """
        self.corpus = corpus
        self.embedder = embedder
        self._settings = settings
        self._vectors = vectors or QuestionVectors(embedder, at_once=MODEL_JOBS)
        read = load_reader(settings) if reader is None else reader()
        judging = partial(load_judge, settings)
        self._looking = Looking(
            self._vectors, settings, reader=read, judging=judging, reranker=_reranker(settings)
        )
        # A question's work uses all cores already: more at once than this only make each other wait.
        self._at_work = BoundedSemaphore(MODEL_JOBS)
        self._front = FrontDoor(self._vectors)
        self._engines = Engines.open(settings, embedder=embedder, judging=judging, at_work=self._at_work)

    @classmethod
    def open(cls, settings: RagSettings) -> Self:
        """Load the model and open the index of the data directory.

        Raises:
            IndexMissing: nothing is indexed.
            IndexMismatch: the index was made with another model or chunker.
            ModelError: a model that the settings name cannot be loaded.
        """
        with ThreadPoolExecutor(2, thread_name_prefix="opening") as pool:
            reader = pool.submit(load_reader, settings)  # seconds, like the embedder beside it
            pool.submit(analyse, "What is it?")  # the tables that tell languages
            embedder = load_embedder(settings.index)
            corpus = Corpus.open(settings.index, manifest_expected=manifest_for(embedder, settings.index))
            try:
                _warm(corpus, embedder)
                return cls(corpus, embedder, settings, reader=reader.result)
            except BaseException:
                corpus.close()
                raise

    def close(self) -> None:
        """Release the corpus and the connections to a model server; what it writes is cut off."""
        self._engines.close()
        self._vectors.close()
        self.corpus.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream(self, ask: Ask, *, stop: Event | None = None) -> Iterator[Token | Answer]:
        """See `Answering.stream`."""
        started = time.perf_counter()
        question = whole(ask.text)
        begun = self._begun(replace(ask, text=question))
        if isinstance(begun, Reply):
            for piece in pieces(begun.text):
                yield Token(piece)
            yield _said(question, begun, started=started)
        elif len(begun.parts) == 1:
            for item in self._answered(question, begun.ask, look=begun.look, started=started, stop=stop):
                yield replace(item, intent=begun.intent) if isinstance(item, Answer) else item
        else:
            yield from self._in_parts(question, begun, stop=stop)

    def _begun(self, ask: Ask) -> Reply | _Begun:
        """What is said at the front door, or what is to be answered; both, and what answers, of one moment."""
        with self.corpus.snapshot() as moment:
            reply = self._front.host(ask, moment)
            if reply is not None:
                return reply
            ask = self._checked(ask)
            require_named(ask, moment)
            asked = understood(ask, moment)
            engine = self._engines.named(ask.engine)
            again = self._front.again(asked, ask) if engine.rewords else None
            if again is not None:
                ask = replace(ask, text=again.text, history=())
                with self._at_work:
                    look = self._looking.look(ask, moment, asked=again)
                return _Begun(ask, (ask.text,), look, intent="meta")
            reply = self._front.reply(asked, ask, moment)
            if reply is not None:
                return reply
            ask = replace(ask, history=self._front.questions(ask.history))
            parts = (ask.text,) if engine.takes_several else parts_of(ask.text, asked.language)
            # A model completes a follow-up first, and nothing is held meanwhile.
            looks = len(parts) == 1 and not (engine.takes_several and ask.history)
            if not looks:
                return _Begun(ask, parts)
            with self._at_work:
                sides = () if engine.takes_several else self._looking.sides(ask, moment, asked=asked)
                if sides:
                    texts = tuple(side.text for side in sides)
                    return _Begun(ask, texts, sides=sides, language=asked.language)
                return _Begun(ask, parts, self._looking.look(ask, moment, asked=asked))

    def _in_parts(self, question: str, begun: _Begun, *, stop: Event | None) -> Iterator[Token | Answer]:
        """The answers to the questions of a text, each when it is finished."""
        answers: list[Answer] = []
        headings = tuple(side.name for side in begun.sides) or None
        for place, part in enumerate(begun.parts):
            ask = asked_after(begun.ask, part, answers)
            if begun.sides:
                ask = replace(
                    begun.ask,
                    text=part,
                    history=(),
                    documents=begun.sides[place].documents,
                    interface=begun.language,
                )
            found = self._answered(part, ask, started=time.perf_counter(), stop=stop)
            answer = next((item for item in found if isinstance(item, Answer)), None)
            if answer is None:  # it was stopped
                return
            answers.append(answer)
            gap = "\n\n" if len(answers) > 1 else ""
            for piece in pieces(gap + said_of(answers, headings)[-1]):
                yield Token(piece)
        closing = compared(begun.sides, answers, begun.language) if begun.sides else None
        yield joined(question, answers, headings=headings, closing=closing)

    def _answered(
        self,
        question: str,
        ask: Ask,
        *,
        look: Look | None = None,
        started: float,
        stop: Event | None,
    ) -> Iterator[Token | Answer]:
        """The answer to one question; `look`: where it is taken already."""
        engine = self._engines.named(ask.engine)
        if look is None:
            completed = engine.complete(ask, stop=stop) if ask.history else None
            look = self.look(ask, completed=completed)
        draft: Draft | None = None
        begun = False
        if stop is not None and stop.is_set():
            return
        with closing(cast("Any", engine.draft(look, stop=stop))) as drafting:
            for item in drafting:
                if isinstance(item, Token):
                    begun = True
                    yield item
                elif isinstance(item, Draft):
                    draft = item
        if draft is None:  # it was stopped
            return
        # What a model wrote came in pieces already.
        for piece in () if begun or draft.model is not None else pieces(draft.text):
            yield Token(piece)
        yield _answer(question, look, self._glossed(draft, look), started=started)

    def _glossed(self, draft: Draft, look: Look) -> Draft:
        """A draft with what other versions of its documents say in the language of who asks, or of the page."""
        readers = [each for each in (look.question.language, look.ask.interface) if each is not None]
        if all(not citation.parallel or citation.language in readers[:1] for citation in draft.citations):
            return draft
        with self._at_work, self.corpus.snapshot() as moment:
            return replace(
                draft, citations=tuple(with_gloss(each, readers, moment) for each in draft.citations)
            )

    def look(self, ask: Ask, *, completed: str | Declined | None = None) -> Look:
        """What the corpus says to a question now; `completed` as for `Looking.look`."""
        with self._at_work, self.corpus.snapshot() as moment:
            return self._looking.look(ask, moment, completed=completed)

    def search(self, ask: Ask, *, top_k: int = 10) -> list[Found]:
        """See `Answering.search`."""
        if top_k < 1:
            raise UsageError(f"top_k must be at least 1, not {top_k}")
        ask = self._checked(ask)
        with self._at_work, self.corpus.snapshot() as moment:
            require_named(ask, moment)
            return self._looking.found(ask, moment, top_k=top_k)

    def documents(self) -> list[Document]:
        """See `Answering.documents`."""
        found = (self.corpus.document(info.id) for info in self.corpus.documents())
        return [document for document in found if document is not None]

    def drafts(self) -> Counter[Outcome]:
        """What came of the drafts of every engine since this was opened -> how often."""
        return self._engines.counts()

    def _checked(self, ask: Ask) -> Ask:
        """What is asked, without characters that are none."""
        text = " ".join(whole(ask.text).replace("\x00", " ").split())
        if not any(character.isalnum() for character in text):
            raise UsageError("the question is empty: ask in words")
        if len(text) > self._settings.max_question_chars:
            raise UsageError(
                f"the question has {len(text):,} characters and RAG_MAX_QUESTION_CHARS allows "
                f"{self._settings.max_question_chars:,}: shorten it"
            )
        history = tuple(replace(turn, content=whole(turn.content)) for turn in ask.history)
        return replace(ask, text=text, history=history)


def _said(question: str, reply: Reply, *, started: float) -> Answer:
    """A reply to what is no question to the documents."""
    took = round((time.perf_counter() - started) * 1000, 2)
    return Answer(
        id=uuid.uuid4().hex,
        question=question,
        standalone_question=question,
        language=reply.language,
        answer=reply.text,
        short_answer=None,
        refused=False,
        refusal_reason=None,
        engine=ENGINES[0].name,
        model=None,
        grounding="verified" if reply.citations else "none",
        citations=reply.citations,
        timings_ms=Timings(answer=took, total=took),
        intent=reply.intent,
        confidence="answered" if reply.citations else "none",
    )


def _answer(question: str, look: Look, draft: Draft, *, started: float) -> Answer:
    """A draft that is finished now."""
    finished = time.perf_counter()
    alternatives = tuple(_answer(question, look, each, started=started) for each in draft.alternatives)
    return Answer(
        id=uuid.uuid4().hex,
        question=question,
        standalone_question=look.question.text,
        language=look.question.language,
        answer=draft.text,
        short_answer=draft.short,
        refused=draft.refused is not None,
        refusal_reason=draft.refused,
        engine=draft.engine,
        model=draft.model,
        grounding=draft.grounding,
        citations=draft.citations,
        claims=draft.claims,
        timings_ms=Timings(
            retrieve=round((look.retrieved - started) * 1000, 2),
            answer=round((finished - look.retrieved) * 1000, 2),
            total=round((finished - started) * 1000, 2),
        ),
        notice=draft.notice,
        confidence="none" if draft.refused is not None else draft.confidence,
        alternatives=alternatives,
        date=draft.date,
        short_gloss=draft.gloss,
    )


def _warm(corpus: Corpus, embedder: Embedder) -> None:
    """Do what the first question would wait for: compile the network, open the vectors."""
    with suppress(PolyciteError):  # a question will say it
        corpus.search_chunks(embedder.embed_queries([""])[0], top_k=1)


def load_reader(settings: RagSettings) -> Reader | None:
    """The reader that the settings name; None when it is off.

    Where the bundled one cannot be had, answers are chosen by similarity alone, and the log says so.

    Raises:
        ModelError: the file that the settings name cannot be loaded.
    """
    path = reader_file(settings)
    if path is None:
        return None
    try:
        return _reader(path, path.stat().st_mtime_ns if path.is_file() else 0, settings.index.embed_threads)
    except ModelError as error:
        if path != BUNDLED_READER:
            raise
        log.warning("answers are chosen by similarity alone: %s", error)
        return None


@lru_cache(maxsize=1)
def _reader(path: Path, changed: int, threads: int) -> Reader:
    """The reader of a file that was `changed` then. One is kept: an evaluation opens an assistant for each index."""
    del changed
    from rag.reader.openvino_reader import Reader  # openvino: only where it is used

    return Reader.load(path, threads=threads)


def load_judge(settings: RagSettings) -> Judge | None:
    """The judge of claims that the settings name, loaded when it is first asked for; None when it is off.

    Where it cannot be had, no text of a language model is called verified, and the log says so.
    """
    path = judge_file(settings)
    if path is None:
        return None
    with _LOADING:
        return _judge(path, path.stat().st_mtime_ns if path.is_file() else 0, settings.index.embed_threads)


@lru_cache(maxsize=1)
def _judge(path: Path, changed: int, threads: int) -> Judge | None:
    """As `_reader`; None where it cannot be loaded."""
    del changed
    from rag.reader.openvino_judge import Judge  # openvino: only where it is used

    try:
        return Judge.load(path, threads=threads)
    except ModelError as error:
        log.warning("claims are compared by nearness alone: %s", error)
        return None


def _reranker(settings: RagSettings) -> Reranks | None:
    if settings.rerank_model is None:
        return None
    from rag.matching.reranker import Reranker  # sentence-transformers: seconds, only where one is set

    return Reranker(settings.rerank_model)
