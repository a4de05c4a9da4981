"""An engine whose drafts are checked: their quotes, or each of their claims against the passage that it cites."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from dataclasses import replace
from threading import Event
from typing import Any, cast

from index.embedder import Embedder
from index.language.comparison import stands_in
from rag.engines.engine import Draft, Drafting, Engine, Wrapping
from rag.evidence import Evidence
from rag.look import Declined, Look
from rag.reader.passages import Judging
from rag.verification.support import facts_in
from rag.verification.verify import quotes_are_exact, short_is_quoted, verify


class Checked(Wrapping):
    """Another engine's drafts, with what the check left of them.

    Args:
        engine: writes them.
        embedder: makes the vectors of claims.
        judging: gives what says what passages say to them; without it no text is called verified.
        at_work: held while this machine works on a check.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        embedder: Embedder,
        judging: Judging,
        at_work: AbstractContextManager[Any],
    ) -> None:
        super().__init__(engine)
        self._embedder = embedder
        self._judging = judging
        self._at_work = at_work

    def draft(self, look: Look, *, stop: Event | None = None) -> Drafting:
        """See `Engine.draft`; declined where the check leaves nothing of a text."""
        with closing(cast("Any", self._engine.draft(look, stop=stop))) as drafting:
            for item in drafting:
                if not isinstance(item, Draft) or item.refused is not None:
                    yield item
                elif item.citations:
                    yield _with_checked_quotes(item, look)
                else:
                    yield self._with_checked_claims(item, look.evidence)

    def _with_checked_claims(self, draft: Draft, evidence: Evidence) -> Draft | Declined:
        with self._at_work:
            checked = verify(
                draft.text,
                draft.order,
                draft.passages,
                question=evidence.question,
                embedder=self._embedder,
                judge=self._judging(),
                reads=evidence.reads,
            )
        if checked.grounding == "none":
            return Declined(self.name, "llm_unsupported")
        return replace(
            draft,
            text=checked.text,
            short=_said(draft.short, checked.text, evidence),
            citations=checked.citations,
            claims=checked.claims,
            grounding=checked.grounding,
            confidence="answered" if checked.grounding == "verified" else "perhaps",
        )


def _with_checked_quotes(draft: Draft, look: Look) -> Draft:
    hits, counted = look.evidence.hits, False
    if look.tabled is not None:
        hits = (*hits, *(row.hit for row in look.tabled.rows))
        counted = look.tabled.asked == "rows"  # how many there are stands in none of them
    exact = quotes_are_exact(draft.citations, hits) and (
        counted or short_is_quoted(draft.short, draft.citations)
    )
    return replace(
        draft,
        grounding="verified" if exact else "partial",
        alternatives=tuple(_with_checked_quotes(each, look) for each in draft.alternatives),
    )


def _said(short: str | None, text: str, evidence: Evidence) -> str | None:
    """The short answer that the evidence gives, where a text says the same."""
    if short is None:
        return None
    facts = facts_in(short, evidence.supports[0].sentence.language)
    said = facts_in(text, evidence.question.language)
    agrees = all(stands_in(fact, said) for fact in facts) if facts else short.casefold() in text.casefold()
    return short if agrees else None
