"""What a chat front end asks a model for its own use: a title, tags, follow-up questions, words to search by.

Such prompts come over OpenAI's format like any message. They are known by the instructions that Open WebUI, LibreChat
and NextChat send unless someone changed them; the reply has the form that they ask for, since what comes back becomes
a title or a button.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import regex

from index.corpus import Corpus
from index.language.detection import detect
from index.language.lexicon import FALLBACK, languages
from rag.answer import Turn
from rag.question import analyse
from rag.reply import Reply
from rag.suggestions import suggestions

Task = Literal["title", "tags", "follow_ups", "queries", "text", "prompt", "summary", "emoji"]

# Open WebUI says which key its JSON is to have.
_JSON = regex.compile(r"\{\s*\"(title|tags|follow_ups|queries|text|prompt|summary)\"\s*:")
_OPEN_WEBUI = regex.compile(r"^\s*#{2,3} Task:", regex.IGNORECASE)
_OPENED, _CLOSED = "<chat_history>", "</chat_history>"
_PROMPTS: tuple[tuple[Task, str], ...] = (
    (
        "title",
        r"(?:generate|provide|write|create|a) (?:a |an )?concise,? (?:\d|five|four)[^.\n]{0,40}title",
    ),
    ("title", r"generate a four to five word title"),
    ("title", r"concise title \(max \d+ characters\) for a conversation"),
    ("title", r"analyze this conversation and provide.{0,200}concise title"),
    ("follow_ups", r"suggest 3-5 relevant follow-up (?:questions|prompts)"),
    ("tags", r"generate 1-3 broad tags"),
    ("emoji", r"reflect the speaker's likely facial expression"),
    ("queries", r"analyze the chat history to determine the necessity of generating search queries"),
)
_TASKS = tuple((task, regex.compile(text, regex.IGNORECASE | regex.DOTALL)) for task, text in _PROMPTS)
# Behind these words such a prompt has the conversation, or nothing, and the conversation came before it.
_SAID = regex.compile(
    r"^\s*(?:\|\|>)?\s*(?:#+\s*)?(user|human|assistant|ai|response)\s*:\s*(.*)$", regex.IGNORECASE
)
_CONVERSATION = regex.compile(
    r"(?:conversation|that starts with):\s*\n+(.*)$", regex.IGNORECASE | regex.DOTALL
)
# Characters at either end in which an instruction is looked for: it stands at the beginning, or behind a conversation
# that was pasted before it. Chosen: what stands
# further in is the conversation.
_LOOKED_AT = 1500
# What is looked at of a conversation inside a prompt: chosen, because a title needs its
# beginning, and the rest only costs time.
_CONVERSATION_LOOKED_AT = 20_000
# Words and characters of a title, and how many tags or questions. Chosen: what front ends ask for, and their lists
# have room for.
_TITLE_WORDS, _TITLE_CHARACTERS, _MOST = 5, 48, 3
_MARKS = " \t\n\"'“”?？!.।,:;…"


def task_of(text: str) -> Task | None:
    """Return what a front end asks for itself; None for what a person says."""
    for part in (text[:_LOOKED_AT], text[-_LOOKED_AT:]):
        for task, pattern in _TASKS:
            if pattern.search(part):
                return task
    if _OPEN_WEBUI.match(text):
        match = _JSON.search(text)
        return match[1] if match else None
    return None


def host_reply(text: str, *, history: Sequence[Turn] = (), corpus: Corpus) -> Reply | None:
    """Return the reply to a front end's own prompt, in the form it asks for; None where it is none.

    Args:
        text: the message as it came, line ends and all.
        history: the turns before it, for front ends that send the conversation as such.
    """
    task = task_of(text)
    if task is None:
        return None
    asked = [turn.content for turn in (*_conversation(text), *history) if turn.role == "user"]
    asked = [" ".join(each.split()) for each in asked if any(map(str.isalnum, each))] or [""]
    language = detect(asked[0])
    language = language if language in languages() else FALLBACK
    plain = _JSON.search(text) is None
    if task == "title":
        value: object = _title(asked[0])
    elif task == "tags":
        value = [" ".join(name) for name in analyse(asked[0]).names[:_MOST]] or ["General"]
    elif task == "follow_ups":
        found = suggestions(corpus, language, most=2 * _MOST)
        value = [each.question for each in found if each.question not in asked][:_MOST]
    elif task == "queries":
        value = [asked[-1]] if asked[-1] else []
    elif task == "emoji":
        value, plain = "💬", True
    elif task == "text":  # what it completes is a person's to write
        value = ""
    else:
        value = asked[-1]
    said = str(value) if plain and isinstance(value, str) else json.dumps({task: value}, ensure_ascii=False)
    return Reply("meta", f"host.{task}", language, said)


def _title(question: str) -> str:
    """The first words of a question."""
    words = question.strip(_MARKS).split()
    title = " ".join(words[:_TITLE_WORDS])
    title = title if len(title) <= _TITLE_CHARACTERS else title[:_TITLE_CHARACTERS].rsplit(" ", 1)[0]
    return title.strip(_MARKS) or "Chat"


def _conversation(text: str) -> list[Turn]:
    """The turns that a prompt holds itself, where it marks who says what; lines without a mark go on."""
    held = _held(text[:_CONVERSATION_LOOKED_AT])
    turns: list[Turn] = []
    for line in held.splitlines():
        spoken = _SAID.match(line)
        if spoken:
            by_user = spoken[1].lower() in {"user", "human"}
            turns.append(Turn("user" if by_user else "assistant", spoken[2]))
        elif turns:
            turns[-1] = Turn(turns[-1].role, f"{turns[-1].content}\n{line}")
        elif line.strip():
            turns.append(Turn("user", line))
    return turns


def _held(text: str) -> str:
    """The conversation inside a prompt; "" without one. What was pasted may be anything: it is found in one pass."""
    _, opened, rest = text.partition(_OPENED)
    if opened:
        return rest.partition(_CLOSED)[0]
    match = _CONVERSATION.search(text)
    return str(match[1]) if match else ""
