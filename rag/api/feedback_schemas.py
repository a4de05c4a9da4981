"""Ratings of answers as the API takes and gives them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from rag.api.schemas import (
    ANSWER_ID,
    MAX_CODES,
    MAX_IDS,
    MAX_TURNS,
    AnswerOut,
    DocumentId,
    LanguageCode,
    StrictRequest,
    TurnIn,
)
from rag.feedback import MAX_REASON_CHARS, Rating


class SearchedIn(StrictRequest):
    """What a question was limited to, as it was asked."""

    languages: list[LanguageCode] | None = Field(
        None,
        max_length=MAX_CODES,
        description="The languages of the documents; null: all.",
        examples=[["bn", "hi"]],
    )
    documents: list[DocumentId] | None = Field(
        None, max_length=MAX_IDS, description="The documents; null: all."
    )


class FeedbackRequest(StrictRequest):
    """A rating of an answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answer_id": ANSWER_ID,
                    "rating": "down",
                    "reason": "The number is of last year.",
                }
            ]
        }
    )

    answer_id: str = Field(
        min_length=1,
        max_length=64,
        description="The answer's `id`.",
        examples=[ANSWER_ID],
    )
    rating: Rating = Field(description="Whether the answer helped: `up` or `down`.", examples=["down"])
    reason: str | None = Field(
        None,
        max_length=MAX_REASON_CHARS,
        description="Why, in the person's words.",
        examples=["The number is of last year."],
    )
    answer: AnswerOut | None = Field(
        None,
        description="The answer as it was sent. Needed only when the server no longer knows it: it remembers the "
        "last 1,000 answers since it started.",
    )
    history: list[TurnIn] = Field(
        default_factory=list,
        max_length=MAX_TURNS,
        description="The turns before the question; looked at with `answer` only.",
    )
    searched: SearchedIn | None = Field(
        None,
        description="What was searched; looked at with `answer` only. Null: it is not known, and the rating says so.",
    )


class FeedbackOut(BaseModel):
    """A rating that was stored."""

    answer_id: str = Field(description="The answer that was rated.", examples=[ANSWER_ID])
    rating: Rating = Field(description="What was stored; a later rating of the same answer counts instead.")
