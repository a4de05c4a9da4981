"""Texts in many scripts and texts that mean harm: `from texts import MULTI_SCRIPT, HOSTILE, by_id`."""

from __future__ import annotations

import pytest

MULTI_SCRIPT: dict[str, str] = {
    "english": "How many bridges were repaired last year?",
    "bengali": "গত বছর কতগুলি সেতু মেরামত করা হয়েছে?",
    "hindi": "पिछले वर्ष कितने पुलों की मरम्मत की गई?",
    "swedish": "Hur många broar reparerades förra året på Öland?",
    "vietnamese": "Năm ngoái có bao nhiêu cây cầu ở Đà Nẵng được sửa chữa?",
    "chinese": "去年修复了多少座桥?",
    "japanese": "昨年、橋はいくつ修理されましたか。",
    "thai": "ปีที่แล้วซ่อมสะพานกี่แห่ง",
    "arabic": "كم عدد الجسور التي تم إصلاحها العام الماضي؟",
    "hebrew": "כמה גשרים תוקנו בשנה שעברה?",
    "russian": "Сколько мостов отремонтировали в прошлом году?",
    "greek": "Πόσες γέφυρες επισκευάστηκαν πέρυσι;",
    "tamil": "கடந்த ஆண்டு எத்தனை பாலங்கள் பழுதுபார்க்கப்பட்டன?",
    "mixed": "Đà Nẵng में কতগুলি broar, 2024?",
}
"""The same short question in many scripts, by language."""

HOSTILE: dict[str, str] = {
    "script": "<script>alert(1)</script>",
    "image_handler": '<img src=x onerror="alert(1)">',
    "attribute_break": "\"><svg onload=alert(1)> ' onmouseover='alert(1)",
    "markdown_image": "![pixel](https://tracker.example/p.png?q=1)",
    "markdown_link": "[read more](javascript:alert(1))",
    "html_entity": "&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp;",
    "comment": "<!-- --><style>body{display:none}</style>",
    "format_braces": "{short} {0} {quote.__class__} %s %(x)s $x",
    "latex": "$$\\href{javascript:alert(1)}{x}$$",
    "sql": "'; DROP TABLE documents; --",
    "full_text_syntax": 'NEAR("a" "b", 2) OR * AND NOT ^x:',
    "nul_and_controls": "a\x00b\x07c\x1b[31md",
    "bidi_override": "safe\u202egnp.exe\u202c",
    "zero_width": "wo\u200brd\u200d \ufeffword\u2060",
    "combining_pile": "Z" + "\u0301" * 200,
    "astral_emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "noncharacters": "a\ufffeb\uffffc",
    "whitespace_only": " \t\n\u00a0\u3000",
    "punctuation_only": "?!… — ,.;",
    "newlines": "line one\r\nline two\u2028line three",
    "one_long_word": "x" * 1500,
}
"""Strings that break careless code, by what they try."""


def by_id(texts: dict[str, str]) -> list[object]:
    """The texts as pytest parameters with readable ids."""
    return [pytest.param(text, id=name) for name, text in texts.items()]
