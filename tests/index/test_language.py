"""The language of texts and of the parts of a mixed document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.language.detection import detect, detect_per_part

QUESTIONS = [
    ("en", "How many open datasets did Can Tho publish?"),
    ("en", "and in Tay Ninh?"),
    ("en", "HOW MANY TASKS ARE DONE?"),
    ("sv", "Hur många öppna dataset publicerade Can Tho?"),
    ("sv", "Vem ledde mötet i Bac Ninh?"),
    ("vi", "Can Tho đã công bố bao nhiêu bộ dữ liệu mở?"),
    ("vi", "can tho da cong bo bao nhieu bo du lieu mo"),
    ("bn", "ক্যান থো কতটি উন্মুক্ত ডেটা সেট প্রকাশ করেছে?"),
    ("as", "কেন থোৱে কিমান মুকলি ডাটাছেট প্ৰকাশ কৰিছে?"),
    ("hi", "कैन थो ने कितने खुले डेटासेट प्रकाशित किए?"),
    ("mr", "ही बैठक कधी झाली आणि कोणी अध्यक्षता केली?"),
    ("ne", "बैठक कहिले भयो र कसले अध्यक्षता गर्‍यो?"),
    ("de", "Wie viele Datensätze hat Can Tho veröffentlicht?"),
    ("fr", "Combien de jeux de données Can Tho a-t-elle publiés ?"),
    ("es", "¿Cuántos conjuntos de datos publicó Can Tho?"),
    ("no", "Hvor mange åpne datasett publiserte Can Tho?"),
    ("da", "Hvor mange åbne datasæt offentliggjorde Can Tho?"),
    ("ar", "كم عدد مجموعات البيانات المفتوحة التي نشرتها كان ثو؟"),
    ("fa", "کن تو چند مجموعه داده باز منتشر کرد؟"),
    ("ru", "Сколько открытых наборов данных опубликовал Кантхо?"),
    ("uk", "Скільки відкритих наборів даних опублікував Кантхо?"),
    ("zh", "芹苴市公布了多少开放数据集？"),
    ("zh", "Can Tho 公布了多少数据集？"),
    ("ja", "カントー市はいくつのデータを公開しましたか？"),
    ("ko", "껀터는 몇 개의 데이터를 공개했습니까?"),
    ("th", "เกิ่นเทอเผยแพร่ชุดข้อมูลเปิดกี่ชุด"),
    ("ta", "கான் தோ எத்தனை தரவுத் தொகுப்புகளை வெளியிட்டது?"),
]


@pytest.mark.parametrize(
    ("language", "question"), [pytest.param(*q, id=f"{q[0]}-{i}") for i, q in enumerate(QUESTIONS)]
)
def test_a_question_tells_its_language(language: str, question: str) -> None:
    assert detect(question) == language


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("540 + 3/4 ২০২৫", id="digits"),
        pytest.param("😀 …!", id="symbols"),
        pytest.param("Can Tho", id="lone-name"),
        pytest.param("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ OK", id="script-outside-the-table"),
    ],
)
def test_undetermined(text: str) -> None:
    assert detect(text) == "und"


def test_most_of_the_text_decides() -> None:
    assert detect("ক্যান থো শহর ৫৪০টি ডেটা সেট প্রকাশ করেছে (OCOP, AI)।") == "bn"
    assert detect("What does the Bengali word ডেটা mean in this sentence?") == "en"


def test_a_long_text_may_be_in_a_rare_language() -> None:
    text = (
        "Serikali ilitangaza kwamba mradi mpya wa maji utaanza mwezi ujao katika mikoa mitano ya nchi. "
        "Waziri alisema wananchi wengi watanufaika na huduma hiyo."
    )
    assert detect(text) == "sw"


def test_parts_of_a_mixed_document() -> None:
    parts = [
        "Stadsfullmäktige antog planen efter en lång debatt om kostnaderna för den nya bron.",
        "The city council adopted the plan after a long debate about the cost of the new bridge.",
        "Can Tho",
        "",
        "ডেটা সেট",
        "Nej, tack.",
    ]
    assert detect_per_part(parts, "sv") == ["sv", "en", "sv", "sv", "bn", "sv"]


def test_a_close_relative_does_not_steal_a_part() -> None:
    parts = ["दोनों पक्षों ने सहयोग पर सहमति व्यक्त की और बैठक समाप्त हुई।", "बैठक समाप्त।"]
    assert detect_per_part(parts, "hi") == ["hi", "hi"]
    assert detect_per_part(["Møtet var nyttig og alle var enige om det videre arbeidet."], "no") == ["no"]


def test_no_parts() -> None:
    assert detect_per_part([], "en") == []


SHORT = [
    ("hi", "नमस्ते"),
    ("hi", "कब"),
    ("en", "fees"),
    ("sv", "Vem?"),
    ("vi", "bao nhieu nguoi"),
    ("vi", "khi nao khoi cong?"),
    ("hi", "kitne log aaye the"),
    ("hi", "baithak kab hui?"),
    ("bn", "koto taka khoroch hoyeche"),
    ("bn", "mela kothay hobe?"),
    ("mr", "बैठक कुठे आणि कधी आहे?"),
    ("de", "Wie viele Brücken wurden gebaut?"),
    ("es", "¿Cuántos puentes hay?"),
]


@pytest.mark.parametrize(("language", "text"), [pytest.param(*s, id=f"{s[0]}-{s[1]}") for s in SHORT])
def test_a_few_words_tell_a_language_with_a_table(language: str, text: str) -> None:
    assert detect(text) == language


def test_what_is_expected_decides_where_nothing_else_does() -> None:
    assert detect("Can Tho", expected=("vi",)) == "vi"
    assert detect("Can Tho", expected=("bn", "sv")) == "sv"
    assert detect("Wie viele Brücken wurden gebaut?", expected=("sv",)) == "de"
    assert detect("কত?", expected=("en",)) == "bn"


def test_the_languages_of_the_documents_are_likelier() -> None:
    assert detect("Onde fica?", among=("pt",)) == "pt"


@given(st.text(max_size=60), st.lists(st.sampled_from(["en", "bn", "vi", "zh", "xx"])))
def test_any_text_has_a_language(text: str, expected: list[str]) -> None:
    assert detect(text, among=expected, expected=expected)
