"""Which sentence a claim is quoted with: how often the one that says it, without the reader's say and with it.

    python -m eval.studies.claim_quotes DATA [--per-pair 10]

A question of DATA/xquad-dev in one language over all articles in another, as an assistant with a language model sees
them: passages round the best sentences, windows that the reader read. A claim is made in the question's language, of
the paragraph that answers: the sentence that holds the answer, the words round it, the answer alone, or another
sentence. It cites the passage that says the same, and what is counted is whether the first sentence that
`rag.verification` would quote is that very one. Only what the reader did not learn from is asked.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from eval.learning.asked import LANGUAGES, articles, unseen_of
from eval.learning.looked import Work
from eval.learning.support_claims import SEED, Language, Text, part_of
from eval.public import locate_all
from eval.records import Place
from eval.squad import SquadFile, read_squad
from index.corpus import Corpus
from index.embedder import Embedder
from rag.evidence import Evidence, gather
from rag.llm.prompting import select_passages
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.question import analyse
from rag.settings import RagSettings
from rag.verification.support import Source, sources_of, stated
from rag.verification.verify import in_full, nearest_first

# As the engine of language models shows them.
_PASSAGES, _PASSAGE_TOKENS = 6, 300


@dataclass(frozen=True, slots=True)
class Chosen:
    """One claim: its kind, whether it is of the passage's language, and whether the right sentence came first."""

    kind: str
    same_language: bool
    without: bool
    with_it: bool


def chosen(
    files: Mapping[str, SquadFile], work: Work, *, documents: Sequence[str], per_pair: int
) -> Iterator[Chosen]:
    """The claims of every language over the articles of these languages of `documents`."""
    rng = random.Random(SEED)  # noqa: S311
    spoken = {
        code: Language(code, unseen_of(file, work.unseen), work.embedder) for code, file in files.items()
    }
    for read in documents:
        file = files[read]
        with work.corpus(f"xquad-{read}", articles(file)) as corpus:
            places = locate_all(corpus, file.articles, file.cases.values(), lambda c: f"{c.article:02d}")
            retriever = CorpusRetriever(top_k=15)
            for asked in files:
                shared = sorted(spoken[asked].cases.keys() & spoken[read].cases.keys() & places.keys())
                for id_ in rng.sample(shared, min(per_pair, len(shared))):
                    question = analyse(spoken[asked].cases[id_].question, language=asked)
                    query = Query.of(question, corpus, work.embedder)
                    evidence = gather(query, retriever.hits(query), reader=work.reader)
                    claims = _claims(id_, spoken[asked], spoken[read], places[id_], corpus, rng)
                    yield from _of_question(claims, evidence, work.embedder, same=asked == read)


def _claims(  # noqa: PLR0917 - one step of `chosen`
    id_: str, spoken: Language, written: Language, place: Place, corpus: Corpus, rng: random.Random
) -> list[tuple[str, str, Place]]:
    """Kind, words and the place that says the same."""
    claim, theirs = spoken.claim(spoken.cases[id_]), spoken.place(spoken.cases[id_])
    ours = written.place(written.cases[id_])
    if claim is None or theirs is None or ours is None:
        return []
    made = [("part", part_of(claim, rng).text, place), ("answer", claim.text[claim.start : claim.end], place)]
    if spoken is not written:
        made.append(("sentence", claim.text, place))
    one, other = spoken.sources[theirs[0]].sentences, written.sources[ours[0]].sentences
    document = corpus.document(place.document_id)
    if len(one) == len(other) > 1 and theirs[1] == ours[1] and document is not None:
        # Paragraphs of as many sentences say one after the other the same.
        position = rng.choice([i for i in range(len(one)) if i != ours[1]])
        start = document.text.find(other[position].text)
        if start >= 0:
            said = Text(claim.case, one[position].text, 0, 1)
            words = part_of(said, rng).text if spoken is written else said.text
            there = replace(place, start=start, end=start + len(other[position].text))
            made.append(("another sentence", words, there))
    return made


def _of_question(
    claims: Sequence[tuple[str, str, Place]],
    evidence: Evidence,
    embedder: Embedder,
    *,
    same: bool,
) -> Iterator[Chosen]:
    settings = RagSettings.model_fields["llm_context_tokens"].default
    passages = select_passages(evidence, count=_PASSAGES, tokens=settings, each=_PASSAGE_TOKENS)
    question = evidence.question
    statements = stated(
        [words for _, words, _ in claims],
        question.language,
        embedder,
        read_as=[in_full(words, question) for _, words, _ in claims],
    )
    sources = sources_of(passages, embedder) if claims and passages else []
    for (kind, _, place), statement in zip(claims, statements, strict=True):
        source = next((s for s in sources if _says(s, place)), None)
        if source is not None and len(source.sentences) > 1:
            first, with_it = (nearest_first(statement, source, reads)[0] for reads in ((), evidence.reads))
            yield Chosen(kind, same, _meets(source, first, place), _meets(source, with_it, place))


def _says(source: Source, place: Place) -> bool:
    return any(_meets(source, position, place) for position in range(len(source.sentences)))


def _meets(source: Source, position: int, place: Place) -> bool:
    sentence = source.sentences[position]
    return place.meets(sentence.document_id, sentence.start, sentence.end)


def _table(rows: Sequence[Chosen]) -> str:
    lines = ["| claim | claims | without | with | won | lost |", "|---|---|---|---|---|---|"]
    counts = Counter((row.kind, row.same_language, row.without, row.with_it) for row in rows)
    for kind in ("sentence", "part", "answer", "another sentence"):
        for same, label in ((True, "same language"), (False, "across languages")):
            group = {(a, b): counts[kind, same, a, b] for a in (True, False) for b in (True, False)}
            total = sum(group.values())
            if total:
                before, after = (
                    (group[True, True] + group[True, False]) / total,
                    (group[True, True] + group[False, True]) / total,
                )
                lines.append(
                    f"| {kind}, {label} | {total} | {before:.3f} | {after:.3f} "
                    f"| {group[False, True]} | {group[True, False]} |"
                )
    return "\n".join(lines)


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-pair", default=10, show_default=True, help="Questions for each pair of languages.")
@click.option(
    "--documents", default=",".join(LANGUAGES), show_default=True, help="Languages of the articles."
)
@click.option(
    "--work", type=click.Path(path_type=Path), help="Keep the indexes here; default: a temporary folder."
)
def main(data: Path, per_pair: int, documents: str, work: Path | None) -> None:
    """Count the right sentences on the files of DATA/xquad-dev."""
    files = {code: read_squad(data / "xquad-dev" / f"xquad.{code}.json") for code in LANGUAGES}
    with tempfile.TemporaryDirectory() as temporary:
        kit = Work.load(work or Path(temporary), data)
        if kit.reader is None:
            raise click.ClickException("there is no reader to measure: name its file in RAG_READER_MODEL")
        rows: list[Chosen] = []
        for row in chosen(files, kit, documents=documents.split(","), per_pair=per_pair):
            rows.append(row)
            if len(rows) % 200 == 0:
                click.echo(f"{len(rows):,} claims", err=True)
    click.echo(_table(rows))


if __name__ == "__main__":
    sys.exit(main())
