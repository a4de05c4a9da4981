"""The mean of several readers: `python -m eval.learning.average FILE FILE ... --out FILE`.

Readers that were taught from the same beginning often do better averaged than each alone (Wortsman et al. 2022, "Model
soups", https://arxiv.org/abs/2203.05482). The record of the last file is kept, with the hashes of all.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import click
import numpy as np

from index.errors import UsageError
from rag.reader.weights import read_weights, save_weights


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def main(files: tuple[Path, ...], out: Path) -> None:
    """Write the mean of the weights of FILES."""
    read = [read_weights(path) for path in files]
    names = set(read[0][0])
    if any(set(weights) != names for weights, _ in read):
        raise UsageError("the files hold different tensors: average readers of one version")
    record = {**read[-1][1], "average": [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]}
    save_weights({n: np.mean([weights[n] for weights, _ in read], axis=0) for n in names}, out, record=record)


if __name__ == "__main__":
    main()
