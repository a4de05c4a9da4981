"""SQuAD articles about six towns in two languages, to train the reader with: `from reader_towns import GOODS`."""

from __future__ import annotations

import pytest

from index.bundled import build

needs_package = pytest.mark.skipif(build.find_source() is None, reason="the bundled model is not installed")
TOWNS = ("Alby", "Borna", "Celje", "Dalen", "Ekero", "Fagersta")
GOODS = (
    ("bread", "bröd"),
    ("iron", "järn"),
    ("wool", "ull"),
    ("salt", "salt"),
    ("glass", "glas"),
    ("tea", "te"),
)


def squad(language: str) -> dict[str, object]:
    """Six articles of two paragraphs, each with a question about a number and one about goods."""
    swedish = language == "sv"
    articles = []
    for a, town in enumerate(TOWNS):
        paragraphs = []
        for p in range(2):
            count, goods = str(1200 + 10 * a + p), GOODS[(a + p) % 6][swedish]
            context = (
                f"{town} ligger vid floden. År {count} byggdes torget. Folket säljer {goods} varje dag."
                if swedish
                else f"{town} lies on the river. In {count} the square was built. People sell {goods} every day."
            )
            asked = (
                [f"När byggdes torget i {town}?", f"Vad säljer folket i {town}?"]
                if swedish
                else [f"When was the square in {town} built?", f"What do people in {town} sell?"]
            )
            answers = [count, goods]
            qas = [
                {
                    "id": f"{a}-{p}-{n}",
                    "question": question,
                    "answers": [{"text": answer, "answer_start": context.index(f" {answer} ") + 1}],
                }
                for n, (question, answer) in enumerate(zip(asked, answers, strict=True))
            ]
            nowhere = {
                "id": f"{a}-{p}-x",
                "question": f"Who rules {town}?",
                "answers": [],
                "is_impossible": True,
            }
            paragraphs.append({"context": context, "qas": [*qas, nowhere]})
        articles.append({"title": town, "paragraphs": paragraphs})
    return {"data": articles}
