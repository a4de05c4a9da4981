"""What follow-up questions lose and keep, measured on public data with the assistant that answers users.

    python -m eval.studies.followups DATA [--per-kind 8] [--seed 1]

DATA holds `xquad-dev/`. Each article is indexed in one language, the languages in turn, as one collection. A
conversation is a question about a paragraph, the assistant's own answer to it, and a second question:

    pronoun   a pronoun stands for the name that both have ("When did it move to Colorado?")
    elided    the name is left out and a connective opens the question ("And how many points did score?")
    bare      the name is left out
    earlier   as pronoun, with a turn between: another such question about the same paragraph
    switch    as pronoun, with the first question in another language
    near      a complete question about another paragraph of the article
    new       a complete question about another article
    absent    as new, with that article hidden: to be refused

Each is asked without the history, with it, and as the complete question that it was made of.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from eval.public import index_texts, locate, open_corpus
from eval.records import Place
from eval.squad import SEPARATOR, Case, SquadFile, read_squad
from index.embedder import load_embedder
from index.language.lexicon import lexicon
from index.language.terms import fold
from index.settings import IndexSettings
from index.types import Document
from rag.answer import Answer, Turn
from rag.asking import Ask
from rag.assistant import Assistant
from rag.matching.lexical import matched, text_terms, wanted
from rag.question import analyse
from rag.settings import RagSettings

LANGUAGES = ("en", "hi", "vi", "sv")
KINDS = ("pronoun", "elided", "bare", "earlier", "switch", "near", "new", "absent")
WAYS = ("without", "with", "complete")
# (pronoun, connective); written down apart from the assistant's own tables.
_WORDS = {"en": ("it", "And"), "hi": ("वह", "और"), "vi": ("nó", "Còn"), "sv": ("det", "Och")}
# Content words that must be left for a question.
_FEWEST_WORDS = 2
_MARKS = "?.,:;()\"'“”।"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Questions asked before, the one asked now, and the complete question it was made of.

    Attributes:
        before: with the assistant's answers between, the history.
        case: the complete question with its place in the file of `language`.
        article: its number, the same in every language.
    """

    kind: str
    language: str
    before: tuple[str, ...]
    question: str
    case: Case
    article: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: whether the first citation lies in the right paragraph and holds the answer."""

    passage: bool
    sentence: bool
    refused: bool


def conversations(files: Mapping[str, SquadFile], *, per_kind: int, seed: int) -> Iterator[Conversation]:
    """At most `per_kind` conversations of each kind and language, the same for the same seed."""
    for language, file in files.items():
        draw = random.Random(f"{seed} {language}")  # noqa: S311 - a sample, not a secret
        groups = _by_paragraph(file)
        for kind in KINDS:
            order = list(groups)
            draw.shuffle(order)
            made = (_made(kind, language, key, groups, files, draw) for key in order)
            kept = [each for each in made if each is not None]
            yield from kept[:per_kind]


def _by_paragraph(file: SquadFile) -> dict[tuple[int, int], list[Case]]:
    """The questions of each paragraph: (article, offset of the paragraph) -> cases."""
    groups: dict[tuple[int, int], list[Case]] = defaultdict(list)
    for case in file.cases.values():
        start, _ = paragraph_of(file, case)
        groups[case.article, start].append(case)
    return groups


def paragraph_of(file: SquadFile, case: Case) -> tuple[int, int]:
    """Start and end of the paragraph that a case's answer stands in."""
    text = file.articles[case.article].text
    before, after = text.rfind(SEPARATOR, 0, case.start), text.find(SEPARATOR, case.start)
    return (before + len(SEPARATOR) if before >= 0 else 0, after if after >= 0 else len(text))


def _made(  # noqa: PLR0917 - one draw of a conversation
    kind: str,
    language: str,
    key: tuple[int, int],
    groups: Mapping[tuple[int, int], Sequence[Case]],
    files: Mapping[str, SquadFile],
    draw: random.Random,
) -> Conversation | None:
    """A conversation that starts in one paragraph; None where its questions do not allow one."""
    cases = list(groups[key])
    draw.shuffle(cases)
    if kind in {"near", "new", "absent"}:
        others = [k for k in groups if (k[0] == key[0]) == (kind == "near") and k != key]
        if not others:
            return None
        case = draw.choice(groups[draw.choice(others)])
        return Conversation(kind, language, (cases[0].question,), case.question, case, case.article)
    for first in cases:
        followed = [
            (case, _follow_up(kind, language, _shared_name(first, case, files["en"]), case.question))
            for case in cases
            if case is not first
        ]
        fitting = [(case, text) for case, text in followed if text is not None]
        asked = _opening(kind, language, first, files, draw)
        if asked is None or len(fitting) < (2 if kind == "earlier" else 1):
            continue
        case, text = fitting[-1]
        between = (fitting[0][1],) if kind == "earlier" else ()
        return Conversation(kind, language, (asked, *between), text, case, case.article)
    return None


def _opening(
    kind: str, language: str, case: Case, files: Mapping[str, SquadFile], draw: random.Random
) -> str | None:
    """The first question of a conversation, in another language where the kind says so."""
    if kind != "switch":
        return case.question
    others = [file for other, file in files.items() if other != language and case.id in file.cases]
    return draw.choice(others).cases[case.id].question if others else None


def _follow_up(kind: str, language: str, name: str | None, question: str) -> str | None:
    """The question without the name, or with a pronoun for it; None where that leaves hardly a question."""
    words = question.split()
    span = _span(words, language, name) if name else None
    if span is None:
        return None
    first, last = span
    pronoun, connective = _WORDS[language]
    if kind in {"elided", "bare"}:
        kept = [*words[:first], *words[last + 1 :]]
    else:
        kept = [*words[:first], pronoun, *words[last + 1 :]]
    stop = lexicon(language).stop
    if sum(fold(word.strip(_MARKS)) not in stop for word in kept) < _FEWEST_WORDS:
        return None
    text = " ".join(kept).rstrip(_MARKS) + "?"
    return f"{connective} {text[0].lower()}{text[1:]}" if kind == "elided" else f"{text[0].upper()}{text[1:]}"


def _span(words: Sequence[str], language: str, name: str) -> tuple[int, int] | None:
    """The one run of words that say the English name, in any script; an article before it belongs to it."""
    text = text_terms(name, "en")
    said = [
        i
        for i, word in enumerate(words)
        if matched(wanted(analyse(word.strip(_MARKS), language=language)), text)
    ]
    if not said or said[-1] - said[0] != len(said) - 1:
        return None
    first = said[0]
    return (first - 1 if first and fold(words[first - 1]) == "the" else first), said[-1]


def _shared_name(first: Case, second: Case, english: SquadFile) -> str | None:
    """The one name that both questions have in English."""
    if first.id not in english.cases or second.id not in english.cases:
        return None
    one, two = (analyse(english.cases[case.id].question, language="en").names for case in (first, second))
    shared = [name for name in one if name in two]
    return " ".join(shared[0]) if len(shared) == 1 else None


class Study:
    """Asks the conversations over the articles, each in one language."""

    def __init__(
        self, assistant: Assistant, files: Mapping[str, SquadFile], documents: Mapping[str, Document]
    ) -> None:
        self._assistant = assistant
        self._files = files
        self._documents = documents
        self._known: dict[tuple[str, tuple[Turn, ...], bool], Answer] = {}

    def outcomes(self, conversation: Conversation) -> dict[str, Outcome]:
        """What comes of a conversation, by way of asking."""
        history: list[Turn] = []
        for question in conversation.before:
            answer = self._asked(question, tuple(history))
            history += [Turn("user", question), Turn("assistant", answer.answer)]
        asked = {
            "without": (conversation.question, ()),
            "with": (conversation.question, tuple(history)),
            "complete": (conversation.case.question, ()),
        }
        hidden = str(conversation.article) if conversation.kind == "absent" else None
        return {
            way: self._outcome(self._asked(question, turns, hidden=hidden), conversation)
            for way, (question, turns) in asked.items()
        }

    def _asked(self, question: str, history: tuple[Turn, ...], *, hidden: str | None = None) -> Answer:
        key = (question, history, hidden is not None)
        if key not in self._known:
            shown = [document.id for name, document in self._documents.items() if name != hidden]
            documents = None if hidden is None else tuple(shown)
            self._known[key] = self._assistant.answer(Ask(question, history=history, documents=documents))
        return self._known[key]

    def _outcome(self, answer: Answer, conversation: Conversation) -> Outcome:
        if not answer.citations or conversation.kind == "absent":
            return Outcome(passage=False, sentence=False, refused=answer.refused)
        first = answer.citations[0]
        passage, sentence = self._places(conversation)
        return Outcome(
            passage=passage is not None and passage.meets(first.document_id, first.start, first.end),
            sentence=sentence is not None and sentence.meets(first.document_id, first.start, first.end),
            refused=answer.refused,
        )

    def _places(self, conversation: Conversation) -> tuple[Place | None, Place | None]:
        """Where the paragraph and the answer stand in the language that the article is indexed in."""
        language = article_language(conversation.article)
        file, document = self._files[language], self._documents.get(str(conversation.article))
        case = file.cases.get(conversation.case.id)
        if case is None or document is None:
            return None, None
        article = file.articles[case.article]
        start, end = paragraph_of(file, case)
        whole = Case(case.id, "", case.article, (), start, end)
        return locate(whole, article, document), locate(case, article, document)

    def is_judged(self, conversation: Conversation) -> bool:
        """Whether it is known where the answer stands."""
        return conversation.kind == "absent" or None not in self._places(conversation)


def article_language(article: int) -> str:
    """The language that an article is indexed in."""
    return LANGUAGES[article % len(LANGUAGES)]


def table(found: Sequence[tuple[Conversation, Mapping[str, Outcome]]]) -> str:
    """Shares by kind and way: right passage, right sentence, answered with the right sentence, refused."""
    lines = [
        "| conversation | n | asked | passage | sentence | answered right | refused |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        rows = [outcomes for conversation, outcomes in found if conversation.kind == kind]
        for way in WAYS if rows else ():
            each = [outcomes[way] for outcomes in rows]
            shares = (
                _share([o.passage for o in each]),
                _share([o.sentence for o in each]),
                _share([o.sentence and not o.refused for o in each]),
                _share([o.refused for o in each]),
            )
            cells = [f"{share:.3f}" for share in shares]
            if kind == "absent":
                cells[:3] = ["-"] * 3
            lines.append(f"| {kind} | {len(rows)} | {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


@contextmanager
def open_study(data: Path, work: Path) -> Iterator[tuple[Study, dict[str, SquadFile]]]:
    """The study on DATA with its index under `work`, and the files.

    Raises:
        UsageError: a file of DATA is missing or malformed.
    """
    files = {language: read_squad(data / "xquad-dev" / f"xquad.{language}.json") for language in LANGUAGES}
    count = min(len(file.articles) for file in files.values())
    texts = {str(number): files[article_language(number)].articles[number].text for number in range(count)}
    settings = IndexSettings(data_dir=work)
    embedder = load_embedder(settings)
    indexed = index_texts(
        "articles", texts, work=work, embedder=embedder, settings=settings, progress=lambda *_: None
    )
    with open_corpus(indexed.settings.data_dir, embedder, indexed.settings) as corpus:
        assistant = Assistant(corpus, embedder, RagSettings(index=indexed.settings))
        yield Study(assistant, files, indexed.documents), files


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-kind", default=8, show_default=True, help="Conversations of each kind and language.")
@click.option("--seed", default=1, show_default=True, help="Which conversations are drawn.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="Keep the index here; default: a temporary folder."
)
def main(data: Path, per_kind: int, seed: int, work: Path | None) -> None:
    """Measure follow-ups on the files of DATA/xquad-dev."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        open_study(data, work or Path(temporary)) as (study, files),
    ):
        drawn = [c for c in conversations(files, per_kind=per_kind, seed=seed) if study.is_judged(c)]
        with click.progressbar(drawn, file=sys.stderr) as progress:
            found = [(conversation, study.outcomes(conversation)) for conversation in progress]
    click.echo(table(found))


if __name__ == "__main__":
    sys.exit(main())
