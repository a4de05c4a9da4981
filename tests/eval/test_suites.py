"""Public data as suites: what becomes of tiny files in the formats of SQuAD, NoMIRACL and SweFAQ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eval import suites
from eval.records import Task
from eval.squad import NO_TEXT, NOT_THERE
from eval.suites import UNPLACED, Suite
from index.corpus import Corpus
from index.errors import UsageError
from index.settings import IndexSettings
from index.types import Document

if TYPE_CHECKING:
    from index.embedder import SentenceTransformerEmbedder

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


class Counting:
    """The bundled model, which also counts what it embeds."""

    def __init__(self, embedder: SentenceTransformerEmbedder) -> None:
        self._embedder = embedder
        self.passages = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_passages(self, texts: list[str], **options: Any) -> Any:
        """Count and embed."""
        self.passages += len(texts)
        return self._embedder.embed_passages(texts, **options)


@pytest.fixture
def options(tmp_path: Path, embedder: SentenceTransformerEmbedder, model_dir: Path) -> dict[str, Any]:
    """What every suite is made with."""
    settings = IndexSettings(data_dir=model_dir.parent, _env_file=None)
    return {"work": tmp_path / "work", "embedder": Counting(embedder), "settings": settings}


def documents_of(suite: Suite) -> dict[str, Document]:
    """The indexed documents of a suite by id."""
    with Corpus.open(suite.index_settings, manifest_expected=None) as corpus:
        found = [corpus.document(info.id) for info in corpus.documents()]
    return {document.id: document for document in found if document is not None}


def words_at(suite: Suite, task: Task) -> dict[str, str]:
    """What the documents say at the places of a task, by language."""
    documents = documents_of(suite)
    return {p.language: documents[p.document_id].text[p.start : p.end] for p in task.places}


def by_id(suite: Suite) -> dict[str, Task]:
    return {task.id: task for task in suite.tasks}


class TestPairs:
    @pytest.fixture
    def found(self, tmp_path: Path, options: dict[str, Any]) -> list[Suite]:
        files = [write_squad(tmp_path, language) for language in ARTICLES]
        return list(suites.squad_suites(files, files, **options))

    def test_every_question_file_is_asked_of_every_context_file(self, found: list[Suite]) -> None:
        wanted = [
            {f"{id_}.{asked}.{over}" for asked in ARTICLES for id_ in ANSWERS[over] if id_ in ANSWERS[asked]}
            for over in ARTICLES
        ]
        assert [set(by_id(suite)) for suite in found] == wanted

    def test_the_place_is_the_answer_in_the_language_of_the_documents(self, found: list[Suite]) -> None:
        for over, suite in zip(ARTICLES, found, strict=True):
            for task in suite.tasks:
                assert words_at(suite, task) == {over: ANSWERS[over][task.group]}, task.id

    def test_the_answer_may_be_in_either_language(self, found: list[Suite]) -> None:
        task = by_id(found[1])["b2.en.hi"]
        assert (task.language, task.question) == ("en", "What carried people over the water?")
        assert task.expected == ("एक छोटी नाव", "a small ferry")
        assert task.tags == ("pair", "en->hi")

    def test_paragraphs_without_text_are_counted(self, found: list[Suite]) -> None:
        assert [suite.left_out for suite in found] == [{}, {}, {NO_TEXT: 1}]

    def test_files_are_named_with_their_hashes(self, found: list[Suite], tmp_path: Path) -> None:
        hashes = found[0].data_hashes
        assert set(hashes) == {f"squad.{language}.json" for language in ARTICLES}
        assert all(len(value) == 64 for value in hashes.values())


def test_every_pair_asks_the_same_sample(tmp_path: Path, options: dict[str, Any]) -> None:
    files = [write_squad(tmp_path, language) for language in ARTICLES]
    found = list(suites.squad_suites(files, files, **options, limit=2, seed=3))
    # b1 and b2 are what all three files hold.
    assert {(suite.title, task.group) for suite in found for task in suite.tasks} == {
        (suite.title, id_) for suite in found for id_ in ("b1", "b2")
    }
    assert sum(len(suite.tasks) for suite in found) == 3 * 3 * 2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_sample_is_the_same_whatever_the_order(seed: int) -> None:
    ids = [f"q{n}" for n in range(50)]
    forwards = suites.sample({"a": ids, "b": ids[:40]}, limit=10, seed=seed)
    backwards = suites.sample({"b": ids[:40][::-1], "a": ids[::-1]}, limit=10, seed=seed)
    assert forwards == backwards
    assert forwards["a"] == forwards["b"]
    assert len(set(forwards["a"])) == 10


def test_another_seed_draws_another_sample() -> None:
    ids = [f"q{n}" for n in range(50)]
    drawn = {suites.sample({"a": ids}, limit=10, seed=seed)["a"] for seed in range(5)}
    assert len(drawn) == 5


def test_impossible_questions_must_be_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    file = write_squad(tmp_path, "sv", impossible=(("x1", "Vem målade bron röd?"),))
    (suite,) = suites.squad_suites([file], [file], **options)
    task = by_id(suite)["x1.sv.sv"]
    assert (task.stratum, task.must_refuse, task.places, task.expected) == ("unanswered", True, (), ())
    assert sum(task.stratum == "answerable" for task in suite.tasks) == 2


def test_one_index_holds_every_language(tmp_path: Path, options: dict[str, Any]) -> None:
    files = [write_squad(tmp_path, language) for language in ARTICLES]
    suite = suites.squad_pool(files, files[:1], **options)
    assert {task.id: words_at(suite, task) for task in suite.tasks} == {
        f"{id_}.en": {over: ANSWERS[over][id_] for over in ARTICLES if id_ in ANSWERS[over]}
        for id_ in ANSWERS["en"]
    }
    assert by_id(suite)["b2.en"].expected == ("a small ferry", "एक छोटी नाव", "en liten färja")
    assert all(document.source_url is None for document in documents_of(suite).values())
    assert len(documents_of(suite)) == 2 + 2 + 1


def test_a_question_is_impossible_in_one_index_when_no_file_answers_it(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    english = write_squad(tmp_path, "en", impossible=(("b9", "Who painted the bridge red?"),))
    swedish = write_squad(
        tmp_path, "sv", impossible=(("b9", "Vem målade bron röd?"), ("l1", "Hur många böcker lånas ut?"))
    )
    suite = suites.squad_pool([english, swedish], [swedish], **options)
    assert {task.id: task.stratum for task in suite.tasks} == {
        "b1.sv": "answerable",
        "b2.sv": "answerable",
        "b9.sv": "unanswered",
        "l1.sv": "answerable",  # the English file answers it
    }


def test_wrong_offsets_are_mended_and_lost_answers_counted(tmp_path: Path, options: dict[str, Any]) -> None:
    file = write_squad(tmp_path, "en")
    content = json.loads(file.read_text("utf-8"))
    first, second = content["data"][0]["paragraphs"]
    first["qas"][0]["answers"][0]["answer_start"] += 5
    second["qas"][0]["answers"][0]["text"] = "a rowing boat"
    file.write_text(json.dumps(content), encoding="utf-8")
    (suite,) = suites.squad_suites([file], [file], **options)
    assert {task.group: words_at(suite, task)["en"] for task in suite.tasks} == {
        "b1": "1972",
        "l1": "nine thousand",
    }
    assert suite.left_out == {NOT_THERE: 1}


def passages(id_: str, language: str, question: str, texts: list[str], *, answerable: bool) -> dict[str, Any]:
    """A line of a NoMIRACL file."""
    rows = [{"docid": f"{id_}#{n}", "text": text} for n, text in enumerate(texts)]
    return {"id": id_, "lang": language, "question": question, "answerable": answerable, "passages": rows}


RIVER = "नदी: यह नदी पहाड़ों से निकलकर समुद्र में गिरती है।"
FOREST = "वन: इस वन में बाघ और हिरण रहते हैं।"
MARKET = "बाज़ार: शहर का बाज़ार सुबह छह बजे खुलता है।"


def test_each_question_looks_into_its_own_passages(tmp_path: Path, options: dict[str, Any]) -> None:
    relevant = passages("1#0", "hi", "नदी कहाँ गिरती है?", [RIVER, FOREST], answerable=True)
    other = passages("2#0", "hi", "चंद्रमा कितनी दूर है?", [FOREST, MARKET], answerable=False)
    files = [write_lines(tmp_path / f"{n}.jsonl", [row]) for n, row in enumerate((relevant, other))]
    suite = suites.nomiracl_suite(files, **options)
    documents = documents_of(suite)
    tasks = by_id(suite)
    # The forest is one document, although two questions have it.
    assert len(documents) == 3
    looked_into = {id_: [documents[d].text for d in task.documents or ()] for id_, task in tasks.items()}
    assert looked_into == {"1#0.hi": [RIVER, FOREST], "2#0.hi": [FOREST, MARKET]}
    assert [(task.stratum, len(task.places)) for task in suite.tasks] == [
        ("answerable", 2),
        ("unanswered", 0),
    ]
    assert [(p.start, p.end) for p in tasks["1#0.hi"].places] == [(0, len(RIVER)), (0, len(FOREST))]
    assert suite.left_out == {}


def test_a_smaller_limit_leaves_no_passage_behind(tmp_path: Path, options: dict[str, Any]) -> None:
    rows = [
        passages("1", "hi", "नदी कहाँ गिरती है?", [RIVER], answerable=True),
        passages("2", "hi", "बाज़ार कब खुलता है?", [MARKET], answerable=True),
    ]
    file = write_lines(tmp_path / "relevant.jsonl", rows)
    assert len(documents_of(suites.nomiracl_suite([file], **options))) == 2
    assert len(documents_of(suites.nomiracl_suite([file], **options, limit=1))) == 1


VISIT = "Ja. Besökstiden är mellan klockan två och fyra varje dag. Ring på klockan."
PARKING = "Parkering finns bakom huset och kostar tio kronor i timmen."
FEES = "Avgiften betalas i efterskott, senast den sista i månaden."


def faq(question: str, candidates: list[str], label: int, link: str) -> dict[str, Any]:
    """A line of a SweFAQ file."""
    return {"question": question, "candidate_answers": candidates, "label": label, "meta": {"link": link}}


def test_each_page_is_a_document_of_its_answers(tmp_path: Path, options: dict[str, Any]) -> None:
    hospital, town = "https://hospital.example/faq", "https://town.example/faq"
    rows = [
        faq("Får jag besöka en patient?", [PARKING, VISIT], 1, hospital),
        faq("Var kan jag parkera?", [VISIT, PARKING], 1, hospital),
        faq("När ska avgiften betalas?", [FEES], 0, town),
    ]
    suite = suites.swefaq_suite(write_lines(tmp_path / "faq.jsonl", rows), **options)
    documents = documents_of(suite)
    assert {document.source_url: document.text for document in documents.values()} == {
        hospital: f"{PARKING}\n\n{VISIT}",
        town: FEES,
    }
    assert [words_at(suite, task) for task in suite.tasks] == [{"sv": VISIT}, {"sv": PARKING}, {"sv": FEES}]
    # "Ja." alone would stand in many a wrong answer.
    assert [task.expected for task in suite.tasks] == [
        ("Ja. Besökstiden är mellan klockan två och fyra varje dag.",),
        (PARKING,),
        (FEES,),
    ]
    assert {task.language for task in suite.tasks} == {"sv"}
    assert {task.tags for task in suite.tasks} == {("explanation",)}


Make = Callable[[Path, dict[str, Any]], list[Suite]]


def _pairs(folder: Path, options: dict[str, Any]) -> list[Suite]:
    file = write_squad(folder, "en")
    return list(suites.squad_suites([file], [file], **options))


def _pool(folder: Path, options: dict[str, Any]) -> list[Suite]:
    files = [write_squad(folder, language) for language in ("en", "hi")]
    return [suites.squad_pool(files, files, **options)]


def _nomiracl(folder: Path, options: dict[str, Any]) -> list[Suite]:
    row = passages("1", "hi", "नदी कहाँ गिरती है?", [RIVER, FOREST], answerable=True)
    return [suites.nomiracl_suite([write_lines(folder / "relevant.jsonl", [row])], **options)]


def _swefaq(folder: Path, options: dict[str, Any]) -> list[Suite]:
    row = faq("Var kan jag parkera?", [VISIT, PARKING], 1, "https://hospital.example/faq")
    return [suites.swefaq_suite(write_lines(folder / "faq.jsonl", [row]), **options)]


EVERY_SUITE = [
    pytest.param(_pairs, id="pairs"),
    pytest.param(_pool, id="pool"),
    pytest.param(_nomiracl, id="nomiracl"),
    pytest.param(_swefaq, id="swefaq"),
]


@pytest.mark.parametrize("make", EVERY_SUITE)
def test_a_second_call_embeds_nothing(make: Make, tmp_path: Path, options: dict[str, Any]) -> None:
    first = make(tmp_path, options)
    embedded = options["embedder"].passages
    assert embedded
    assert make(tmp_path, options) == first
    assert options["embedder"].passages == embedded


@pytest.mark.parametrize("make", EVERY_SUITE)
def test_progress_is_reported(make: Make, tmp_path: Path, options: dict[str, Any]) -> None:
    seen: list[tuple[str, int, int]] = []
    make(tmp_path, options | {"progress": lambda *step: seen.append(step)})
    what, done, total = seen[-1]
    assert what.startswith("indexing ")
    assert done == total > 0


@pytest.mark.parametrize("make", EVERY_SUITE)
def test_a_limit_below_one_is_refused(make: Make, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the limit must be at least 1 question, not 0"):
        make(tmp_path, options | {"limit": 0})


SQUAD = '{"data": [{"paragraphs": [%s]}]}'
FAQ = faq("Var kan jag parkera?", [VISIT, PARKING], 1, "https://hospital.example/faq")
PASSAGES = passages("1", "hi", "नदी कहाँ गिरती है?", [RIVER], answerable=True)


def _squad_of(path: Path, options: dict[str, Any]) -> object:
    return suites.squad_suites([path], [path], **options)


def _pool_of(path: Path, options: dict[str, Any]) -> object:
    return suites.squad_pool([path], [path], **options)


def _nomiracl_of(path: Path, options: dict[str, Any]) -> object:
    return suites.nomiracl_suite([path], **options)


def _swefaq_of(path: Path, options: dict[str, Any]) -> object:
    return suites.swefaq_suite(path, **options)


def _bad_files() -> Iterator[Any]:
    for make, name in ((_squad_of, "pairs"), (_pool_of, "pool")):
        for content, message, case in (
            (None, "cannot be read", "missing"),
            ("", "is not a SQuAD-format file", "empty"),
            ("[1]", "is not a SQuAD-format file", "a list"),
            ('{"data": {}}', '"data" is not a list', "data no list"),
            ('{"data": []}', "holds no questions", "no article"),
            ('{"data": [{"title": "x"}]}', "article 1: 'paragraphs' is missing", "no paragraphs"),
            (SQUAD % '{"context": "a b"}', "article 1: 'qas' is missing", "no questions"),
            (
                SQUAD % '{"context": null, "qas": [{"id": "1", "question": "Why?", "answers": []}]}',
                "holds no paragraph with a question",
                "no context",
            ),
            ("\udcff", "is not a SQuAD-format file", "not UTF-8"),
        ):
            yield pytest.param(make, content, message, id=f"{name} {case}")
    for make, name, row in ((_nomiracl_of, "NoMIRACL", PASSAGES), (_swefaq_of, "SweFAQ", FAQ)):
        good = json.dumps(row)
        for content, message, case in (
            (None, "cannot be read", "missing"),
            ("\n", "holds no question", "empty"),
            (f"{good}\n[]\n", f"bad:2 is not a {name} line", "a list"),
            (f"{good}\n\n{{\n", f"bad:3 is not a {name} line", "half a line"),
            ("\udcff", f"is not a {name} file", "not UTF-8"),
            *(
                (json.dumps({k: v for k, v in row.items() if k != key}), f"'{key}' is missing", f"no {key}")
                for key in row
            ),
        ):
            yield pytest.param(make, content, message, id=f"{name} {case}")
    for change, message in (
        ({"label": 2}, '"label" is 2, not the number of one of the 2 answers'),
        ({"label": True}, '"label" is True'),
        ({"meta": {"link": " "}}, "the link is empty"),
    ):
        yield pytest.param(_swefaq_of, json.dumps(FAQ | change), message, id=f"SweFAQ {change}")
    yield pytest.param(
        _nomiracl_of, json.dumps(PASSAGES | {"answerable": "no"}), "neither true nor false", id="NoMIRACL no"
    )
    yield pytest.param(
        _nomiracl_of, json.dumps(PASSAGES | {"passages": []}), "no passage with text", id="NoMIRACL nothing"
    )
    yield pytest.param(
        _nomiracl_of, f"{json.dumps(PASSAGES)}\n" * 2, "two lines have the id 1", id="NoMIRACL twice"
    )


@pytest.mark.parametrize(("make", "content", "message"), list(_bad_files()))
def test_a_file_of_another_format_is_refused(
    make: Callable[[Path, dict[str, Any]], object],
    content: str | None,
    message: str,
    tmp_path: Path,
    options: dict[str, Any],
) -> None:
    path = tmp_path / "bad"
    if content is not None:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        make(path, options)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


class TestFilesThatDoNotGoTogether:
    def test_questions_about_other_paragraphs(self, tmp_path: Path, options: dict[str, Any]) -> None:
        contexts = write_squad(tmp_path, "en")
        content = contexts.read_text("utf-8")
        for id_ in ANSWERS["en"]:
            content = content.replace(f'"{id_}"', f'"other {id_}"')
        questions = tmp_path / "other.json"
        questions.write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match=r"other\.json shares no question id with .*squad\.en\.json"):
            suites.squad_suites([contexts], [questions], **options)

    def test_two_wordings_in_one_language(self, tmp_path: Path, options: dict[str, Any]) -> None:
        files = [write_squad(tmp_path, "en"), write_squad(tmp_path, "en", name="again.json")]
        with pytest.raises(UsageError, match=r"two files hold the question b1\.en\.en in the same language"):
            suites.squad_suites(files[:1], files, **options)

    def test_nothing_given(self, tmp_path: Path, options: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match="at least one file of contexts and one file of questions"):
            suites.squad_pool([], [], **options)

    def test_a_file_given_twice_counts_once(self, tmp_path: Path, options: dict[str, Any]) -> None:
        file = write_squad(tmp_path, "en")
        (suite,) = suites.squad_suites([file, file], [file, file], **options)
        assert len(suite.tasks) == 3


def test_an_answer_that_reading_changes_is_counted(tmp_path: Path, options: dict[str, Any]) -> None:
    """A last line with a source is no text of the document any more."""
    file = write_squad(tmp_path, "en")
    content = json.loads(file.read_text("utf-8"))
    source = "Source: https://town.example/library"
    qas = [
        {"id": "s1", "question": "Where is it from?", "answers": [{"answer_start": 8, "text": source[8:]}]}
    ]
    content["data"][1]["paragraphs"].append({"context": source, "qas": qas})
    file.write_text(json.dumps(content), encoding="utf-8")
    (suite,) = suites.squad_suites([file], [file], **options)
    assert sorted(task.group for task in suite.tasks) == ["b1", "b2", "l1"]
    assert suite.left_out == {UNPLACED: 1}
