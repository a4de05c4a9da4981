"""Names in a sentence, where the script writes them with capitals."""

from __future__ import annotations

from functools import cache

import regex

from index.language.lexicon import CAPITAL_NOUNS, all_lexicons, lexicon
from index.language.terms import fold
from index.types import Sentence
from rag.question import Question


def find_name(sentence: Sentence, question: Question) -> str | None:
    """The name in a sentence that the question does not give; None when there is none or several to choose from.

    Scripts without capitals, and languages that write every noun with one, give None: there the quote answers.
    """
    if sentence.language in CAPITAL_NOUNS:
        return None
    asked = fold(question.text)
    stop = lexicon(sentence.language).stop
    names = []
    for match in _runs().finditer(sentence.text):
        name = match.group().rstrip(".'’-")
        opens = match.start() == 0 and " " not in name
        # One capital may be a place or a thing; a person is told by two.
        single = question.kind == "person" and " " not in name
        if opens or single or fold(name) in asked or fold(name) in stop:
            continue
        names.append(name)
    distinct = list(dict.fromkeys(names))
    return distinct[0] if len(distinct) == 1 else None


@cache
def _runs() -> regex.Pattern[str]:
    """Words with a capital behind each other, with the small words that stand inside names."""
    inside = "|".join(sorted(word for table in all_lexicons() for word in table.inside_names))
    return regex.compile(
        r"(?<![\p{L}\p{M}\p{N}])\p{Lu}[\p{L}\p{M}'’.-]*"
        rf"(?:\s+(?:(?:{inside})\s+)?\p{{Lu}}[\p{{L}}\p{{M}}'’-]*)*"
    )
