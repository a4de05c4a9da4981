"""Coverage-guided fuzzing: `python -m tests.fuzz.run TARGET [--seconds 60] [--work FOLDER]`.

Needs atheris (`pip install -e '.[fuzz]'`). Inputs that reach new code are kept in the folder, so that a later run goes
on from there; one that breaks a target is left there as `crash-*` or `timeout-*`, and the exit code is not 0. To see
what it breaks: `python -m tests.fuzz.run TARGET --input FILE`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import warnings
from pathlib import Path

_SECONDS_OF_ONE = 20
_MEMORY_MB = 4096
_LONGEST = {"readers": 65536}
_OWN = ["index", "rag", "charset_normalizer", "markdown_it", "pypdf", "docx", "trafilatura", "sentencex"]


def main() -> int:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "polycite-fuzz")
    parser.add_argument("--input", type=Path, help="run this file alone")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if options.input is not None:
        from tests.fuzz.targets import TARGETS

        TARGETS[options.target](options.input.read_bytes())
        return 0
    import atheris

    with atheris.instrument_imports(include=_OWN):
        from tests.fuzz import corpus
        from tests.fuzz.targets import TARGETS
    target = TARGETS[options.target]
    folder = options.work / options.target
    corpus.write(folder, options.target)
    target(b"\x00Loaded once, before time is counted.")
    arguments = [
        sys.argv[0],
        str(folder),
        f"-max_total_time={options.seconds}",
        f"-timeout={_SECONDS_OF_ONE}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-max_len={_LONGEST.get(options.target, 4096)}",
        f"-artifact_prefix={options.work}/{options.target}-",
        "-keep_seed=1",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    atheris.Setup(arguments, target)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
