"""The extractive engine: the short answer first, then the words it rests on, in the question's language."""

from __future__ import annotations

from rag.engines.engine import Draft, Drafting, Engine
from rag.engines.quoting import citation
from rag.evidence import Evidence, Support
from rag.look import Look
from rag.notices import notices_in
from rag.short_answer import of_one_number, short_answer

# Without a short answer a second sentence is quoted too when it is at least half as likely: log 2. Chosen.
_NEAR = 0.7


class Extractive(Engine):
    """Quotes the documents; needs no model server, no key and no network."""

    name = "extractive"

    def draft(self, look: Look, *, stop: object = None) -> Drafting:
        """See `Engine.draft`; the evidence must hold at least one sentence."""
        del stop
        question = look.question
        notices = notices_in(question.language)
        chosen, short = choose(look.evidence)
        first, *others = (citation(support, marker) for marker, support in enumerate(chosen, start=1))
        template = notices["answer"] if short else notices["answer_quote"]
        parts = [template.format(short=short, quote=first.quote, marker="[1]")]
        parts += [notices["also"].format(quote=each.quote, marker=f"[{each.marker}]") for each in others]
        yield Draft(engine=self.name, text="\n\n".join(parts), short=short, citations=(first, *others))


def choose(evidence: Evidence) -> tuple[list[Support], str | None]:
    """The sentences to quote and the short answer inside the first."""
    first, *others = evidence.supports
    short = short_answer(evidence) if evidence.reads else of_one_number(evidence.question, first)
    near = [s for s in others[:2] if first.score - s.score <= _NEAR and s.sentence.kind == "body"]
    return [first, *([] if short else near[:1])], short
