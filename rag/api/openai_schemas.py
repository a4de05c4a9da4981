"""OpenAI's wire format for chats and models, as far as it means something here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rag import engines
from rag.answer import Turn
from rag.api.markdown import from_markdown
from rag.api.schemas import AnswerOut

_ENGINES = " or ".join(f"`polycite-{name}`" for name in engines.names())
_MAX_MESSAGES = 2000
# Of a longer conversation the newest are looked at, as `POST /v1/ask` takes at most so many.
_MAX_TURNS = 200
_QUESTION = "How many open datasets did the city publish?"


class _Tolerant(BaseModel):
    # Clients send many options that mean nothing to an assistant that quotes documents.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class TextPart(_Tolerant):
    """A piece of a message's text."""

    type: Literal["text"] = Field(description="Only text is understood.")
    text: str = Field(description="The text.", examples=[_QUESTION])


def _text_only(value: object) -> object:
    """Say in one line what content may be; pydantic would list every way in which it is not."""
    if value is None or isinstance(value, str):
        return _encodable(value or "")
    if not isinstance(value, list):
        raise PydanticCustomError("content", "content must be a text or a list of text parts")
    kept = [part for part in value if not (isinstance(part, dict) and part.get("type") == "refusal")]
    for part in kept:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise PydanticCustomError(
                "content", 'only text is understood: send parts such as {{"type": "text", "text": "..."}}'
            )
        _encodable(part["text"])
    return kept


def _encodable(text: str) -> str:
    """Refuse half a character: pydantic does so too, but not inside a union."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PydanticCustomError("content", "content holds half a character (a lone surrogate)") from error
    return text


class ChatMessage(_Tolerant):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = Field(
        description="Who said it. Messages of any role but `user` and `assistant` have no effect: what the assistant "
        "does is not theirs to change."
    )
    content: Annotated[str | list[TextPart] | None, BeforeValidator(_text_only)] = Field(
        "", description="What was said: a text, or a list of text parts.", examples=[_QUESTION]
    )

    @property
    def text(self) -> str:
        """The whole text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(_Tolerant):
    """Options of a stream."""

    include_usage: bool = Field(False, description="Send one more chunk, without choices, that has `usage`.")


def _text_format(value: object) -> object:
    """Refuse a form that an answer cannot have: a client that asked for one would read the answer wrongly."""
    kind = value.get("type") if isinstance(value, dict) else value
    if kind not in (None, "text"):
        raise PydanticCustomError(
            "response_format",
            "an answer is text with citations, never {kind}: leave response_format out; the fields are in `polycite`",
            {"kind": str(kind)[:100]},
        )
    return value


def _no_call(value: object) -> object:
    """Refuse what only a call of a tool would fulfil."""
    if value not in (None, "none", "auto"):
        raise PydanticCustomError("tool_choice", "no tools are called here: leave tool_choice out")
    return value


class ResponseFormat(_Tolerant):
    """The form of an answer."""

    type: Literal["text"] = Field("text", description="An answer is always text.")


class ChatRequest(_Tolerant):
    """A conversation whose last question is to be answered.

    Other fields of OpenAI's format (`temperature`, `max_tokens`, `tools`, ...) are taken and have no effect.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"model": "polycite", "messages": [{"role": "user", "content": _QUESTION}]}]
        }
    )

    model: str = Field(
        max_length=200,
        description=f"`polycite`: the default engine; {_ENGINES}: that engine.",
        examples=["polycite"],
    )
    messages: list[ChatMessage] = Field(
        min_length=1,
        max_length=_MAX_MESSAGES,
        description="The conversation, oldest first. The last message of the user is the question; the messages of "
        "user and assistant before it complete a follow-up question.",
    )
    stream: bool | None = Field(False, description="Send the answer as chunks in server-sent events.")
    stream_options: StreamOptions | None = Field(None, description="Options of the stream.")
    n: Annotated[int, Field(ge=1, le=1)] | None = Field(
        None, description="How many answers: there is one.", examples=[1]
    )
    response_format: Annotated[ResponseFormat | None, BeforeValidator(_text_format)] = Field(
        None, description="Text; `json_object` and `json_schema` are refused."
    )
    tool_choice: Annotated[Literal["none", "auto"] | None, BeforeValidator(_no_call)] = Field(
        None, description="`required` or a tool's name is refused: none is called."
    )

    @property
    def question(self) -> str | None:
        """The text of the user's last message; None when there is no such message."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), None)

    @property
    def history(self) -> tuple[Turn, ...]:
        """The newest turns before the question, oldest first."""
        turns = [message for message in self.messages if message.role in {"user", "assistant"}]
        while turns and turns[-1].role != "user":
            turns.pop()
        return tuple(_turn(message) for message in turns[:-1][-_MAX_TURNS:])


def _turn(message: ChatMessage) -> Turn:
    if message.role == "user":
        return Turn("user", message.text)
    return Turn("assistant", from_markdown(message.text))


class Usage(BaseModel):
    """Tokens of the vocabulary o200k_base."""

    prompt_tokens: int = Field(description="Of all messages of the request.", examples=[12])
    completion_tokens: int = Field(description="Of the answer.", examples=[48])
    total_tokens: int = Field(description="Both.", examples=[60])


class UrlCitation(BaseModel):
    """Where a marker leads."""

    start_index: int = Field(
        ge=0, description="Where the marker begins in `content`, in code points.", examples=[52]
    )
    end_index: int = Field(ge=0, description="Where it ends, with its link; excluded.", examples=[96])
    url: str = Field(
        description="The source, straight to the quoted words.",
        examples=["https://example.org/report#:~:text=..."],
    )
    title: str = Field(description="The document's title.", examples=["Open data in the city"])


class AnnotationOut(BaseModel):
    """A citation as OpenAI's clients read it."""

    type: Literal["url_citation"] = Field("url_citation", description="Always this.")
    url_citation: UrlCitation = Field(description="Where the marker leads.")


class CompletionMessage(BaseModel):
    """What the assistant says."""

    role: Literal["assistant"] = Field("assistant", description="Always the assistant.")
    content: str = Field(
        description="The answer as Markdown. Its markers [1] are links to the quoted words at their source, where the "
        "document has a web address.",
        examples=["540+ — the source says: “...” [1](https://example.org/report#:~:text=...)"],
    )
    refusal: None = Field(
        None, description="Always null: an answer that the documents do not hold is `polycite.refused`."
    )
    annotations: list[AnnotationOut] = Field(
        default_factory=list,
        description="The citations whose document has a web address, one for each marker; in a stream, of the delta of "
        "the last chunk with a choice.",
    )


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = Field(0, description="There is one answer.")
    message: CompletionMessage = Field(description="The answer.")
    logprobs: None = Field(None, description="Not known.")
    finish_reason: Literal["stop"] = Field("stop", description="The answer is whole.")


class ChatCompletion(BaseModel):
    """An answer in OpenAI's format, with the answer schema of `POST /v1/ask` in `polycite`."""

    id: str = Field(
        description="Of this completion; feedback wants `polycite.id`.", examples=["chatcmpl-5f0c"]
    )
    object: Literal["chat.completion"] = Field("chat.completion", description="What this is.")
    created: int = Field(description="When: seconds since 1970, UTC.", examples=[1767225600])
    model: str = Field(description="The model as it was asked for.", examples=["polycite"])
    choices: list[Choice] = Field(description="Exactly one.")
    usage: Usage = Field(description="How many tokens it was.")
    polycite: AnswerOut = Field(
        description="The answer with its citations, whether it is a refusal, and more."
    )


class ModelOut(BaseModel):
    """A way to answer."""

    id: str = Field(description="What `model` of a request names.", examples=["polycite"])
    object: Literal["model"] = Field("model", description="What this is.")
    created: int = Field(
        description="When the server started: seconds since 1970, UTC.", examples=[1767225600]
    )
    owned_by: Literal["polycite"] = Field("polycite", description="Always this.")


class ModelsOut(BaseModel):
    """The ways to answer that there are."""

    object: Literal["list"] = Field("list", description="What this is.")
    data: list[ModelOut] = Field(description="The models, the default first.")


STREAM_EXAMPLE: dict[str, Any] = {
    "text/event-stream": {
        "itemSchema": {
            "type": "object",
            "properties": {"data": {"type": "string"}},
            "required": ["data"],
        },
        "example": 'data: {"id": "chatcmpl-5f0c", "object": "chat.completion.chunk", "created": 1767225600, "model": '
        '"polycite", "choices": [{"index": 0, "delta": {"content": "540+ "}, "finish_reason": null}]}\n\n'
        "data: [DONE]\n\n",
    }
}
