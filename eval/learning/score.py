"""How well the reader does on held-out articles: span F1 and exact match, and telling answered from not.

F1 is that of MLQA (Lewis et al. 2020, https://arxiv.org/abs/1910.07475): lower case, no punctuation, no articles,
words as a multiset; Chinese and Thai, which write no spaces, are counted by character.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from random import Random

import numpy as np
import regex
import torch

from eval.learning.claims import Claims
from eval.learning.data import Corpus
from eval.learning.examples import Examples
from eval.learning.mixture import Mixture
from eval.learning.model import ReaderModel
from eval.learning.pool import Item, Pool
from eval.learning.windows import Example, Windows
from index.language.terms import fold_digits
from rag.reader.encode import LONGEST_CLAIM, Float32, PairEncoder, Row, best_span, pad

# Question and passage languages that are scored; "bn" is Hindi in Bengali letters, for want of Bengali data.
PAIRS = (
    ("en", "en"), ("en", "hi"), ("en", "sv"), ("en", "bn"), ("vi", "hi"), ("vi", "sv"), ("vi", "vi"),
    ("hi", "hi"), ("hi", "sv"), ("sv", "hi"), ("sv", "sv"), ("bn", "bn"),
)  # fmt: skip
# Sources of the pool whose held-out titles are scored: native Bengali, Norwegian, English.
SCORED = ("bn_haque2020", "norquad", "tydi_goldp")
_ROWS = 8  # rows that the network gets at once
CLAIMS_SCORED = 20  # claims for each of `per_pair`
_MIXED = 8  # drawn examples for each answered question of a pair
_ARTICLES = {
    "en": ("a", "an", "the"), "sv": ("en", "ett"), "de": ("ein", "eine", "der", "die", "das"),
    "es": ("un", "una", "el", "la", "los", "las"), "vi": ("của", "là", "cái", "chiếc", "những"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores in 0..1.

    `f1` and `exact` by pair ("en-hi") or source ("norquad") over answered questions, whatever the "answered" score;
    `mean_f1` their mean over pairs of languages. `separation` is the area under the ROC curve of the "answered" logit
    over a mixed sample; `called_answered` the share with a logit above 0, by kind of example. `judged`: the share of
    claims whose likeliest verdict is right, by kind.
    """

    mean_f1: float
    f1: dict[str, float]
    exact: dict[str, float]
    separation: float
    called_answered: dict[str, float]
    judged: dict[str, float]


@dataclass(frozen=True, slots=True)
class Output:
    """One row's scores: (tokens,) start and end logits, the answered logit, and the (3,) logits of the verdicts."""

    start: Float32
    end: Float32
    answered: float
    judged: Float32


def score(
    model: ReaderModel,
    encoder: PairEncoder,
    held: Corpus,
    items: Sequence[Item],
    pool: ThreadPoolExecutor,
    *,
    claims: Sequence[Example],
    per_pair: int,
) -> Scored:
    """Scores on a fixed sample of `held`: `per_pair` questions of each pair, and eight times as many drawn; on `items`,
    answered questions of the pool; and on `claims`."""
    windows = Windows(encoder.count)
    examples = Examples(held, windows=windows, similar=_neighbours(held), seed=0)
    pairs = {f"{a}-{r}": examples.fixed(a, r, per_pair) for a, r in _possible(held)}
    answered = pairs | _of_sources(items, windows)
    f1, exact = {}, {}
    for pair, sample in answered.items():
        rows = _rows(encoder, sample)
        results = [
            _compare(example, row, output)
            for example, row, output in zip(sample, rows, outputs(model, rows, pool), strict=True)
        ]
        f1[pair] = _mean([f for f, _ in results])
        exact[pair] = _mean([float(e) for _, e in results])
    mixture = Mixture({"passages": examples}, seed=0)
    mixed = [mixture.draw(i) for i in range(_MIXED * per_pair)]
    logits = [output.answered for output in outputs(model, _rows(encoder, mixed), pool)]
    kinds: dict[str, list[float]] = {}
    for example, logit in zip(mixed, logits, strict=True):
        kinds.setdefault(example.kind, []).append(float(logit > 0))
    return Scored(
        mean_f1=_mean([f1[pair] for pair in pairs]),
        f1=f1,
        exact=exact,
        separation=_area([e.answer is not None for e in mixed], logits),
        called_answered={kind: _mean(values) for kind, values in sorted(kinds.items())},
        judged=_judged(model, encoder, claims, pool),
    )


def fixed_claims(claims: Claims, count: int) -> list[Example]:
    """`count` claims, always the same ones."""
    random = Random("claims")  # noqa: S311 - no secret
    return list(islice((drawn for drawn in iter(lambda: claims.draw(random), object()) if drawn), count))


def _judged(
    model: ReaderModel, encoder: PairEncoder, claims: Sequence[Example], pool: ThreadPoolExecutor
) -> dict[str, float]:
    right: dict[str, list[float]] = {}
    rows = encoder.rows([c.question for c in claims], [c.window for c in claims], longest=LONGEST_CLAIM)
    for claim, output in zip(claims, outputs(model, rows, pool), strict=True):
        found = float(int(output.judged.argmax()) in claim.verdicts)
        for kind in ("all", claim.kind):
            right.setdefault(kind, []).append(found)
    return {kind: _mean(values) for kind, values in sorted(right.items())}


def outputs(model: ReaderModel, rows: Sequence[Row], pool: ThreadPoolExecutor) -> list[Output]:
    """The network's scores of each row, in order."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i].ids))
    groups = [order[i : i + _ROWS] for i in range(0, len(order), _ROWS)]
    device = model.span.weight.device

    def run(group: list[int]) -> list[Output]:
        batch = pad([rows[i] for i in group])
        with torch.no_grad():
            tensors = (torch.from_numpy(a).to(device) for a in (batch.ids, batch.mask, batch.passage))
            scores = model(*tensors)
        start, end, judged = (v.cpu().numpy() for v in (scores.start, scores.end, scores.judged))
        return [Output(start[i], end[i], float(scores.answered[i]), judged[i]) for i in range(len(group))]

    found: dict[int, Output] = {}
    for group, result in zip(groups, pool.map(run, groups), strict=True):
        found.update(zip(group, result, strict=True))
    return [found[i] for i in range(len(rows))]


def token_f1(found: str, right: str, language: str) -> float:
    """F1 over words, in 0..1; 0 when nothing is shared."""
    one, other = _words(found, language), _words(right, language)
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if shared else 0.0


def _compare(example: Example, row: Row, output: Output) -> tuple[float, bool]:
    span = best_span(row, output.start, output.end)
    if span is None or example.answer is None:
        return 0.0, False
    found = example.window[slice(*span)]
    right = [example.window[place.start : place.end] for place in (example.answer, *example.also)]
    exact = any(_words(found, example.read) == _words(one, example.read) for one in right)
    return max(token_f1(found, one, example.read) for one in right), exact


def _words(text: str, language: str) -> list[str]:
    plain = fold_digits(unicodedata.normalize("NFC", text.casefold()))
    if language in {"zh", "th"}:
        return list(regex.sub(r"[\s\p{P}]", "", plain))
    words = regex.sub(r"\p{P}", " ", plain).split()
    return [word for word in words if word not in _ARTICLES.get(language, ())] or words


def _of_sources(items: Sequence[Item], windows: Windows) -> dict[str, list[Example]]:
    """The questions in large windows of their texts, by source."""
    pool, found = Pool(items, windows), dict[str, list[Example]]()
    for item in items:
        random = Random(item.question)  # noqa: S311 - no secret
        found.setdefault(item.source, []).append(pool.own(random, item, smallest=200))
    return found


def _possible(held: Corpus) -> list[tuple[str, str]]:
    """The pairs that the corpus has; "bn" is there when "hi" is."""
    languages = {language for passage in held.passages for language in passage.contexts}
    known = languages | ({"bn"} if "hi" in languages else set())
    return [(a, r) for a, r in PAIRS if a in known and r in known]


def _neighbours(held: Corpus) -> dict[str, list[int]]:
    """Any other passages of the article: the sample is fixed whatever the network says."""
    random = Random(0)  # noqa: S311 - no secret
    found = {}
    for place, passage in enumerate(held.passages):
        others = [i for i, p in enumerate(held.passages) if p.article == passage.article and i != place]
        for ask in passage.asks:
            found[ask] = random.sample(others, min(5, len(others)))
    return found


def _rows(encoder: PairEncoder, examples: Sequence[Example]) -> list[Row]:
    return encoder.rows([e.question for e in examples], [e.window for e in examples])


def _area(positive: Sequence[bool], values: Sequence[float]) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney); 0.5 when one class is missing."""
    ranks = np.argsort(np.argsort(values)) + 1
    ones = np.array(positive)
    p, n = int(ones.sum()), int((~ones).sum())
    if not p or not n:
        return 0.5
    return round(float((ranks[ones].sum() - p * (p + 1) / 2) / (p * n)), 4)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(len(values), 1), 4)
