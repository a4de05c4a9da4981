"""Questions in Latin letters of languages with another script are spelt by the words of the documents."""

from __future__ import annotations

from pathlib import Path

from digest import DigestEmbedder

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.indexer import Indexer
from index.settings import IndexSettings
from rag.matching.romanised import in_its_script
from rag.question import analyse


def test_a_question_is_spelt_by_the_words_of_the_documents_in_its_language(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "hi.txt").write_text("पुस्तकालय सुबह नौ बजे खुलता है। गाँव में तीन तालाब हैं।", "utf-8")
    (folder / "sv.txt").write_text("Biblioteket öppnar klockan nio på morgonen varje dag.", "utf-8")
    settings = IndexSettings(data_dir=tmp_path / "data", _env_file=None)
    with Catalogue.open(settings.data_dir, create=True) as catalogue:
        Indexer(catalogue, DigestEmbedder(), settings).run([folder])
    with Corpus.open(settings, manifest_expected=None) as corpus:
        hindi = in_its_script(analyse("pustakalay kab khulta hai?", among=corpus.languages()), corpus)
        assert hindi.text == "पुस्तकालय कब खुलता है?"
        other = analyse("pukur koto ache?", language="bn")  # no document is in Bengali
        assert in_its_script(other, corpus) is other
        swedish = analyse("När öppnar biblioteket?", language="sv")
        assert in_its_script(swedish, corpus) is swedish
        nothing = analyse("kya hai?", language="hi")  # nothing to look for
        assert in_its_script(nothing, corpus).text.endswith("है?")
