"""Answers through the front door: short, quoted word for word, cited, in the question's language, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from llama_index.core.schema import QueryBundle
from texts import HOSTILE, by_id

from index.errors import UsageError
from index.settings import IndexSettings
from rag.answer import Answer, Turn
from rag.asking import Ask
from rag.assistant import Assistant
from rag.matching.llama_index_retriever import LlamaIndexRetriever
from rag.notices import notices_in
from rag.settings import RagSettings

# Towns, museums and figures made up for these tests.
DOCUMENTS = {
    "lumen-en.txt": (
        "The Lumen Museum in Varnholt opened in 1987 and holds 4,210 paintings. "
        "In 2023 more than 310 thousand visitors came, 12 percent of them from abroad. "
        "The museum employs 85 people and has 14 guided tours a day. "
        "Its director is Ingrid Solvang.\n"
        "Source: https://museum.example/lumen\n"
    ),
    "lumen-sv.txt": (
        "Lumenmuseet i Varnholt öppnade 1987 och har 4 210 målningar. "
        "År 2023 kom drygt 310 tusen besökare, varav 12 procent från utlandet. "
        "Museet har 85 anställda och 14 guidade turer om dagen.\n"
        "Källa: https://museum.example/lumen\n"
    ),
    "ferry-hi.txt": (
        "ओस्टरमार्क की नौका सेवा हर दिन 36 यात्राएँ करती है। "
        "पिछले वर्ष नौकाओं ने 950 से अधिक ट्रक पहुँचाए। "
        "टिकट का मूल्य 45 रुपये है।\n"
        "स्रोत: https://ferry.example/ostermark\n"
    ),
    "forest-bn.txt": (
        "কেলমোর বনে গত বছর ২৭টি নতুন পাখির প্রজাতি দেখা গেছে। "
        "বনরক্ষীরা ৬০০টিরও বেশি গাছ লাগিয়েছেন এবং ১৮টি সেতু মেরামত করেছেন।\n"
        "সূত্র: https://forest.example/kelmor\n"
    ),
}


@pytest.fixture(scope="module")
def town(index_of: Callable[[Mapping[str, str]], IndexSettings]) -> Iterator[Assistant]:
    with Assistant.open(RagSettings(index=index_of(DOCUMENTS), _env_file=None)) as assistant:
        yield assistant


def check_citations(assistant: Assistant, answer: Answer) -> None:
    for number, citation in enumerate(answer.citations, start=1):
        document = assistant.corpus.document(citation.document_id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
        assert citation.source_url == document.source_url
        assert citation.marker == number
        assert answer.refused or f"[{number}]" in answer.answer


@pytest.mark.parametrize(
    ("question", "language", "short", "url"),
    [
        pytest.param("How many paintings does the Lumen Museum hold?", "en", "4,210", "museum", id="en-en"),
        pytest.param("Bảo tàng Lumen có bao nhiêu bức tranh?", "vi", "4,210", "museum", id="vi-en"),
        pytest.param("Hur många målningar har Lumenmuseet?", "sv", "4,210", "museum", id="sv-sv"),
        pytest.param("How many trucks did the ferries carry last year?", "en", "950+", "ferry", id="en-hi"),
        pytest.param("Hur många nya fågelarter sågs i Kelmor?", "sv", "27", "forest", id="sv-bn"),
        pytest.param("How many bridges were repaired in Kelmor?", "en", "18", "forest", id="en-bn"),
        pytest.param("केलमोर वन में कितने पुलों की मरम्मत हुई?", "hi", "18", "forest", id="hi-bn"),
        pytest.param(
            "What percentage of the museum's visitors came from abroad?", "en", "12%", "museum", id="share"
        ),
    ],
)
def test_unseen_documents_are_answered(
    town: Assistant, question: str, language: str, short: str, url: str
) -> None:
    answer = town.answer(Ask(question))
    assert not answer.refused
    assert answer.short_answer is not None
    assert answer.short_answer.replace(" ", ",") == short  # each version groups thousands its own way
    assert answer.language == language
    assert url in (answer.citations[0].source_url or "")
    assert answer.grounding == "verified"
    check_citations(town, answer)


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("What is the capital of France?", id="off topic"),
        pytest.param("¿Cuál es la receta de la paella?", id="off topic, spanish"),
        pytest.param("Who won the football World Cup in 2018?", id="off topic, a year"),
        pytest.param("How many paintings does the Brennick Gallery hold?", id="another place"),
    ],
)
def test_what_the_documents_do_not_hold_is_refused(town: Assistant, question: str) -> None:
    answer = town.answer(Ask(question))
    assert answer.refused
    assert answer.short_answer is None
    assert answer.grounding == "none"
    assert answer.refusal_reason in {"name", "unanswered"}
    assert "[1]" not in answer.answer
    assert answer.citations, "the nearest passages are shown"
    check_citations(town, answer)


def test_parallel_documents_count_as_one_in_the_question_language(town: Assistant) -> None:
    hits = town.look(Ask("Hur många besökare kom till Lumenmuseet?")).evidence.hits
    museum = [hit for hit in hits if hit.source_url == "https://museum.example/lumen"]
    assert {hit.document_language for hit in museum} == {"sv"}
    assert [version.language for version in museum[0].parallel] == ["en"]


def test_filters_by_language_and_document(town: Assistant) -> None:
    hits = town.search(Ask("museum", languages=("hi", "bn")))
    assert hits and {hit.language for hit in hits} <= {"hi", "bn"}
    only = hits[0].document_id
    assert {hit.document_id for hit in town.search(Ask("museum", documents=(only,)))} == {only}
    nothing = town.answer(Ask("How many paintings?", languages=("fi",)))
    assert nothing.refused and nothing.refusal_reason == "empty" and nothing.citations == ()


def test_a_follow_up_is_completed_from_the_turn_before(town: Assistant) -> None:
    history = [
        Turn("user", "How many paintings does the Lumen Museum hold?"),
        Turn("assistant", "4,210 [1]"),
    ]
    answer = town.answer(Ask("and how many people does it employ?", history=tuple(history)))
    assert answer.short_answer == "85"
    assert answer.question == "and how many people does it employ?"


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_hostile_questions_get_an_answer_or_a_clear_error(town: Assistant, text: str) -> None:
    try:
        answer = town.answer(Ask(text))
    except UsageError as error:
        assert "question" in str(error)
    else:
        check_citations(town, answer)


@pytest.mark.parametrize(
    "question", ["", "   ", "?!…", "\x00"], ids=["empty", "spaces", "punctuation", "nul"]
)
def test_an_empty_question_is_a_usage_error(town: Assistant, question: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        town.answer(Ask(question))


def test_a_huge_question_is_a_usage_error(town: Assistant) -> None:
    with pytest.raises(UsageError, match="RAG_MAX_QUESTION_CHARS"):
        town.answer(Ask("how many " * 200_000))


def test_the_retriever_is_a_llama_index_retriever(town: Assistant) -> None:
    retriever = LlamaIndexRetriever(town.corpus, town.embedder, top_k=3)
    nodes = retriever.retrieve(QueryBundle("How many paintings does the museum hold?"))
    assert 1 <= len(nodes) <= 3
    best = nodes[0].node
    document = town.corpus.document(best.metadata["document_id"])
    assert document is not None
    assert document.text[best.start_char_idx : best.end_char_idx] == best.get_content()


@pytest.mark.parametrize("language", ["en", "bn", "hi", "sv", "vi"])
def test_refusals_are_in_the_language_of_the_question(town: Assistant, language: str) -> None:
    questions = {
        "en": "What is the boiling point of mercury?",
        "bn": "পারদের স্ফুটনাঙ্ক কত ডিগ্রি?",
        "hi": "पारे का क्वथनांक कितने डिग्री है?",
        "sv": "Vilken kokpunkt har kvicksilver?",
        "vi": "Nhiệt độ sôi của thủy ngân là bao nhiêu độ?",
    }
    answer = town.answer(Ask(questions[language]))
    notices = notices_in(language)
    assert answer.refused
    openings = [notices[key].split("{")[0] for key in ("refusal", "refusal_name", "refusal_number")]
    assert any(answer.answer.startswith(opening) for opening in openings)
