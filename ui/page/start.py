"""What the page's script knows when it begins: words, languages, what can be searched, who is signed in."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from index.language.lexicon import languages, lexicon
from rag import engines
from rag.api.guard import key_of
from rag.api.page_language import reader_language
from ui.labels import labels_in
from ui.names import direction, language_name
from ui.page.examples import example_questions

if TYPE_CHECKING:
    from starlette.requests import Request

    from index.corpus import Corpus
    from rag.engines import Row
    from ui.page.parts import Tools

# Of the page's other tab, which brings its own.
_ELSEWHERE = "documents_"


class Start:
    """Makes the answer to the page's first request. Safe to share between threads."""

    def __init__(self, tools: Tools) -> None:
        self._corpus = tools.corpus
        settings = tools.settings
        self._settings = settings
        self._question_characters = settings.max_question_chars
        self._lock = threading.Lock()
        self._seen: tuple[int, list[str], list[tuple[str, str, str]]] | None = None

    def of(self, request: Request) -> dict[str, Any]:
        """Return it for a request."""
        language = reader_language(request.headers)
        labels = labels_in(language)
        codes, examples = self._documents(self._corpus)
        key = key_of(request)
        return {
            "language": language,
            "labels": {name: text for name, text in labels.items() if not name.startswith(_ELSEWHERE)},
            "interface": [{"code": code, "name": _own_name(code)} for code in languages()],
            "searchable": [{"code": code, "name": language_name(code, shown_in=language)} for code in codes],
            "examples": [
                {"question": question, "shown": shown, "language": code, "direction": direction(code)}
                for question, shown, code in examples
            ],
            "engines": [
                {"name": row.name, "label": self._label(row, labels)}
                for row in engines.offered(self._settings)
            ],
            "questionCharacters": self._question_characters,
            "signedIn": None if key is None else key.name,
            # Browsers that several people use keep their conversations apart.
            "user": "local"
            if key is None
            else hashlib.sha256(f"page {key.digest}".encode()).hexdigest()[:16],
        }

    def _label(self, row: Row, labels: Mapping[str, str]) -> str:
        """An engine as the page's language has it, else its name."""
        return labels.get(f"chat_engine_{row.name}", row.name).format(model=self._settings.llm_model)

    def _documents(self, corpus: Corpus) -> tuple[list[str], list[tuple[str, str, str]]]:
        """The languages of the documents and the example questions, looked up once for each change of the index."""
        revision = corpus.revision()
        with self._lock:
            if self._seen is None or self._seen[0] != revision:
                codes = sorted({info.language for info in corpus.documents()})
                self._seen = (revision, codes, example_questions(corpus))
            return self._seen[1], self._seen[2]


def _own_name(code: str) -> str:
    name = lexicon(code).name
    return name[:1].upper() + name[1:]
