"""The language of a text: its script first, then py3langid among the languages that write in that script.

Why py3langid, measured on two cores (300 XQuAD questions and 100 paragraphs a language; nine languages, of
which sv is SQuAD_v2_sv; candidates restricted alike):

    library                questions   ne, mr, as told from hi, bn   start    memory   on disk   a text
    py3langid 0.4          0.996       yes                           0.7 s    +80 MB   4.5 MB    0.2 ms
    lingua 2.1, high       0.986       no (lacks ne and as)          4.6 s    +570 MB  96 MB     1.0 ms
    lingua 2.1, low        0.965       no                            0.2 s    +45 MB   96 MB     0.4 ms

Both give 1.000 on paragraphs. py3langid also knew Vietnamese without diacritics ("can tho da cong bo bao
nhieu bo du lieu mo"), which lingua took for Dutch. Its model loads on the first text whose script is not
enough (0.7 s once, whatever the set of languages); Bengali, Thai, Tamil, Greek and the like never load it.
"""

from __future__ import annotations

import math
import tempfile
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import regex

from index.errors import WorkError
from index.language.lexicon import languages, lexicon
from index.language.short_texts import evidence
from index.types import UNDETERMINED

# A document tells its language within this many characters; the rest would only cost time.
_SAMPLE = 20_000
# What is longer is no question.
_LONGEST_QUESTION = 400
# Below this many letters the statistics are weak, so only common languages are considered.
_ENOUGH_LETTERS = 100
# A part of a document with fewer letters keeps the document's language, unless its script forbids it.
_PART_LETTERS = 40
# Names and codes ("Can Tho", "OK") score alike in every language: the best of n must exceed 1/n by this
# share.
_BEST_OVER_EVEN = 0.05
# One Chinese character or kana says as much as this many letters of an alphabet; else a Latin name in a short
# Chinese question would outweigh the question.
_HAN_WEIGHT = 3
# How many times likelier another language must be than the document's own before a part leaves it.
_PART_MARGIN = 2.0

# What makes a language likelier for a few words, in natural logarithms: a table or documents; the conversation or
# the page.
_LIKELY = 1.5
_EXPECTED = 2.5
# The share of letters' statistics that no language falls below: the more letters, the smaller; and that of a
# language in foreign letters.
_LETTERS_TELL, _SMALLEST, _LARGEST = 5.0, 1e-6, 3e-3
_ROMANISED = 0.2
# What one word of two letters tells, and what so many tell that a text of more letters is not taken for another
# language.
_A_WORD, _MANY_WORDS = 1.25, 6.0

# Kana among Chinese characters is Japanese; a Japanese sentence without any is rare.
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
# Assamese writes its own ra and wa, and never the Bengali ra.
_ASSAMESE_LETTERS = regex.compile("[ৰৱ]")
_BENGALI_RA = "র"
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class _Script:
    letters: regex.Pattern[str]
    common: tuple[str, ...]
    every: tuple[str, ...]


@lru_cache(maxsize=1)
def _scripts() -> dict[str, _Script]:
    table = tomllib.loads((Path(__file__).parent / "scripts.toml").read_text("utf-8"))
    return {
        name: _Script(
            # Kana counts as Han here: both appear in one Japanese sentence.
            regex.compile(
                r"[\p{Han}\p{Hiragana}\p{Katakana}]" if name == "Han" else rf"[\p{{{name}}}&&\p{{L}}]",
                regex.V1,
            ),
            tuple(row["common"]),
            tuple(row["common"] + row.get("rare", [])),
        )
        for name, row in table.items()
    }


def detect(text: str, *, among: Collection[str] = (), expected: Sequence[str] = ()) -> str:
    """The language most of `text` is in: ISO 639-1, or `und` when neither script nor words tell.

    A question of a few words is enough; a lone name ("Can Tho") or code is not, unless a language is expected.
    Norwegian in either form is `no`; Chinese in any is `zh`. Hindi in Latin letters is `hi`.

    Args:
        among: languages that a short text is more likely in than in others: those of the documents. The languages
        with a table always are.
        expected: the languages of the conversation and of the page, the likeliest first.
    """
    sample = text[:_SAMPLE]
    script, letters = _main_script(sample)
    if script is None:
        return UNDETERMINED
    by_script = _by_script(script, sample)
    if by_script is not None:
        return by_script
    row = _scripts()[script]
    if letters >= _ENOUGH_LETTERS:
        written = _romanised(sample) if script == "Latin" and letters < _LONGEST_QUESTION else None
        return written or _best(_shares(sample, row.every))
    return _of_short(sample, script, among=frozenset(among), expected=tuple(expected))


def _romanised(text: str) -> str | None:
    """The language of another script that many words of a text in Latin letters are of; None where none is."""
    told = {code: worth for code, worth in evidence(text).items() if lexicon(code).romanised}
    best: str = max(told, key=lambda code: told[code], default="")
    return best if told.get(best, 0.0) >= _MANY_WORDS else None


def _best(shares: Mapping[str, float]) -> str:
    best = max(shares, key=lambda code: shares[code])
    return best if shares[best] >= 1 / len(shares) + _BEST_OVER_EVEN else UNDETERMINED


def _of_short(text: str, script: str, *, among: frozenset[str], expected: tuple[str, ...]) -> str:
    """The language of a few words: what letters and words tell, and which languages are likely here."""
    row = _scripts()[script]
    told = evidence(text)
    likely = [code for code in (*languages(), *sorted(among)) if code in row.every]
    candidates = list(dict.fromkeys((*row.common, *likely, *(told if script == "Latin" else ()))))
    shares = _shares(text, [code for code in candidates if code in row.every])
    if not told and not expected and _best(shares) == UNDETERMINED:
        return likely[0] if len(likely) == 1 and script != "Latin" else UNDETERMINED
    smallest = min(_LARGEST, max(_SMALLEST, math.exp(-len(_LETTER.findall(text)) / _LETTERS_TELL)))
    scores = {}
    for code in candidates:
        # A language that is written in another script has no statistics here.
        score = math.log(shares.get(code, 0.0) + (smallest if code in row.every else _ROMANISED))
        score += told.get(code, 0.0)
        # Sounds alone do not make a language likely that is written in another script: a word has to.
        if (code in languages() or code in among) and (code in row.every or told[code] >= _A_WORD):
            score += _LIKELY
        if code in expected and code in (*row.every, *told):
            score += _EXPECTED / (1 + expected.index(code))
        scores[code] = score
    best: str = max(candidates, key=lambda code: scores[code])
    return best


def detect_per_part(parts: Sequence[str], default: str) -> list[str]:
    """The language of each part of a document that is in `default` as a whole; as many codes as parts.

    A part keeps `default` when it is too short to tell, or when another language is only slightly likelier.
    A part whose letters `default` is not written in leaves it however short it is.
    """
    return [_part_language(part, default) for part in parts]


def _part_language(part: str, default: str) -> str:
    sample = part[:_SAMPLE]
    script, letters = _main_script(sample)
    if script is None:
        return default
    row = _scripts()[script]
    at_home = default in row.every
    if at_home and letters < _PART_LETTERS:
        return default
    found = detect(sample)
    if found == UNDETERMINED:
        return default if at_home else UNDETERMINED
    if not at_home or found == default or _by_script(script, sample) is not None:
        return found
    shares = _shares(sample, row.every)
    return found if shares.get(found, 0.0) >= _PART_MARGIN * shares[default] else default


def _main_script(text: str) -> tuple[str | None, int]:
    """The script of most letters and how many letters of it there are; (None, 0) without a known one."""
    counts = dict.fromkeys(_scripts(), 0)
    unknown = 0
    for character, number in Counter(text).items():
        script = _script_of(character)
        if script:
            counts[script] += number
        elif script == "":
            unknown += number
    counts["Han"] *= _HAN_WEIGHT
    name = max(counts, key=lambda key: counts[key])
    # Letters of scripts outside the table (Cherokee, Tifinagh) must not lose to one Latin abbreviation.
    return (name, counts[name]) if counts[name] > unknown else (None, 0)


@lru_cache(maxsize=65536)
def _script_of(character: str) -> str | None:
    """The script of a letter, "" of one outside the table, None for what is no letter."""
    for name, row in _scripts().items():
        if row.letters.match(character):
            return name
    return "" if _LETTER.match(character) else None


def _by_script(script: str, text: str) -> str | None:
    """The language when the script, or single letters of it, decide; None when words have to."""
    row = _scripts()[script]
    if script == "Bengali":
        return "as" if _ASSAMESE_LETTERS.search(text) and _BENGALI_RA not in text else "bn"
    if script == "Han":
        kana = len(_KANA.findall(text))
        return "ja" if kana * 10 > len(row.letters.findall(text)) else "zh"
    return row.every[0] if len(row.every) == 1 else None


def _shares(text: str, languages: Sequence[str]) -> dict[str, float]:
    """The likelihood of each of `languages`, scaled so that they sum to 1."""
    known = _identify(text)
    total = sum(known.get(code, 0.0) for code in languages) or 1.0
    return {code: known.get(code, 0.0) / total for code in languages}


@lru_cache(maxsize=4)  # a document of one line is asked about as a whole and as a part
def _identify(text: str) -> Mapping[str, float]:
    """py3langid's likelihood per language; Norwegian Nynorsk counts as Norwegian."""
    ranked = {code: float(share) for code, share in _identifier().rank(text)}
    # The likelier of the two, not their sum: the sum would win short Swedish questions.
    ranked["no"] = max(ranked.get("no", 0.0), ranked.pop("nn", 0.0))
    return MappingProxyType(ranked)


@lru_cache(maxsize=1)
def _identifier():  # type: ignore[no-untyped-def]  # py3langid has no types
    # Imported here because loading the model takes 0.7 s and many texts never need it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    try:
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except OSError as error:  # it is unpacked to a temporary file
        raise WorkError(
            f"the model that tells languages cannot be unpacked in {tempfile.gettempdir()} ({error.strerror}): "
            "free some space there, or set TMPDIR to a folder with room"
        ) from error
