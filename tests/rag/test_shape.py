"""What form an answer must have, and texts that ask several questions."""

from __future__ import annotations

import pytest

from rag.listing import list_around
from rag.question import analyse
from rag.shape import Shape, parts_of, shape_of


@pytest.mark.parametrize(
    ("language", "question", "shape"),
    [
        ("en", "Who is the director?", "words"),
        ("en", "What is the status of the bridge?", "words"),
        ("en", "Which documents are required?", "list"),
        ("en", "List all opening days", "list"),
        ("en", "Can I carry over leave days?", "yes_no"),
        ("en", "How many wards are there?", "words"),
        ("en", "Compare the two halls", "comparison"),
        ("en", "Why was it closed?", "reason"),
        ("sv", "Vilka dagar är biblioteket öppet?", "list"),
        ("sv", "Är badet öppet på söndagar?", "yes_no"),
        ("sv", "Var ligger badet?", "words"),
        ("hi", "क्या कार्यालय रविवार को खुला है?", "yes_no"),
        ("hi", "योजना का नाम क्या है?", "words"),
        ("hi", "कौन-कौन से दस्तावेज़ चाहिए?", "list"),
        ("bn", "অফিস কি রবিবার খোলা থাকে?", "yes_no"),
        ("bn", "প্রকল্পের নাম কি?", "words"),
        ("bn", "কোন কোন কাগজপত্র লাগবে?", "list"),
        ("vi", "Thư viện có mở cửa chủ nhật không?", "yes_no"),
        ("vi", "Ai là giám đốc?", "words"),
        ("vi", "Cần những giấy tờ gì?", "list"),
    ],
)
def test_the_form_follows_the_question(language: str, question: str, shape: Shape) -> None:
    assert shape_of(analyse(question, language=language)) == shape


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        pytest.param("en", "Who leads it?", 1, id="one"),
        pytest.param("en", "Who leads it? When did it open?", 2, id="two-sentences"),
        pytest.param("en", "How many wards are there and when was it founded?", 2, id="joined"),
        pytest.param("en", "How many people live in A and have jobs?", 1, id="one-question-with-and"),
        pytest.param("en", "What do adults and children pay?", 1, id="joined-nouns"),
        pytest.param("sv", "Vem är rektor och var ligger skolan?", 2, id="sv"),
        pytest.param("hi", "शुल्क कितना है और अंतिम तिथि कब है?", 2, id="hi"),
        pytest.param("bn", "ফি কত এবং শেষ তারিখ কবে?", 2, id="bn"),
        pytest.param("vi", "Có bao nhiêu phường và thành lập năm nào?", 2, id="vi"),
        pytest.param("en", "When does it open, and is there a fee?", 2, id="yes-no-behind"),
        pytest.param("sv", "När öppnar det och finns det parkering?", 2, id="sv-yes-no-behind"),
        pytest.param("hi", "शुल्क कितना है और क्या पार्किंग है?", 2, id="hi-yes-no-behind"),
        pytest.param("bn", "ফি কত এবং সেখানে কি পার্কিং আছে?", 2, id="bn-yes-no-behind"),
        pytest.param("vi", "Phí là bao nhiêu và có bãi đỗ xe không?", 2, id="vi-yes-no-behind"),
        pytest.param("en", "Which wards are dry and are without power?", 1, id="one-subject"),
        pytest.param("bn", "সকালে ও বিকেলে কি খোলা থাকে?", 1, id="bn-joined-nouns"),
        pytest.param("en", " ".join(["Who leads it?"] * 9), 1, id="too-many"),
    ],
)
def test_several_questions_are_taken_apart(language: str, text: str, parts: int) -> None:
    found = parts_of(text, language)
    assert len(found) == parts
    assert all(part in text for part in found)


@pytest.mark.parametrize(
    ("text", "sentence", "items"),
    [
        pytest.param("Bring:\n\na map\na lamp\n\nGo.", "a lamp", ["a map", "a lamp"], id="a-line"),
        pytest.param("Bring:\n\na map\na lamp\n\nGo.", "Bring:", ["a map", "a lamp"], id="what-leads-to-it"),
        pytest.param("Bring:\na map\na lamp", "a map", ["a map", "a lamp"], id="in-one-block"),
        pytest.param("It rains.\n\nGo home.", "Go home.", [], id="paragraphs"),
        pytest.param("One\n\nTwo:", "Two:", [], id="nothing-follows"),
        pytest.param("It opens at 8.\nBring a map.\nIt rains.", "Bring a map.", [], id="sentences-on-lines"),
        pytest.param("- A map.\n- A lamp.", "- A map.", ["- A map.", "- A lamp."], id="sentences-as-items"),
        pytest.param("Bring:\nA map.\nA lamp.", "A lamp.", ["A map.", "A lamp."], id="sentences-introduced"),
    ],
)
def test_the_lines_of_a_list(text: str, sentence: str, items: list[str]) -> None:
    start = text.index(sentence)
    assert [text[first:last] for first, last in list_around(text, start, start + len(sentence))] == items
