"""Speed and size on public passages, printed as Markdown.

    python -m eval.bench XQUAD_FOLDER [--languages en,hi,...] [--passages 120]

First `rag index` on all articles of the folder as a user would run it, in a process of its own, with time, peak
memory and disk use; then the embedder against torch and the weights' own engine (`index.bench_embedder`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from eval.public import write_texts
from eval.squad import read_squad
from index import bench_embedder


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: seconds, peak memory of its processes in MB (10^6 bytes), its exit code."""

    seconds: float
    peak_mb: float
    code: int


def run_index(folder: Path, data_dir: Path) -> Run:
    """Run `rag index` on a folder with its own data directory."""
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "index", str(folder)],
        env={**os.environ, "RAG_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
    )
    # Unlike RUSAGE_CHILDREN, this counts one child; kilobytes on Linux.
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    return Run(seconds=seconds, peak_mb=usage.ru_maxrss * 1024 / 1e6, code=child.returncode)


def size_mb(folder: Path) -> float:
    """The files of a folder in MB (10^6 bytes), as allocated on disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--languages", default="", help="Comma-separated; default: every xquad.LL.json of FOLDER.")
@click.option("--passages", default=120, show_default=True, help="Passages for the embedder's speed.")
def main(folder: Path, languages: str, passages: int) -> None:
    """Measure the embedder and `rag index` on the xquad.LL.json files of FOLDER."""
    chosen = (
        languages.split(",")
        if languages
        else sorted(p.name.split(".")[1] for p in folder.glob("xquad.*.json"))
    )
    files = [folder / f"xquad.{language}.json" for language in chosen]
    # First, while this process is small: a child's peak starts from its parent's size.
    with tempfile.TemporaryDirectory() as temporary:
        texts, data = Path(temporary, "texts"), Path(temporary, "data")
        characters = 0
        for language, path in zip(chosen, files, strict=True):
            named = {
                f"{language}-{i:02d}": article.text
                for i, article in enumerate(read_squad(path).articles)
                if article.text
            }
            characters += sum(len(text) for text in named.values())
            write_texts(texts, named)
        click.echo(f"## `rag index` on {len(chosen)} languages, {characters:,} characters\n")
        click.echo("| run | seconds | peak memory MB | exit |\n|---|---|---|---|")
        for label in ("first, with the model's set-up", "again, nothing changed"):
            run = run_index(texts, data)
            click.echo(f"| {label} | {run.seconds:.1f} | {run.peak_mb:.0f} | {run.code} |")
        click.echo("\n| on disk | MB |\n|---|---|")
        for name in ("catalogue.sqlite3", "chroma", "models"):
            part = data / name
            size = size_mb(part) if part.is_dir() else part.stat().st_blocks * 512 / 1e6
            click.echo(f"| {name} | {size:.0f} |")
    click.echo("\n## Embedding\n")
    bench_embedder.main([*(str(path) for path in files), "--passages", str(passages)])


if __name__ == "__main__":
    sys.exit(main())
