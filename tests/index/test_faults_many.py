"""Many files, strange names, many languages: all is indexed and found."""

from __future__ import annotations

from pathlib import Path

from babel import Locale
from digest import DigestEmbedder, settings_for
from texts import MULTI_SCRIPT

from index.corpus import Corpus
from index.language.terms import word_terms
from index.upkeep import make_index

MANY = 2_000  # 10,000 take five times as long and show nothing else


def test_thousands_of_tiny_files(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for number in range(MANY):
        folder = docs / f"{number % 100:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(f"সেতু {number}।", "utf-8")
    settings = settings_for(tmp_path / "data", language_correction=0.0, chroma_rebuild_share=1.0)
    summary = make_index(settings, [docs], embedder=DigestEmbedder())
    assert (summary.documents, summary.skipped) == (MANY, [])
    with Corpus.open(settings, manifest_expected=None) as corpus:
        (found,) = corpus.search_text(words=["1321"], top_k=2)
        (chunk,) = corpus.chunks([found.id])
        assert chunk.text == "সেতু 1321।"
        (vector,) = DigestEmbedder().embed_queries([chunk.text])
        assert corpus.search_chunks(vector, top_k=1)[0].id == chunk.id
    again = make_index(settings, [docs], embedder=DigestEmbedder())
    assert (again.unchanged, again.added) == (MANY, [])


def of_bytes(character: str, count: int) -> str:
    """A name of at most so many bytes, all of one character."""
    return character * ((count - 4) // len(character.encode())) + ".txt"


NAMES = [
    *(text[:40].replace("?", "") + ".txt" for text in MULTI_SCRIPT.values()),
    *(of_bytes(character, 255) for character in "xéক😀漢"),
    "two\nlines.txt", "cr\rlf\r\n.txt", "tab\t.txt", " leading and trailing .txt", "'quotes\" `and` $(dollar).txt",
    "-rf.txt", "--help", "semi;colon & |pipe.txt", "back\\slash.txt", "\u202egnp.txt", "e\u0301\u0323.txt",
    "\u200d.txt", "%2e%2e%2f.txt", "[bold]markup[red].txt", "a" * 60 + "." + "b" * 180, "nul\x01\x1b[31m.txt",
    "CON.txt",
]  # fmt: skip


def test_names_of_every_script_with_line_ends_and_of_255_bytes(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number, name in enumerate(NAMES):
        (docs / name).write_text(f"The yard of file {number} holds {number + 100} barrels.", "utf-8")
    assert len(list(docs.iterdir())) == len(set(NAMES)) == len(NAMES)
    settings = settings_for(tmp_path / "data", chroma_rebuild_share=1.0)
    summary = make_index(settings, [docs], embedder=DigestEmbedder())
    assert (sorted(summary.added), summary.skipped) == (sorted(NAMES), [])
    with Corpus.open(settings, manifest_expected=None) as corpus:
        for number, name in enumerate(NAMES):
            (found,) = corpus.search_text(words=[str(number + 100)], top_k=2)
            (chunk,) = corpus.chunks([found.id])
            document = corpus.document(chunk.document_id)
            assert document is not None
            assert document.path == name
    for name in NAMES[::2]:
        (docs / name).unlink()
    again = make_index(settings, [docs], embedder=DigestEmbedder())
    assert (sorted(again.removed), again.unchanged) == (sorted(NAMES[::2]), len(NAMES) // 2)


LANGUAGES = [
    "am", "ar", "as", "az", "bg", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "gu", "he", "hi",
    "hu", "hy", "id", "it", "ja", "ka", "km", "kn", "ko", "lo", "lt", "ml", "mr", "my", "ne", "nl", "pa", "pl",
    "ru", "si", "sv", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh",
]  # fmt: skip


def test_one_document_in_forty_languages(tmp_path: Path) -> None:
    """Each line names countries in another language: CLDR's words, none of ours."""
    docs = tmp_path / "docs"
    docs.mkdir()
    lines = {}
    for code in LANGUAGES:
        countries = Locale(code).territories
        lines[code] = (
            ", ".join(str(countries[each]) for each in ("SE", "VN", "BD", "IN", "JP", "BR", "EG", "MX")) + "."
        )
    assert len(lines) > 40
    (docs / "all.txt").write_text("\n\n".join(lines.values()), "utf-8")
    settings = settings_for(tmp_path / "data", chroma_rebuild_share=1.0)
    assert make_index(settings, [docs], embedder=DigestEmbedder()).skipped == []
    with Corpus.open(settings, manifest_expected=None) as corpus:
        (info,) = corpus.documents()
        document = corpus.document(info.id)
        assert document is not None
        sentences = corpus.sentences_of(info.id)
        assert all(document.text[s.start : s.end] == s.text for s in sentences)
        assert len({s.language for s in sentences}) > 30
        for code, line in lines.items():
            assert any(line.startswith(s.text[:20]) for s in sentences), code
            words = word_terms(line)[:4]
            held = {corpus.chunks([match.id])[0].text for match in corpus.search_text(words=words, top_k=5)}
            assert any(line[:20] in text for text in held), code
