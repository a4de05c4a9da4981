"""Ratings of answers over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from index.errors import UsageError
from rag.answer import Answer
from rag.api import problems
from rag.api.declared import declares
from rag.api.feedback_schemas import FeedbackOut, FeedbackRequest, SearchedIn
from rag.asking import Ask
from rag.feedback import FILE_NAME, Exchange, FeedbackStore, RecentAnswers
from rag.settings import RagSettings


def add_feedback(app: FastAPI, settings: RagSettings) -> Callable[[Ask, Answer], None]:
    """Add `POST /v1/feedback`; return what remembers each answer, so that a rating needs only its id.

    The store of ratings is `app.state.feedback`.
    """
    store = FeedbackStore(settings.index.data_dir / FILE_NAME)
    recent = RecentAnswers()
    app.state.feedback = store

    @app.post(
        "/v1/feedback",
        tags=["answers"],
        summary="Rate an answer",
        status_code=201,
        response_model=FeedbackOut,
        responses=problems.responses(400, 404, 413, 415, 422, 500, 503),
    )
    @declares("read")
    def rate(request: FeedbackRequest) -> Any:
        """Store whether an answer helped, with the answer and its question, for the evaluation to learn from.

        The rating is on the disk when the response comes. The last rating of an answer counts.
        """
        exchange = recent.get(request.answer_id) or _sent(request)
        if exchange is None:
            return problems.of_status(
                404,
                f"the answer {request.answer_id!r} is not known any more: send it whole in the field `answer`",
                name="answer-unknown",
            )
        store.add(exchange, rating=request.rating, reason=request.reason)
        return FeedbackOut(answer_id=request.answer_id, rating=request.rating)

    return lambda ask, answer: recent.remember(Exchange.of(answer, ask))


def _sent(request: FeedbackRequest) -> Exchange | None:
    """The answer that came with its rating, if one did."""
    if request.answer is None:
        return None
    if request.answer.id != request.answer_id:
        raise UsageError("answer_id is not the id of the answer beside it: rate the answer that is sent")
    searched = request.searched or SearchedIn()
    return Exchange(
        answer=request.answer.model_dump(),
        history=tuple(turn.turn() for turn in request.history),
        languages=None if searched.languages is None else tuple(searched.languages),
        documents=None if searched.documents is None else tuple(searched.documents),
        searched_known=request.searched is not None,
        from_client=True,
    )
