"""What the intents are learnt from and measured on: wordings by hand, and public questions, which are none of them.

DATA is a folder like ../shared/data. Of `qa/measure`, `nomiracl`, `swefaq` and half of the XQuAD articles nothing is
learnt.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder
from index.language.lexicon import lexicon
from index.language.short_texts import without_marks
from index.language.terms import fold, split_words
from rag.intent import EXAMPLES, NAME, QUESTION, examples, plain

HELD_OUT = Path(__file__).parents[1] / "gold" / "intents"
"""Wordings that nothing is learnt from."""
# File -> the most questions of it, in a fixed mixed order.
_TO_LEARN = {
    "qa/train/bn_haque2020.jsonl.gz": 700,
    "qa/train/tydi_goldp.jsonl.gz": 600,
    "qa/train/qed_nq.jsonl.gz": 500,
    "qa/train/squadshifts.jsonl.gz": 300,
    "qa/train/norquad.jsonl.gz": 300,
    "qa/train/mt_squad_da.jsonl.gz": 200,
    "qa/train/idk_mrc.jsonl.gz": 150,
    "qa/train/piaf.jsonl.gz": 150,
    "nli/train/rewrite_cast.jsonl.gz": 300,
    "nli/train/rewrite_ikat.jsonl.gz": 200,
    "nli/train/rewrite_mtrag_llm.jsonl.gz": 200,
}
_TO_MEASURE = {
    "qa/measure/hiquad_sentence.jsonl.gz": 700,
    "qa/measure/mmqa_hi_en.jsonl.gz": 600,
    "qa/measure/uit_viquad.jsonl.gz": 700,
    "qa/measure/vi_zalo_mailong.jsonl.gz": 300,
    "nomiracl/non_relevant.en.jsonl": 250,
    "nomiracl/relevant.en.jsonl": 250,
    "nomiracl/non_relevant.hi.jsonl": 250,
    "nomiracl/relevant.hi.jsonl": 250,
    "swefaq/swefaq_dev.jsonl": 600,
}
SEED = 7
_OTHER_NAMES = 4
_KEYWORDS_LEARNT, _KEYWORDS_MEASURED = 2000, 800
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_XQUAD = ("en", "hi", "vi", "sv")
_XQUAD_EACH = 350
# Bengali has one public set, so part of it, by the hash of its articles, measures.
_SHARED = {"qa/train/bn_haque2020.jsonl.gz": 700, "qa/train/qed_nq.jsonl.gz": 300}


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with what it is: the kind as `rag.intent` names it."""

    text: str
    language: str
    kind: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A public question and the file that it is of."""

    text: str
    language: str
    source: str


def wordings(folder: Path = EXAMPLES) -> list[Wording]:
    """Return the wordings of all languages, names without their braces."""
    return [
        Wording(plain(text), language, kind)
        for language, kinds in examples(folder).items()
        for kind, texts in kinds.items()
        for text in texts
    ]


def with_other_names() -> list[Wording]:
    """Return the wordings to learn from and, where one has a name in braces, others of its language in its place."""
    found = []
    for language, kinds in examples().items():
        texts = [(kind, text) for kind, each in kinds.items() for text in each]
        names = sorted({name for _, text in texts for name in NAME.findall(text)})
        mixed = random.Random(SEED)  # noqa: S311
        for kind, text in texts:
            found.append(Wording(plain(text), language, kind))
            if NAME.search(text):
                for name in mixed.sample(names, _OTHER_NAMES):
                    found.append(Wording(NAME.sub(name, text), language, kind))
    return found


def mashed(number: int = 150) -> list[Wording]:
    """Return what hands on a keyboard write: keys of a row in either direction, keys again and again, any keys."""
    mixed = random.Random(SEED)  # noqa: S311
    found = []
    for turn in range(number):
        words = []
        for _ in range(mixed.choice((1, 1, 2, 3))):
            row = mixed.choice(_KEYS)
            row = row[::-1] if mixed.random() < 0.2 else row
            start, length = mixed.randrange(len(row) - 3), mixed.randrange(3, 8)
            ways = (
                row[start : start + length],
                mixed.choice(row) * length,
                row[start : start + 2] * (length // 2),
            )
            words.append((*ways, "".join(mixed.choice(row) for _ in range(length)))[turn % 4])
        found.append(Wording(" ".join(words), "und", "unclear.unclear"))
    return found


def varied(texts: Iterable[Wording]) -> list[Wording]:
    """Return wordings with the ways in which people type them: small letters, no marks, no or other signs."""
    found: dict[tuple[str, str], Wording] = {}
    for wording in texts:
        bare = wording.text.rstrip("?!.। ")
        forms = [wording.text, bare, bare.lower(), bare[:1].upper() + bare[1:]]
        if wording.language in {"vi", "sv"}:
            forms.append(without_marks(bare.lower()))
        if wording.kind != QUESTION:
            forms += [f"{bare}!", f"{bare}."]
        for form in forms:
            if form:
                found.setdefault((form, wording.kind), Wording(form, wording.language, wording.kind))
    return list(found.values())


def to_learn(data: Path) -> list[Asked]:
    """Return public questions that weights may be learnt from."""
    found = _sampled(data, _TO_LEARN, lambda row: not _measured(row))
    found += _xquad(data, measured=False)
    return found + keywords(found, _KEYWORDS_LEARNT)


def to_measure(data: Path) -> list[Asked]:
    """Return public questions that nothing was learnt from."""
    found = _sampled(data, _TO_MEASURE, lambda _: True) + _sampled(data, _SHARED, _measured)
    found += _xquad(data, measured=True)
    return found + keywords(found, _KEYWORDS_MEASURED)


def keywords(asked: Sequence[Asked], number: int) -> list[Asked]:
    """Return what people type into a search box: a name or one to three words of `number` of the questions."""
    mixed = random.Random(SEED)  # noqa: S311
    said = {fold(wording.text).rstrip("?!.। ") for wording in wordings()}
    found = {}
    for question in mixed.sample(list(asked), min(2 * number, len(asked))):
        stop = lexicon(question.language).stop
        words = [word for word in split_words(question.text) if fold(word) not in stop and len(word) > 1]
        # The first word of a question mostly asks.
        words = words[1:] if len(words) > 1 else words
        if words:
            # A syllable of Vietnamese is no word.
            start, length = (
                mixed.randrange(len(words)),
                mixed.choice((2, 2, 3) if question.language == "vi" else (1, 1, 2, 3)),
            )
            text = " ".join(words[start : start + length])
            forms = (text, text.lower(), without_marks(text.lower()) if question.language == "vi" else text)
            chosen = mixed.choice(forms)
            if fold(chosen) in said:
                continue
            found[chosen] = Asked(chosen, question.language, "keywords")
    return list(found.values())[:number]


def vectors(texts: Sequence[str], embedder: Embedder, cache: Path) -> NDArray[np.float32]:
    """Return the (texts, dimension) vectors of texts as questions; those in `cache` (a folder) are not made again."""
    path = cache / f"intents-{embedder.revision}.npz"
    known: dict[str, NDArray[np.float32]] = {}
    if path.exists():
        with np.load(path, allow_pickle=False) as stored:
            known = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        known.update(zip(missing, embedder.embed_queries(missing), strict=True))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(path, texts=np.array(list(known)), vectors=np.stack(list(known.values())))
    return np.stack([known[text] for text in texts])


def _sampled(data: Path, files: dict[str, int], wanted: Callable[[dict[str, str]], bool]) -> list[Asked]:
    found = []
    for name, most in files.items():
        rows = {row["question"].strip(): row for row in _rows(data / name) if wanted(row)}
        for text in sorted(rows, key=_order)[:most]:
            language = "sv" if name.startswith("swefaq") else rows[text].get("lang", "und")
            found.append(Asked(" ".join(text.split()), language, Path(name).name.split(".")[0]))
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _measured(row: dict[str, str]) -> bool:
    return zlib.crc32(str(row.get("title") or row["question"]).encode()) % 3 == 0


def _xquad(data: Path, *, measured: bool) -> list[Asked]:
    chosen = {
        qa["id"]
        for article in sorted(_articles(data, "en"), key=lambda article: str(article["title"]))[
            1 - measured :: 2
        ]
        for qa in _questions(article)
    }
    found = []
    for language in _XQUAD:
        asked = [qa for article in _articles(data, language) for qa in _questions(article)]
        texts = {" ".join(qa["question"].split()) for qa in asked if qa["id"] in chosen}
        found += [Asked(text, language, "xquad") for text in sorted(texts, key=_order)[:_XQUAD_EACH]]
    return found


def _articles(data: Path, language: str) -> list[dict[str, Any]]:
    path = data / "xquad-dev" / f"xquad.{language}.json"
    articles: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["data"]
    return articles


def _questions(article: dict[str, Any]) -> list[dict[str, Any]]:
    return [qa for paragraph in article["paragraphs"] for qa in paragraph["qas"]]


def _order(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
