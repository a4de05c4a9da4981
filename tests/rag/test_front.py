"""The front door: small talk, the collection, summaries, the last answer, and front ends' own prompts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import pytest

from index.corpus import Corpus
from index.embedder import Embedder
from index.language.lexicon import languages
from index.settings import IndexSettings
from rag.answer import Turn
from rag.asking import Ask
from rag.front import FrontDoor, named_document
from rag.matching.vectors import QuestionVectors
from rag.notices import notices_in
from rag.question import analyse
from rag.reply import Reply

# Places and figures made up for these tests. The library's fire has a version in Swedish, of the same source.
FIRE = "https://news.example/library-fire"
DOCUMENTS = {
    "fire-en.txt": (
        "Fire at the Varnholt library\n\n"
        "A fire destroyed the reading room of the Varnholt library on the night of 3 March 2021. "
        "Nobody was hurt, because the building had been closed since nine in the evening. "
        "The fire brigade needed four hours and 36 firefighters to put the flames out. "
        "About 12,000 books burned, among them the town's oldest maps. "
        "Investigators found that a faulty heater in the cellar had started the fire. "
        "The council has set aside 4 million crowns for a new reading room. "
        "Until it opens, books can be borrowed in the town hall on weekdays.\n\n"
        f"Source: {FIRE}\n"
    ),
    "fire-sv.txt": (
        "Brand i biblioteket i Varnholt\n\n"
        "En brand förstörde läsesalen i biblioteket i Varnholt natten till den 3 mars 2021. "
        "Ingen skadades, eftersom byggnaden hade varit stängd sedan klockan nio på kvällen. "
        "Räddningstjänsten behövde fyra timmar och 36 brandmän för att släcka lågorna. "
        "Omkring 12 000 böcker brann upp, bland dem stadens äldsta kartor. "
        "Utredarna fann att ett trasigt element i källaren hade startat branden. "
        "Kommunen har avsatt 4 miljoner kronor till en ny läsesal. "
        "Tills den öppnar kan böcker lånas i stadshuset på vardagar.\n\n"
        f"Källa: {FIRE}\n"
    ),
    "harbour.txt": (
        "New ferries for Drumlow harbour\n\n"
        "Drumlow harbour will get three electric ferries in the spring of next year. "
        "Each of the ferries carries 180 passengers and 24 cars across the sound. "
        "A ticket for the crossing will cost 45 crowns for adults and nothing for children. "
        "The old diesel ferries are to be sold to a shipping company abroad.\n"
    ),
    "bn.txt": (
        "কেলমোর বনাঞ্চল\n\n"
        "কেলমোর একটি বনাঞ্চল যেখানে প্রতি বছর হাজার হাজার পর্যটক বেড়াতে আসেন। "
        "কেলমোরের বনরক্ষীরা গত বছর ৬০০টি গাছ লাগিয়েছেন। "
        "বনের হাসপাতালে ৩৫ জন চিকিৎসক কাজ করেন।\n"
    ),
}
QUOTE = "About 12,000 books burned, among them the town's oldest maps."


@pytest.fixture(scope="module")
def corpus(index_of: Callable[[Mapping[str, str]], IndexSettings]) -> Iterator[Corpus]:
    with Corpus.open(index_of(DOCUMENTS), manifest_expected=None) as opened:
        yield opened


@pytest.fixture(scope="module")
def door(embedder: Embedder) -> Iterator[FrontDoor]:
    vectors = QuestionVectors(embedder)
    yield FrontDoor(vectors)
    vectors.close()


@pytest.fixture(scope="module")
def say(door: FrontDoor, corpus: Corpus) -> Callable[..., Reply | None]:
    def said(text: str, *history: Turn, **options: object) -> Reply | None:
        ask = Ask(text, history=history, **options)  # type: ignore[arg-type]
        return door.reply(analyse(text), ask, corpus)

    return said


def answered(short: str = "12,000") -> list[Turn]:
    notice = notices_in("en")["answer"].format(short=short, quote=QUOTE, marker="[1]")
    return [Turn("user", "How many books burned?"), Turn("assistant", notice)]


def check_citations(reply: Reply, corpus: Corpus) -> None:
    """Every quote stands where it says, and its marker in the text."""
    assert [citation.marker for citation in reply.citations] == list(range(1, len(reply.citations) + 1))
    for citation in reply.citations:
        document = corpus.document(citation.document_id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
        assert f"[{citation.marker}]" in reply.text


# -- small talk

GREETINGS = {"en": "Hello there!", "sv": "Hejsan", "vi": "Xin chào", "hi": "नमस्ते", "bn": "নমস্কার"}
WHO = {"en": "Who are you?", "sv": "Vem är du?", "vi": "Bạn là ai?", "hi": "आप कौन हैं?", "bn": "আপনি কে?"}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("said", [GREETINGS, WHO], ids=["greeting", "identity"])
def test_small_talk_says_what_there_is_to_ask(
    say: Callable[..., Reply], said: Mapping[str, str], language: str
) -> None:
    reply = say(said[language])
    assert (reply.intent, reply.language, reply.citations) == ("smalltalk", language, ())
    assert notices_in(language)["does"] in reply.text
    assert reply.text.count("\n- ") == 3


@pytest.mark.parametrize(("said", "notice"), [("tack så mycket", "thanks"), ("hej då", "goodbye")])
def test_thanks_and_goodbye_offer_nothing(say: Callable[..., Reply], said: str, notice: str) -> None:
    assert say(said).text == notices_in("sv")[notice]


@pytest.mark.parametrize("text", ["asdfgh jkl", "?", "😀😀"])
def test_what_cannot_be_understood_is_asked_about(say: Callable[..., Reply], text: str) -> None:
    reply = say(text)
    assert reply.intent == "unclear"
    assert notices_in("en")["unclear"] in reply.text


@pytest.mark.parametrize("text", ["How many books burned?", "Kelmor", "And for children?"])
def test_questions_go_to_the_documents(say: Callable[..., Reply | None], text: str) -> None:
    assert say(text) is None


@pytest.mark.parametrize(
    ("text", "language", "cited"),
    [
        ("What is said about “কেলমোর বনাঞ্চল”?", "en", "bn.txt"),
        ("What is said about the ferries?", "en", "harbour.txt"),
        ("Berätta om färjorna i Drumlow hamn", "sv", "harbour.txt"),
        ("Cho tôi biết về vụ cháy thư viện Varnholt", "vi", "fire-en.txt"),
        ("ड्रमलो बंदरगाह की फेरी के बारे में बताइए", "hi", "harbour.txt"),
    ],
)
def test_who_wants_to_be_told_about_a_documents_subject_gets_its_summary(
    say: Callable[..., Reply], corpus: Corpus, text: str, language: str, cited: str
) -> None:
    reply = say(text)
    assert (reply.intent, reply.language) == ("summary", language)
    infos = corpus.document_infos({citation.document_id for citation in reply.citations})
    assert {info.path for info in infos.values()} == {cited}


@pytest.mark.parametrize("text", ["Tell me about the heater", "tell me about Paris"])
def test_what_stands_within_a_document_is_a_question(say: Callable[..., Reply | None], text: str) -> None:
    assert say(text) is None


# -- the collection


def test_how_many(say: Callable[..., Reply]) -> None:
    assert say("How many documents do you have?").text == (
        "Documents indexed: 4 (English 2, Bangla 1, Swedish 1)."
    )


def test_titles_are_cited_and_versions_of_one_source_listed_once(
    say: Callable[..., Reply], corpus: Corpus
) -> None:
    reply = say("vilka dokument har du?")
    assert reply.intent == "collection"
    assert [citation.language for citation in reply.citations].count("sv") == 1
    assert {c.title for c in reply.citations} >= {"Brand i biblioteket i Varnholt"}
    assert "Fire at the Varnholt library" not in reply.text
    check_citations(reply, corpus)


def test_documents_of_one_language(say: Callable[..., Reply], corpus: Corpus) -> None:
    reply = say("do you have any documents in Bengali?")
    assert reply.text.startswith("Documents in Bangla: 1.")
    assert len(reply.citations) == 1
    check_citations(reply, corpus)


def test_only_what_is_searched_is_counted(say: Callable[..., Reply]) -> None:
    assert "1" in say("How many documents do you have?", languages=["sv"]).text


# -- summaries


@pytest.mark.parametrize(
    ("text", "language", "title"),
    [
        ("summarise the fire report", "en", "Fire at the Varnholt library"),
        ("sammanfatta rapporten om branden", "sv", "Brand i biblioteket i Varnholt"),
        ("summarise the document about the ferries", "en", "New ferries for Drumlow harbour"),
    ],
)
def test_a_named_document_in_its_own_sentences(
    say: Callable[..., Reply], corpus: Corpus, text: str, language: str, title: str
) -> None:
    reply = say(text)
    assert (reply.intent, reply.language) == ("summary", language)
    assert {citation.title for citation in reply.citations} == {title}
    assert 3 <= len(reply.citations) <= 6
    assert [c.start for c in reply.citations] == sorted(c.start for c in reply.citations)
    check_citations(reply, corpus)


def test_the_document_cited_last(say: Callable[..., Reply]) -> None:
    reply = say("what is the document about?", *answered())
    assert {citation.title for citation in reply.citations} == {"Fire at the Varnholt library"}


def test_the_version_in_the_language_asked_in(say: Callable[..., Reply]) -> None:
    reply = say("sammanfatta dokumentet", *answered())
    assert {citation.language for citation in reply.citations} == {"sv"}


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("summarise the document", "summary_which"),
        ("summarise the report on Harry Potter", "summary_unnamed"),
    ],
)
def test_no_document_is_guessed(say: Callable[..., Reply], text: str, notice: str) -> None:
    reply = say(text)
    assert reply.text.startswith(notices_in("en")[notice])
    assert reply.citations == ()


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("summarise the fire report", "fire"),
        ("please summarize this document", ""),
        ("sammanfatta rapporten om hamnen i Drumlow", "hamnen Drumlow"),
        ("এই প্রতিবেদনটির সারাংশ দিন", ""),
        ("", ""),
    ],
)
def test_the_words_that_name_a_document(message: str, named: str) -> None:
    assert named_document(message) == named


# -- the last answer


def test_whether_it_is_sure_says_what_was_checked(say: Callable[..., Reply]) -> None:
    reply = say("are you sure?", *answered())
    assert reply.intent == "meta"
    assert QUOTE in reply.text
    assert "Fire at the Varnholt library" in reply.text
    assert reply.citations == ()


def test_shorter_is_the_short_answer_or_the_quote(say: Callable[..., Reply]) -> None:
    assert say("shorter please", *answered()).text == "In short: 12,000"
    quoted = [Turn("assistant", f"The source says: “{QUOTE}” [1]")]
    assert QUOTE in say("shorter please", *quoted).text


def test_repeating_leaves_the_markers_out(say: Callable[..., Reply]) -> None:
    reply = say("repeat that", *answered())
    assert QUOTE in reply.text
    assert "[1]" not in reply.text


def test_another_language_is_the_version_in_it(say: Callable[..., Reply]) -> None:
    reply = say("på svenska tack", *answered())
    assert reply.language == "sv"
    assert "Omkring 12 000 böcker brann upp, bland dem stadens äldsta kartor." in reply.text


def test_without_a_version_it_says_that_it_does_not_translate(say: Callable[..., Reply]) -> None:
    reply = say("translate that into Vietnamese", *answered())
    assert reply.text.startswith(notices_in("vi")["meta_translate"])
    assert QUOTE in reply.text


@pytest.mark.parametrize("text", ["are you sure?", "shorter", "repeat", "translate that", "source?"])
def test_before_any_answer_there_is_none(say: Callable[..., Reply], text: str) -> None:
    assert say(text).text == notices_in("en")["meta_nothing"]


# -- front ends

HISTORY = "<chat_history>\nUSER: How many books burned in the library?\nASSISTANT: 12,000\n</chat_history>"
OPEN_WEBUI = {
    "title": "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n"
    '### Output:\nJSON format: { "title": "your concise title here" }\n### Chat History:\n' + HISTORY,
    "tags": "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.\n"
    '### Output:\nJSON format: { "tags": ["tag1", "tag2", "tag3"] }\n' + HISTORY,
    "follow_ups": "### Task:\nSuggest 3-5 relevant follow-up questions or prompts that the user might ask.\n"
    '### Output:\nJSON format: { "follow_ups": ["Question 1?", "Question 2?", "Question 3?"] }\n' + HISTORY,
    "queries": "### Task:\nAnalyze the chat history to determine the necessity of generating search queries.\n"
    '### Output:\n{ "queries": ["query1", "query2"] }\n' + HISTORY,
}


@pytest.mark.parametrize("task", OPEN_WEBUI)
def test_open_webui_gets_the_json_that_it_asks_for(door: FrontDoor, corpus: Corpus, task: str) -> None:
    reply = door.host(Ask(OPEN_WEBUI[task]), corpus)
    assert reply is not None
    value = json.loads(reply.text)[task]
    if task == "title":
        assert value == "How many books burned in"
    else:
        assert value
        assert all(isinstance(each, str) for each in value)


@pytest.mark.parametrize(
    "prompt",
    [
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. Only return "
        "the title itself.\n\nConversation:\nUser: How many books burned?\nAI: 12,000",
        "Please generate a four to five word title summarizing our conversation without any lead-in, "
        "punctuation, quotation marks, periods, symbols, or additional text.",
    ],
    ids=["LibreChat", "NextChat"],
)
def test_a_title_is_the_first_words_asked(door: FrontDoor, corpus: Corpus, prompt: str) -> None:
    reply = door.host(Ask(prompt, history=tuple(answered())), corpus)
    assert reply is not None
    assert reply.text == "How many books burned"


@pytest.mark.parametrize(
    "text",
    [
        "What is the title of the report?",
        "Which tags are on the map?",
        "### Task:\nRespond to the user query using the provided context.\n<user_query>Who?</user_query>",
        "",
    ],
)
def test_what_people_say_is_no_front_end_s(door: FrontDoor, corpus: Corpus, text: str) -> None:
    assert door.host(Ask(text), corpus) is None
