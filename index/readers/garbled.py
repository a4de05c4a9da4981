"""How much of a text cannot be right in any language: the sign of a PDF without a usable text layer.

Indic scripts write a syllable as consonants, then vowel sign, then nasal or aspirate sign. A PDF whose font
has no way back to Unicode, or whose text was stored in visual order, breaks that order at once: vowel signs
open words, follow one another, carry viramas. Correct text does not, whatever it says, so that one small
threshold serves every language. The properties come from the Unicode Character Database
(Indic_Syllabic_Category), by way of `regex`; no script has a table of its own here.
"""

from __future__ import annotations

import regex

# The scripts with the order above. Thai, Lao, Khmer, Burmese and Tibetan stack several vowel signs rightly.
_INDIC = (
    r"[\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}"
    r"\p{Sinhala}]"
)
_VOWEL = rf"[{_INDIC}&&\p{{InSC=Vowel_Dependent}}]"
# Malayalam writes the short u of word ends as a vowel sign with a virama (U+0D4D), so its virama is left out.
_VIRAMA = rf"[[{_INDIC}&&\p{{InSC=Virama}}]--[\u0D4D]]"
_NUKTA = rf"[{_INDIC}&&\p{{InSC=Nukta}}]"
_FINAL = rf"[{_INDIC}&&[\p{{InSC=Bindu}}\p{{InSC=Visarga}}]&&\p{{M}}]"

# Variation selectors and the keycap are marks by category and follow symbols by design.
_MARK = r"[\p{M}--[\uFE00-\uFE0F\U000E0100-\U000E01EF\u20E3]]"

_IMPOSSIBLE = regex.compile(
    "|".join(
        (
            # A mark with no letter before it: at the start of a word. Joiners may stand between the two. A
            # mark on a dotted circle is a lone mark too, drawn by what made the file.
            rf"(?:(?<![^\s\p{{P}}\u25CC])|(?<=[\s\p{{P}}\u25CC][\u200C\u200D])){_MARK}",
            rf"(?<={_VOWEL}[\u200C\u200D]?){_VOWEL}",
            rf"(?<={_VOWEL}){_VIRAMA}",
            rf"(?<={_VIRAMA}){_VIRAMA}",
            rf"(?<=[{_VIRAMA}{_FINAL}]){_VOWEL}",
            rf"(?<=[{_VIRAMA}{_VOWEL}{_FINAL}]){_NUKTA}",
            # What decoders write where they know no character: replacement, private use, controls,
            # surrogates.
            r"[\uFFFD\p{Co}\p{Cs}]|[\p{Cc}--[\n\t\r]]",
            # Glyph numbers and names in place of text, as PDF libraries print them.
            r"\(cid:\d+\)",
            r"(?:/(?:g|gid|glyph|cid|uni)[0-9A-F]{1,6}){3,}",
            # Signs inside words: fonts older than Unicode (Bijoy's `‡Kv†`), and UTF-8 read as Latin-1.
            r"(?<=\p{L})[†‡ˆ‰‹›¤¦¨©¬®¯±²³´µ¶¸¹º¼½¾¿]+(?=\p{L})",
        )
    ),
    regex.V1,
)
_LETTER = regex.compile(r"[\p{L}\p{M}]")


def garbled_share(text: str) -> float:
    """The share of impossible characters among letters, marks and themselves, in [0, 1]; 0 for no text at
    all.

    Counted as impossible: replacement, private-use and control characters; combining marks that open a word;
    in Indic scripts two vowel signs in a row, a virama or nukta after a vowel sign, a vowel sign after a
    virama or a nasal sign; glyph numbers such as `(cid:123)`, each as one; signs inside words. Correct text
    of every script gives practically 0; a broken Indic text layer 0.05 and more.
    """
    bad = sum(1 for _ in _IMPOSSIBLE.finditer(text))
    if not bad:
        return 0.0
    rest = _IMPOSSIBLE.sub("", text)
    return bad / (bad + len(_LETTER.findall(rest)))
