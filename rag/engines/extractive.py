"""The extractive engine: the short answer first, then the words it rests on, in the question's language.

What form an answer has follows the question (`rag.shape`): every line of a list, a sentence without a verdict for yes
or no, no few words cut out of a negation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from index.language.gloss import day_in, gloss_of
from index.language.lexicon import lexicon
from index.language.quantities import find_quantities
from index.language.terms import fold, split_words
from rag import scoring
from rag.answer import Confidence
from rag.dated import iso, newness
from rag.engines.engine import Draft, Drafting, Engine
from rag.engines.quoting import citation
from rag.evidence import AS_LIKELY, Evidence, Support
from rag.listing import list_around
from rag.look import Look
from rag.notices import notices_in
from rag.question import Question
from rag.reply import listed
from rag.shape import shape_of
from rag.short_answer import of_one_number, short_answer
from rag.tabled import Tabled

# Documents are said to differ only where each of their answers is likelier right than wrong. Chosen: a false
# alternative takes more from an answer than a missing one.
_LIKELY = 0.5


class Extractive(Engine):
    """Quotes the documents; needs no model server, no key and no network."""

    name = "extractive"

    def draft(self, look: Look, *, stop: object = None) -> Drafting:
        """See `Engine.draft`; the evidence must hold at least one sentence."""
        del stop
        evidence = look.evidence
        if look.tabled is not None:
            yield self._tabled(look.tabled, look)
            return
        items = _items(evidence) if shape_of(look.question) == "list" else []
        yield self._list(look, items) if items else self._quotes(look)

    def _quotes(self, look: Look) -> Draft:
        notices = notices_in(look.question.language)
        chosen, short, confidence = choose(look.evidence)
        settled = look.evidence.settled
        if settled is not None:
            chosen, short, confidence = chosen[:1], notices[settled.says], "answered"
        differing = _differing(look.evidence, short) if short is not None else []
        if short is not None and differing:
            return self._alternatives(look, [(chosen[0], short), *differing])
        first, *others = (citation(support, marker) for marker, support in enumerate(chosen, start=1))
        sure = "answer" if short else "answer_quote"
        unsure = "perhaps_short" if short else "perhaps"
        template = notices[sure if confidence == "answered" else unsure]
        gloss = gloss_of(short, first.language, look.question.language) if short and settled is None else None
        said = f"{short} ({gloss})" if gloss else short
        parts = [template.format(short=said, quote=first.quote, marker="[1]")]
        parts += [notices["also"].format(quote=each.quote, marker=f"[{each.marker}]") for each in others]
        return Draft(
            engine=self.name,
            text="\n\n".join(parts),
            short=short,
            gloss=gloss,
            citations=(first, *others),
            confidence=confidence,
        )

    def _alternatives(self, look: Look, found: Sequence[tuple[Support, str]]) -> Draft:
        """What several documents answer, where they differ, the newer first: which is meant is for the user to say."""
        notices = notices_in(look.question.language)
        drafts = []
        for support, short in sorted(
            found, key=lambda each: newness(look.days.get(each[0].sentence.document_id)), reverse=True
        ):
            quoted = citation(support, 1)
            day = look.days.get(quoted.document_id)
            gloss = gloss_of(short, quoted.language, look.question.language)
            text = notices["alternative"].format(
                short=f"{short} ({gloss})" if gloss else short,
                title=quoted.title,
                date=f" ({day_in(look.question.language, day)})" if day is not None else "",
                quote=quoted.quote,
                marker="[1]",
            )
            drafts.append(
                Draft(
                    engine=self.name,
                    text=text,
                    short=short,
                    gloss=gloss,
                    citations=(quoted,),
                    confidence="perhaps",
                    date=iso(day) if day is not None else None,
                )
            )
        lines = [draft.text.replace("[1]", f"[{place}]") for place, draft in enumerate(drafts, start=1)]
        return Draft(
            engine=self.name,
            text=f"{notices['differ']}\n{listed(lines)}",
            citations=tuple(replace(d.citations[0], marker=n) for n, d in enumerate(drafts, start=1)),
            confidence="perhaps",
            alternatives=tuple(drafts),
        )

    def _tabled(self, found: Tabled, look: Look) -> Draft:
        """The row with the most or least and its cell, or how many rows there are, each by its name."""
        notices, gloss = notices_in(look.question.language), None
        citations = tuple(citation(row, n) for n, row in enumerate(found.rows, start=1))
        if found.asked == "rows":
            lines = [f"{label} [{n}]" for n, label in enumerate(found.labels, start=1)]
            text = f"{notices['rows_counted'].format(count=found.count)}\n{listed(lines)}"
        else:
            first, *others = citations
            gloss = gloss_of(found.short, first.language, look.question.language)
            said = f"{found.short} ({gloss})" if gloss else found.short
            text = notices[f"rows_{found.asked}"].format(
                short=said, count=found.count, quote=first.quote, marker="[1]"
            )
            for each in others:
                text += "\n\n" + notices["also"].format(quote=each.quote, marker=f"[{each.marker}]")
        return Draft(
            engine=self.name,
            text=text,
            short=found.short,
            gloss=gloss,
            citations=citations,
            confidence="answered" if found.named else "perhaps",
        )

    def _list(self, look: Look, items: Sequence[Support]) -> Draft:
        citations = tuple(citation(support, marker) for marker, support in enumerate(items, start=1))
        notices = notices_in(look.question.language)
        lines = [f"{notices['quoted'].format(quote=each.quote)} [{each.marker}]" for each in citations]
        first = look.evidence.supports[0]
        return Draft(
            engine=self.name,
            text=f"{notices['listed']}\n{listed(lines)}",
            citations=citations,
            confidence=_confidence(look.evidence, scoring.probability(first.score), "sentence"),
        )


def choose(evidence: Evidence) -> tuple[list[Support], str | None, Confidence]:
    """The sentences to quote, the short answer inside the first, and how sure that is."""
    first, *others = evidence.supports
    short, probability = _short(evidence, first)
    near = [s for s in others[:2] if first.score - s.score <= AS_LIKELY and s.sentence.kind == "body"]
    confidence = _confidence(evidence, probability, "short" if short else "sentence")
    return [first, *([] if short else near[:1])], short, confidence


def _short(evidence: Evidence, first: Support) -> tuple[str | None, float]:
    """The short answer, and how likely it, or without one the sentence, is right where the question is answered."""
    of_sentence = scoring.probability(first.score)
    if not evidence.reads:
        return of_one_number(evidence.question, first), of_sentence
    short = short_answer(evidence)
    if short is None or _turned_round(short.text, evidence.question, first):
        return None, of_sentence
    return short.text, short.probability


def _differing(evidence: Evidence, short: str) -> list[tuple[Support, str]]:
    """What other documents answer that differs from the first, each once."""
    found: list[tuple[Support, str]] = []
    if not evidence.rivals or min(evidence.answered, _short(evidence, evidence.supports[0])[1]) < _LIKELY:
        return []
    said = {fold(short)}
    for rival in evidence.rivals:
        other = short_answer(replace(evidence, supports=(rival,), clauses=()))
        if other is not None and other.probability >= _LIKELY and fold(other.text) not in said:
            said.add(fold(other.text))
            found.append((rival, other.text))
    return found


def _confidence(evidence: Evidence, probability: float, of: scoring.Certain) -> Confidence:
    return "answered" if evidence.answered * probability >= scoring.certain(of) else "perhaps"


def _turned_round(short: str, question: Question, support: Support) -> bool:
    """Whether a few words, without a number, are cut out of a sentence that denies them."""
    language = support.sentence.language
    negation = {fold(word) for word in lexicon(language).shape.get("negation", ())}
    if question.kind != "other" or find_quantities(short, language):
        return False
    said = negation.intersection(split_words(fold(support.sentence.text)))
    return bool(said - set(split_words(fold(short))))


def _items(evidence: Evidence) -> list[Support]:
    """The lines of the list that the best sentence stands in, or introduces; [] without one."""
    first = evidence.supports[0]
    chunk = first.hit.chunk
    offset = chunk.start
    lines = list_around(chunk.text, first.sentence.start - offset, first.sentence.end - offset)
    found = [
        support
        for support in evidence.supports
        if support.sentence.document_id == chunk.document_id
        and any(
            start <= support.sentence.start - offset and support.sentence.end - offset <= end
            for start, end in lines
        )
    ]
    found.sort(key=lambda support: support.sentence.start)
    return found if len(found) > 1 else []
