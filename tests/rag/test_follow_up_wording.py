"""How a follow-up is told, and how it reads once it is completed from what was said before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from index.language.lexicon import languages, lexicon
from rag.answer import Turn
from rag.conversation import meant
from rag.question import analyse


@pytest.mark.parametrize(
    ("turns", "shown"),
    [
        pytest.param(
            ["How many pupils are there in Varnholt?", "And in Drumlow?"],
            "How many pupils are there in Drumlow?",
            id="en-name-put-in",
        ),
        pytest.param(
            ["Hur många lärare finns det i Tallberga?", "Och i Granliden?"],
            "Hur många lärare finns det i Granliden?",
            id="sv-name-put-in",
        ),
        pytest.param(
            ["Sơn Thủy có bao nhiêu trạm y tế?", "Còn Lộc Xuyên?"],
            "Lộc Xuyên có bao nhiêu trạm y tế?",
            id="vi-name-put-in",
        ),
        pytest.param(
            ["কেলমোরে কতগুলি গ্রন্থাগার আছে?", "আর বিনোদগঞ্জে?"], "বিনোদগঞ্জে কতগুলি গ্রন্থাগার আছে?", id="bn-name-put-in"
        ),
        pytest.param(
            ["ओस्टरमार्क में कितने पुस्तकालय हैं?", "और सुंदरपुरी में?"],
            "सुंदरपुरी में कितने पुस्तकालय हैं?",
            id="hi-name-put-in",
        ),
        pytest.param(
            ["How many ships called at Varnholt in 2021?", "And in 2022?"],
            "How many ships called at Varnholt in 2022?",
            id="year-put-in",
        ),
        pytest.param(
            ["How many ships called at Varnholt?", "And in 2022?"],
            "How many ships called at Varnholt in 2022?",
            id="year-added",
        ),
        pytest.param(
            ["Who led Drumlow in 2019 and Varnholt in 2019?", "And in 2022?"],
            "Who led Drumlow in 2019 and Varnholt in 2019 in 2022?",
            id="two-years-are-not-guessed",
        ),
        pytest.param(
            ["How many schools does Drumlow have?", "and who is its mayor?"],
            "About Drumlow: who is its mayor?",
            id="about-the-name",
        ),
        pytest.param(
            ["कितने स्कूल ओस्टरमार्क में हैं?", "वहाँ कितने शिक्षक हैं?"],
            "“कितने स्कूल ओस्टरमार्क में हैं” के बारे में: वहाँ कितने शिक्षक हैं?",
            id="about-the-question",
        ),
        pytest.param(
            ["How many schools does Drumlow have?", "And Varnholt?", "Who is its mayor?"],
            "About Varnholt: who is its mayor?",
            id="the-name-put-in-is-the-topic-after-it",
        ),
        pytest.param(
            ["कितने स्कूल ओस्टरमार्क में हैं?", "वहाँ कितने शिक्षक हैं?", "और उन्हें कितना वेतन मिलता है?"],
            "“कितने स्कूल ओस्टरमार्क में हैं” के बारे में: उन्हें कितना वेतन मिलता है?",
            id="quoted-once",
        ),
        pytest.param(
            ["How many schools does Drumlow have?", "Why?"],
            "About “How many schools does Drumlow have”: why?",
            id="only-asks",
        ),
    ],
)
def test_the_completed_question_reads_as_one(turns: list[str], shown: str) -> None:
    history = [Turn("user", text) for text in turns[:-1]]
    found = meant(analyse(turns[-1]), history)
    assert (found.completed or (found.asked,))[0].text == shown


@pytest.mark.parametrize(
    ("question", "before", "language"),
    [
        pytest.param(
            "Och i Granliden?", "Hur många lärare finns det i Tallberga?", "sv", id="taken-for-polish"
        ),
        pytest.param(
            "Vem sa det?", "Hur många lärare finns det i Tallberga?", "sv", id="taken-for-norwegian"
        ),
        pytest.param("Was?", "Wie viele Schulen hat Drumlow?", "en", id="a-word-of-english"),
        pytest.param("Und dort?", "How many schools does Drumlow have?", "de", id="no-word-of-any-table"),
    ],
)
def test_a_fragment_is_in_the_language_whose_words_it_uses(question: str, before: str, language: str) -> None:
    asked = meant(replace(analyse(question), language="de"), [Turn("user", before)]).asked
    assert asked.language == language


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        pytest.param("And how many tasks did it finish?", "surely", id="opening-and-pronoun"),
        pytest.param("Why?", "surely", id="fragment"),
        pytest.param("And who leads Drumlow?", "likely", id="opening-and-name"),
        pytest.param("Hur många anställda hade det bruket förra året?", "likely", id="perhaps-an-article"),
        pytest.param("How many visitors came last year?", "perhaps", id="no-name"),
        pytest.param("How many visitors came to Drumlow?", "no", id="name"),
        pytest.param("How many schools are there in Drumlow?", "no", id="there-is-no-place"),
        pytest.param("Hur många skolor finns det i Drumlow?", "no", id="det-is-no-thing"),
        pytest.param("Android phones are sold where in Drumlow?", "no", id="and-is-no-word-of-android"),
        pytest.param("ai kết luận cuộc họp đó?", "surely", id="vi"),
        pytest.param("আর শিক্ষক কতজন?", "surely", id="bn"),
        pytest.param("उसके अस्पताल में कितने चिकित्सक हैं?", "surely", id="hi"),
    ],
)
def test_leaning(question: str, expected: str) -> None:
    assert meant(analyse(question), ()).leans == expected


@pytest.mark.parametrize("language", languages())
def test_every_table_says_how_questions_lean(language: str) -> None:
    table = lexicon(language)
    for kind in ("opening", "closing", "pointing", "asking"):
        words = table.conversation[kind]
        assert words
        assert len(set(words)) == len(words)
    assert table.completed["about"].format(topic="T", question="Q").count("T") == 1
    assert {"Q", "M"} <= set(table.completed["added"].format(question="Q", more="M"))
