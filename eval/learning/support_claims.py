"""True and planted claims over parallel paragraphs, with the features that the check of answers sees.

A true claim is the sentence of one language that holds an answer, or the words around the answer, cited from the
paragraph of another language that says the same. Planted claims: the same claim cited from another paragraph of the
article ("elsewhere"), or from its own without the sentence that holds the answer ("removed"); and the claim with a
digit changed ("number"), with an answer that is a name exchanged for another ("name"), with a negation put in or taken
out ("turned"), denied as a whole ("denied"), or with words that no text could hold in its place ("idle").
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from eval.learning.rules import idle, turned, wrapped
from eval.squad import SEPARATOR, Case, SquadFile
from index.embedder import Embedder
from index.language.sentences import split_sentences
from index.normalise import normalise
from index.types import Chunk, Document
from rag.answer import Hit
from rag.matching.lexical import text_terms
from rag.question import analyse
from rag.reader.passages import Judges
from rag.verification.passage import Passage
from rag.verification.support import (
    Features,
    Source,
    facts_in,
    features_of,
    missing_facts,
    sources_of,
    stated,
    window_of,
)

SEED = 20
# Other paragraphs of the article among which the cited one stands, as a question's other hits do.
_OTHERS = 3
# How often a claim is only the words around its answer, and how many of them on each side.
_PARTS = 0.5
_AROUND = (3, 8)
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Example:
    """A claim held against passages.

    `plant` says how it was made wrong, "" for a true one; `missing` whether a fact of it stands nowhere.
    """

    pair: str
    article: int
    plant: str
    features: Features
    missing: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A claim in its words: where the answer stands in it, and the question it answers."""

    case: Case
    text: str
    start: int
    end: int


class Language:
    """One file: its paragraphs as passages, and its answers' sentences."""

    def __init__(self, code: str, file: SquadFile, embedder: Embedder) -> None:
        self.code = code
        self.cases = file.cases
        self._starts: dict[int, list[int]] = {}
        texts: list[tuple[int, str]] = []
        self.first: dict[int, int] = {}
        for number, article in enumerate(file.articles):
            self.first[number] = len(texts)
            starts, start = [], 0
            for paragraph in article.text.split(SEPARATOR):
                starts.append(start)
                start += len(paragraph) + len(SEPARATOR)
                texts.append((number, normalise(paragraph)))
            self._starts[number] = starts
        passages = [_passage(n, text, code) for n, (_, text) in enumerate(texts)]
        self.sources = sources_of(passages, embedder)

    def paragraphs(self, article: int) -> int:
        """How many paragraphs an article has."""
        return len(self._starts[article])

    def place(self, case: Case) -> tuple[int, int] | None:
        """The paragraph (of all) that holds a case's answer, and the position of the sentence that does."""
        starts = self._starts[case.article]
        within = max(number for number, start in enumerate(starts) if start <= case.start)
        paragraph = self.first[case.article] + within
        answer = normalise(case.answers[0])
        offset = case.start - starts[within]
        holding = [
            (abs(sentence.start - offset), position)
            for position, sentence in enumerate(self.sources[paragraph].sentences)
            if answer in sentence.text
        ]
        return (paragraph, min(holding)[1]) if holding else None

    def claim(self, case: Case) -> Text | None:
        """The sentence that holds a case's answer."""
        found = self.place(case)
        if found is None:
            return None
        text = self.sources[found[0]].sentences[found[1]].text
        answer = normalise(case.answers[0])
        start = text.index(answer)
        return Text(case, text, start, start + len(answer))


def _passage(number: int, text: str, language: str) -> Passage:
    document = Document(f"p{number}", "", "", language, None, text, "text/plain")
    sentences = tuple(split_sentences(document))
    chunk = Chunk(document.id, document.id, 0, 0, len(text), text, language, 0, max(0, len(sentences) - 1))
    hit = Hit(chunk, "", None, language, score=0.0, dense=0.0, sentence=0.0, lexical=0.0)
    return Passage(number, hit, 0, len(text), text, sentences)


def examples(
    languages: Mapping[str, Language], embedder: Embedder, judge: Judges | None, *, per_pair: int
) -> Iterator[Example]:
    """True and planted claims over every pair of languages."""
    rng = random.Random(SEED)  # noqa: S311
    names = sorted(
        id_
        for id_, case in languages["en"].cases.items()
        if all(word[0].isupper() for word in case.answers[0].split())
    )
    for spoken in languages.values():
        for written in languages.values():
            shared = sorted(spoken.cases.keys() & written.cases.keys())
            for id_ in rng.sample(shared, min(per_pair, len(shared))):
                yield from _of_case(id_, spoken, written, names, embedder, judge, rng)


def _of_case(  # noqa: PLR0917 - one step of `examples`
    id_: str,
    spoken: Language,
    written: Language,
    names: Sequence[str],
    embedder: Embedder,
    judge: Judges | None,
    rng: random.Random,
) -> Iterator[Example]:
    claim, place = spoken.claim(spoken.cases[id_]), written.place(written.cases[id_])
    if claim is None or place is None:
        return
    # Within one language the whole sentence would only be found again.
    if spoken is written or rng.random() < _PARTS:
        claim = part_of(claim, rng)
    paragraph, sentence = place
    own = written.sources[paragraph]
    article = written.cases[id_].article
    first = written.first[article]
    others = [n for n in range(first, first + written.paragraphs(article)) if n != paragraph]
    around = [written.sources[n] for n in rng.sample(others, min(_OTHERS, len(others)))]
    question = analyse(claim.case.question, language=spoken.code)
    repeated, known = facts_in(question.text, spoken.code), [text_terms(question.text, spoken.code)]
    texts = {
        "": claim.text,
        "number": _other_number(claim, spoken.code, rng),
        "name": _other_name(claim, spoken, names, rng) if id_ in names else None,
        "turned": turned(claim.text, spoken.code),
        "denied": wrapped(rng, claim.text, spoken.code, "denied"),
        "idle": idle(rng, spoken.code),
    }
    said = {plant: text for plant, text in texts.items() if text}
    claims = dict(zip(said, stated(list(said.values()), spoken.code, embedder), strict=True))
    settings = [(plant, claims[plant], own) for plant in said]
    if around:
        settings.append(("elsewhere", claims[""], around[0]))
    if len(own.sentences) > 1:
        settings.append(("removed", claims[""], _without(own, sentence)))
    verdicts = (
        judge.judge([s.read_as for _, s, _ in settings], [window_of(s, c) for _, s, c in settings])
        if judge is not None
        else []
    )
    for number, (plant, statement, cited) in enumerate(settings):
        features, _ = features_of(statement, [cited], verdicts[number : number + 1], known, embedder)
        missing = bool(missing_facts(statement, [cited], repeated))
        pair = f"{spoken.code}->{written.code}"
        yield Example(pair, article, plant, features, missing)


def part_of(claim: Text, rng: random.Random) -> Text:
    """The words around the answer: an answer's sentences are shorter than those of an article."""
    words = list(_WORD.finditer(claim.text))
    around = rng.randint(*_AROUND)
    first = max(0, sum(word.end() <= claim.start for word in words) - around)
    last = min(len(words), sum(word.start() < claim.end for word in words) + around)
    start, end = words[first].start(), words[last - 1].end()
    return Text(claim.case, claim.text[start:end], claim.start - start, claim.end - start)


def _without(source: Source, position: int) -> Source:
    kept = [n for n in range(len(source.sentences)) if n != position]
    sentences = tuple(source.sentences[n] for n in kept)
    return replace(
        source,
        passage=replace(source.passage, sentences=sentences),
        vectors=source.vectors[kept],
        facts=tuple(source.facts[n] for n in kept),
    )


def _other_number(claim: Text, language: str, rng: random.Random) -> str | None:
    """The claim with one digit of one of its numbers changed, None when it has none in digits."""
    digits = [
        place
        for fact in facts_in(claim.text, language)
        if not fact.weak
        for place in range(fact.start, fact.end)
        if claim.text[place].isdecimal()
    ]
    if not digits:
        return None
    place = rng.choice(digits)
    digit = (int(claim.text[place]) + rng.randrange(1, 9)) % 9 + 1
    if digit == int(claim.text[place]):
        digit = digit % 9 + 1
    return f"{claim.text[:place]}{digit}{claim.text[place + 1 :]}"


def _other_name(claim: Text, language: Language, names: Sequence[str], rng: random.Random) -> str | None:
    """The claim with its answer, a name, exchanged for the name that answers in another article."""
    for _ in range(50):
        other = language.cases.get(rng.choice(names))
        if other is not None and other.article != claim.case.article:
            name = normalise(other.answers[0])
            if name.casefold() not in claim.text.casefold():
                return f"{claim.text[: claim.start]}{name}{claim.text[claim.end :]}"
    return None
