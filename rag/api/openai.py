"""The assistant for clients that speak OpenAI's wire format: chat completions and models."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from fastapi.responses import StreamingResponse

from index.errors import UsageError
from rag import engines
from rag.api import problems
from rag.api.declared import declares
from rag.api.openai_schemas import STREAM_EXAMPLE, ChatCompletion, ChatRequest, ModelOut, ModelsOut
from rag.api.openai_stream import Completion, InlineLinks, LateLinks, events
from rag.api.page_language import asker_language
from rag.api.streaming import Answers
from rag.asking import Ask
from rag.engines import Row
from rag.settings import RagSettings

_FRESH = {"Cache-Control": "no-store"}
_TAG = "OpenAI's format"


_MODEL = "polycite"
"""The default engine, as a model; the others are `polycite-NAME`."""


def add_openai(app: FastAPI, answers: Answers, settings: RagSettings) -> None:
    """Add the endpoints of OpenAI's format; their errors have OpenAI's `error` beside the problem."""
    rows = engines.offered(settings)
    served = {_MODEL: engines.default(settings), **{f"{_MODEL}-{row.name}": row for row in rows}}
    _add_completions(app, answers, served)
    _add_models(app, served)


def _add_completions(app: FastAPI, answers: Answers, served: Mapping[str, Row]) -> None:
    @app.post(
        "/v1/chat/completions",
        tags=[_TAG],
        summary="Answer the last question of a conversation",
        response_model=ChatCompletion,
        responses={
            200: {"description": "The answer or a refusal", "content": STREAM_EXAMPLE},
            **problems.responses(400, 404, 413, 415, 422, 500, 503),
        },
    )
    @declares("read", question=True)
    async def complete(request: Request, body: ChatRequest) -> Any:
        """Answer as `POST /v1/ask` does, in OpenAI's wire format.

        System messages and options such as `temperature` have no effect. With `stream` the answer comes in chunks,
        of which the last one with a choice has the answer's schema in `polycite`. Where a language model writes, the
        markers of a stream are plain and Markdown link definitions at its end make them links; should the checked
        answer differ from what was streamed, it follows whole after an empty line.
        """
        row = served.get(body.model)
        if row is None:
            return _no_model(body.model, served)
        asked = Ask(
            _question(body),
            history=body.history,
            engine=None if body.model == _MODEL else row.name,
            interface=asker_language(request.headers),
        )
        completion = Completion(
            id=f"chatcmpl-{uuid.uuid4().hex}",
            created=int(time.time()),
            model=body.model,
            prompt=tuple(message.text for message in body.messages),
        )
        if not body.stream:
            answer = await answers.answer(request, asked)
            return await answers.in_thread(lambda: completion.whole(answer))
        return StreamingResponse(
            events(
                await answers.stream(request, asked),
                completion,
                # A text that was complete before it was sent has its links at once.
                LateLinks() if row.writes else InlineLinks(),
                answers,
                usage=body.stream_options is not None and body.stream_options.include_usage,
            ),
            media_type="text/event-stream",
            headers=_FRESH,
        )


def _add_models(app: FastAPI, served: Mapping[str, Row]) -> None:
    started = int(time.time())

    @app.get("/v1/models", tags=[_TAG], summary="List the models")
    @declares("read")
    async def models() -> ModelsOut:
        """Return the ways to answer: `polycite` is the default engine, the others name theirs."""
        return ModelsOut(data=[ModelOut(id=name, created=started) for name in served])

    @app.get(
        "/v1/models/{model}",
        tags=[_TAG],
        summary="Look a model up",
        response_model=ModelOut,
        responses=problems.responses(404, 422),
    )
    @declares("read")
    async def model(
        model: Annotated[str, Path(max_length=200, description="The model's id.", examples=["polycite"])],
    ) -> Any:
        """Return one way to answer."""
        return ModelOut(id=model, created=started) if model in served else _no_model(model, served)


def _question(body: ChatRequest) -> str:
    if body.question is None:
        raise UsageError("messages: there is none of the user, whose last message is the question")
    return body.question


def _no_model(name: str, served: Mapping[str, object]) -> problems.ProblemResponse:
    return problems.of_status(
        404, f"there is no model {name!r}: use {' or '.join(served)}", name="model-not-found"
    )
