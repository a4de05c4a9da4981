"""How many tokens a folder of texts has, by the model's own vocabulary."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.bench.indexing import settings_for
from eval.bench.processes import answer_measure
from index.embedder import load_embedder


def main(arguments: Sequence[str]) -> int:
    """Count them; see `processes.measure`. Options: folder, models."""
    options, found = answer_measure(arguments)
    models = Path(options["models"])
    embedder = load_embedder(settings_for(models.parent / "tokens", models))
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(options["folder"]).glob("*.txt"))]
    found.write_text(json.dumps({"tokens": sum(embedder.count_tokens(texts))}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
