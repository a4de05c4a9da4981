"""Tiny files in the formats of public data: `from public_files import write_squad, write_lines, passages, faq`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# The same two articles in three languages; an answer is marked by [brackets]. The second paragraph of the first begins
# with spaces, as some in XQuAD do.
ARTICLES: dict[str, list[list[tuple[str, list[tuple[str, str]]]]]] = {
    "en": [
        [
            (
                "The bridge to the island was opened in [1972] by the king.",
                [("b1", "When was the bridge opened?")],
            ),
            (
                "  Before that, [a small ferry] carried people over the water.",
                [("b2", "What carried people over the water?")],
            ),
        ],
        [
            (
                "The town library lends [nine thousand] books every month.",
                [("l1", "How many books does the library lend?")],
            )
        ],
    ],
    "hi": [
        [
            ("द्वीप का पुल राजा ने [1972] में खोला था।", [("b1", "पुल कब खोला गया था?")]),
            (
                " उससे पहले [एक छोटी नाव] लोगों को पानी के पार ले जाती थी।",
                [("b2", "लोगों को पानी के पार कौन ले जाता था?")],
            ),
        ],
        [("नगर का पुस्तकालय हर महीने [नौ हज़ार] पुस्तकें देता है।", [("l1", "पुस्तकालय कितनी पुस्तकें देता है?")])],
    ],
    "sv": [
        [
            (
                "Bron till ön öppnades [1972] av kungen och drottningen.",
                [("b1", "När öppnades bron till ön?")],
            ),
            (
                "Före det förde [en liten färja] människor över vattnet.",
                [("b2", "Vad förde människor över vattnet?")],
            ),
        ],
        [("", [])],
    ],
}


ANSWERS = {
    "en": {"b1": "1972", "b2": "a small ferry", "l1": "nine thousand"},
    "hi": {"b1": "1972", "b2": "एक छोटी नाव", "l1": "नौ हज़ार"},
    "sv": {"b1": "1972", "b2": "en liten färja"},
}


def write_squad(
    folder: Path, language: str, *, impossible: tuple[tuple[str, str], ...] = (), name: str = ""
) -> Path:
    """A file of ARTICLES whose first paragraph also has the `impossible` questions."""
    data = []
    for number, paragraphs in enumerate(ARTICLES[language]):
        rows: list[dict[str, Any]] = []
        for marked, questions in paragraphs:
            start, text = marked.find("["), marked[marked.find("[") + 1 : marked.find("]")]
            answers = [{"answer_start": start, "text": text}]
            qas = [{"id": id_, "question": question, "answers": answers} for id_, question in questions]
            rows.append({"context": marked.replace("[", "").replace("]", "") or None, "qas": qas})
        data.append({"title": f"Article_{number}", "paragraphs": rows})
    data[0]["paragraphs"][0]["qas"] += [  # type: ignore[index]
        {"id": id_, "question": question, "answers": [], "is_impossible": True}
        for id_, question in impossible
    ]
    path = folder / (name or f"squad.{language}.json")
    path.write_text(json.dumps({"version": "1.1", "data": data}, ensure_ascii=False), encoding="utf-8")
    return path


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def passages(id_: str, language: str, question: str, texts: list[str], *, answerable: bool) -> dict[str, Any]:
    """A line of a NoMIRACL file."""
    rows = [{"docid": f"{id_}#{n}", "text": text} for n, text in enumerate(texts)]
    return {"id": id_, "lang": language, "question": question, "answerable": answerable, "passages": rows}


RIVER = "नदी: यह नदी पहाड़ों से निकलकर समुद्र में गिरती है।"
FOREST = "वन: इस वन में बाघ और हिरण रहते हैं।"
MARKET = "बाज़ार: शहर का बाज़ार सुबह छह बजे खुलता है।"


def faq(question: str, candidates: list[str], label: int, link: str) -> dict[str, Any]:
    """A line of a SweFAQ file."""
    return {"question": question, "candidate_answers": candidates, "label": label, "meta": {"link": link}}


VISIT = "Ja. Besökstiden är mellan klockan två och fyra varje dag. Ring på klockan."
PARKING = "Parkering finns bakom huset och kostar tio kronor i timmen."
FEES = "Avgiften betalas i efterskott, senast den sista i månaden."
