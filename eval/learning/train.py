"""Trains the reader: `python -m eval.learning.train DATA --out FILE`.

DATA is a folder as `eval.learning.data` describes it, with the pool of `eval.learning.pool` where it has one. FILE gets
the trained layers (`rag.reader.weights`) with the recipe in its metadata: hashes of the data, seed, command, steps,
scores. A checkpoint beside it (FILE.checkpoint) lets `--resume` go on after a stop, and FILE.log.jsonl gets a line with
the loss and the scores on held-out articles and titles.

Examples are drawn in a process of their own, so that no step waits for them. On a CPU each thread works on its own
part of a batch with single-threaded operations: twice as fast as sharing every operation between the threads when other
work runs on the machine. Weights are bfloat16 where the processor multiplies it, with float32 masters for the
optimiser. The learning rate rises over the first steps and falls linearly to nothing at the end of the steps or the
minutes, whichever comes first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from eval.learning.batches import Feed, Part
from eval.learning.claims import Claims, parted, read_judged
from eval.learning.data import FOLDS, read_corpus
from eval.learning.enumerated import Enumerated
from eval.learning.examples import Examples
from eval.learning.losses import loss_of
from eval.learning.mixture import SHARES, Draws, Mixture
from eval.learning.model import ReaderModel, load_model
from eval.learning.office import Office
from eval.learning.pool import Pool, read_pool, scored_items, sources
from eval.learning.score import CLAIMS_SCORED, SCORED, Scored, fixed_claims, score
from eval.learning.similar import similar_passages
from eval.learning.windows import Windows
from eval.learning.word_pairs import WordPairs, texts_of
from index.embedder import load_embedder
from index.errors import PolyciteError, UsageError
from index.settings import IndexSettings
from rag.reader.encode import PairEncoder
from rag.reader.weights import read_weights, save_weights

log = logging.getLogger("eval.learning.train")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What decides a training run.

    `steps` and `minutes` (0: no limit) end it, `hold_out` is the fold of articles that is only scored on (None: all
    is learnt from), `articles` how many of the others are learnt from (0: all), `per_pair` how many questions of each
    pair of languages are scored, `frozen` how many of the lowest layers stay as they are, `start` the file of an
    earlier reader to begin with, `only` the one part of the mixture that is learnt from ("": all but claims): "claims"
    makes a judge. `drawn_beside`: examples are drawn in a process of their own, which is forked and must therefore be
    that of the command alone.
    """

    steps: int = 100_000
    minutes: float = 0.0
    batch: int = 32
    learning_rate: float = 3e-4
    warm_up: int = 100
    weight_decay: float = 0.01
    dropped_words: float = 0.05
    dropout: float = 0.1
    frozen: int = 3
    seed: int = 1
    hold_out: int | None = 0
    articles: int = 0
    threads: int = 0
    score_every: int = 1500
    per_pair: int = 48
    checkpoint_minutes: float = 5.0
    drawn_beside: bool = True
    start: str = ""
    only: str = ""


_AHEAD = 64  # batches drawn ahead: two groups and more


class Trainer:
    """One run. `train()` runs to the end; a checkpoint is written now and then and at the end."""

    def __init__(self, data: Path, out: Path, recipe: Recipe, *, command: str) -> None:
        corpus = read_corpus(data, parallel=sources().parallel)
        self.recipe, self._out, self._command = recipe, out, command
        self._checkpoint = out.with_name(out.name + ".checkpoint")
        self._log = out.with_name(out.name + ".log.jsonl")
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._threads = 1 if self.device == "cuda" else recipe.threads or len(os.sched_getaffinity(0))
        torch.set_num_threads(1)
        torch.manual_seed(recipe.seed)
        self.model = (
            load_model(Path(recipe.start), dropout=recipe.dropout, frozen=recipe.frozen)
            if recipe.start
            else ReaderModel(dropout=recipe.dropout, frozen=recipe.frozen)
        )
        self._encoder = PairEncoder.bundled()
        learnt = corpus if recipe.hold_out is None else corpus.fold(recipe.hold_out, inside=False)
        learnt = learnt.fewer(recipe.articles) if recipe.articles else learnt
        held = None if recipe.hold_out is None else corpus.fold(recipe.hold_out, inside=True)
        self._held = held if held is not None and held.passages else None
        items, hashes = read_pool(data, self._held)
        self._hashes = {**corpus.hashes, **hashes}
        # Masters first: what the network runs with is rounded.
        self.model.to(self.device)
        self._stored = {name: v.detach().float().clone() for name, v in self.model.stored().items()}
        self._masters = {name: self._stored[name] for name in self.model.trained()}
        self.model.to(self._kind())
        parameters = self.model.trained()
        self._pool = ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,))
        windows = Windows(self._encoder.count)
        embedder = load_embedder(IndexSettings())
        texts = texts_of(learnt, items)
        pairs = WordPairs(texts, embedder.embed_queries) if items else None
        judged, hashes = read_judged(data)
        self._hashes |= hashes
        held_claims = Claims(parted(judged, held=True), self._held, (), windows) if self._held else None
        self._claims = fixed_claims(held_claims, CLAIMS_SCORED * recipe.per_pair) if held_claims else []

        def passages() -> Draws:
            similar = similar_passages(learnt, embedder)
            return Examples(learnt, windows=windows, similar=similar, seed=recipe.seed)

        parts: dict[str, Callable[[], Draws]] = {"passages": passages}
        if pairs is not None:
            parts |= {
                "pool": lambda: Pool(items, windows),
                "office": Office,
                "enumerated": lambda: Enumerated(pairs, texts, windows),
            }
        if judged:
            parts["claims"] = lambda: Claims(parted(judged, held=False), learnt, items, windows)
        wanted = [name for name in parts if name == recipe.only or (not recipe.only and name != "claims")]
        if not wanted:
            raise UsageError(f"{data} holds nothing to learn {recipe.only} from")
        self._feed = Feed(
            Mixture({name: parts[name]() for name in wanted}, pairs=pairs, seed=recipe.seed),
            self._encoder,
            batch=recipe.batch,
            dropped_words=recipe.dropped_words,
            seed=recipe.seed,
        )
        self._sample = [item for source in SCORED for item in scored_items(data, source, recipe.per_pair)]
        self._names = list(parameters)
        self._parameters: list[Tensor] = list(parameters.values())
        decayed = [v for name, v in self._masters.items() if v.ndim > 1 and name != "segments.weight"]
        plain = [v for name, v in self._masters.items() if v.ndim == 1 or name == "segments.weight"]
        self._optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": recipe.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.step, self._elapsed, self.scores = 0, 0.0, dict[str, object]()
        self.losses: list[float] = []

    def _kind(self) -> torch.dtype:
        fast = self.device == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return torch.bfloat16 if fast else torch.float32

    def resume(self) -> None:
        """Goes on from the checkpoint beside the output file.

        Raises:
            UsageError: there is none.
        """
        if not self._checkpoint.is_file():
            raise UsageError(f"There is no checkpoint {self._checkpoint}: leave out --resume to start anew")
        state = torch.load(self._checkpoint, map_location=self.device, weights_only=True)
        for name, value in state["masters"].items():
            self._masters[name].copy_(value)
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self._elapsed = int(state["step"]), float(state["elapsed"])
        self._publish()

    def train(self) -> None:
        """Runs until the steps or minutes are used up, then writes the output file."""
        begun = time.monotonic() - self._elapsed
        saved, done, since = time.monotonic(), 0, time.monotonic()
        self._feed.first = self.step
        # One process: it draws about three times as fast as two threads learn.
        beside = self.recipe.drawn_beside
        batches = iter(
            DataLoader(
                self._feed,
                batch_size=None,
                num_workers=int(beside),
                prefetch_factor=_AHEAD if beside else None,
            )
        )
        self.model.train()
        while (rate := self._rate()) > 0:
            part = Part(*next(batches))
            self.losses.append(self._advance(part, rate))
            done += int(part.mask.sum())
            self._elapsed = time.monotonic() - begun
            if self.step % 50 == 0:
                speed = done / (time.monotonic() - since)
                self._note(loss=_mean(self.losses[-50:]), rate=rate, tokens_per_second=round(speed))
                done, since = 0, time.monotonic()
            if self.step % self.recipe.score_every == 0:
                self._score()
                self._save()
                saved = since = time.monotonic()
            if time.monotonic() - saved > 60 * self.recipe.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        self._score()
        self._save()

    def _rate(self) -> float:
        """The learning rate now; 0 at the end."""
        used = self.step / self.recipe.steps
        if self.recipe.minutes:
            used = max(used, self._elapsed / (60 * self.recipe.minutes))
        rising = min(1.0, (self.step + 1) / self.recipe.warm_up)
        return self.recipe.learning_rate * min(rising, 1.0) * max(0.0, 1.0 - used)

    def _advance(self, part: Part, rate: float) -> float:
        threads = min(self._threads, len(part.ids))
        shares = [part.rows(i, threads) for i in range(threads)]
        work = [self._pool.submit(self._gradient, share, len(share.ids) / len(part.ids)) for share in shares]
        results = [task.result() for task in work]
        # Threads share the sums over tensors too: single-threaded they cost a tenth of a step.
        groups = [range(i, len(self._names), threads) for i in range(threads)]
        list(self._pool.map(lambda group: self._sum(group, [found for _, found in results]), groups))
        torch.nn.utils.clip_grad_norm_(self._masters.values(), 1.0)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        self._publish()
        self.step += 1
        return sum(loss for loss, _ in results)

    def _sum(self, places: range, gradients: Sequence[Sequence[Tensor]]) -> None:
        """The gradients of some of the tensors, added up in float32, become their masters'."""
        for i in places:
            total = gradients[0][i].float()
            for other in gradients[1:]:
                total += other[i]
            self._masters[self._names[i]].grad = total

    def _gradient(self, part: Part, share: float) -> tuple[float, Sequence[Tensor]]:
        part = Part(*(getattr(part, name).to(self.device) for name in Part.__slots__))
        loss = loss_of(self.model, part) * share
        return float(loss.detach()), torch.autograd.grad(loss, self._parameters)

    def _publish(self) -> None:
        """The masters' values, rounded, become the weights that the network runs with."""
        with torch.no_grad():
            torch._foreach_copy_(self._parameters, [self._masters[name] for name in self._names])

    def _score(self) -> None:
        if self._held is None:
            return
        begun = time.monotonic()
        self.model.eval()
        scored: Scored = score(
            self.model,
            self._encoder,
            self._held,
            self._sample,
            self._pool,
            claims=self._claims,
            per_pair=self.recipe.per_pair,
        )
        self.model.train()
        self.scores = asdict(scored)
        self._note(seconds=round(time.monotonic() - begun, 1), **self.scores)

    def _note(self, **values: object) -> None:
        line = {"step": self.step, "minutes": round(self._elapsed / 60, 2), **values}
        log.info("%s", json.dumps(line))
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _save(self) -> None:
        draft = self._checkpoint.with_suffix(".part")
        state = {
            "masters": self._masters,
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "elapsed": self._elapsed,
        }
        torch.save(state, draft)
        draft.replace(self._checkpoint)
        record = {
            "command": self._command,
            "recipe": asdict(self.recipe),
            "steps": self.step,
            "minutes": round(self._elapsed / 60, 1),
            "data": dict(self._hashes),
            "scores": self.scores,
        }
        weights = {name: value.detach().cpu().numpy() for name, value in self._stored.items()}
        save_weights(weights, self._out, record=record)


SMOKE = Recipe(
    steps=40, batch=8, warm_up=5, learning_rate=3e-4, score_every=1000, per_pair=3, drawn_beside=False
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        recipe = _recipe(given)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        command = " ".join(["python -m eval.learning.train", *(arguments or sys.argv[1:])])
        trainer = Trainer(given.data, given.out, recipe, command=command)
        if given.resume:
            trainer.resume()
        with contextlib.suppress(KeyboardInterrupt):  # the checkpoint is what remains
            trainer.train()
        if given.smoke and not given.resume:
            _check_smoke(trainer, given.out)
    except PolyciteError as error:
        log.error("%s", error)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _check_smoke(trainer: Trainer, out: Path) -> None:
    """Raises UsageError unless the loss fell and the file holds every trained tensor."""
    first, last = _mean(trainer.losses[:5]), _mean(trainer.losses[-5:])
    names = set(read_weights(out)[0])
    if last >= first or names != set(trainer.model.stored()):
        raise UsageError(
            f"The smoke run failed: loss {first:.2f} -> {last:.2f}, {len(names)} tensors in {out}"
        )
    log.info("smoke run: loss %.2f -> %.2f in %d steps", first, last, trainer.step)


def _recipe(given: argparse.Namespace) -> Recipe:
    if given.hold_out is not None and not -1 <= given.hold_out < FOLDS:
        raise UsageError(f"--hold-out is a fold from 0 to {FOLDS - 1}, or -1 for none; got {given.hold_out}")
    if given.articles is not None and given.articles < 0:
        raise UsageError(f"--articles is how many are learnt from, 0 for all; got {given.articles}")
    base = SMOKE if given.smoke else Recipe()
    names = (
        *("steps", "minutes", "batch", "learning_rate", "articles"),
        *("frozen", "seed", "threads", "score_every", "start", "only"),
    )
    changed = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    if given.hold_out is not None:
        changed["hold_out"] = None if given.hold_out < 0 else given.hold_out
    return Recipe(**{**asdict(base), **changed})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval.learning.train", description="Train the reader.")
    parser.add_argument("data", type=Path, help="a folder of SQuAD files named like xquad.en.json")
    parser.add_argument("--out", type=Path, required=True, help="the file to write, .safetensors")
    parser.add_argument("--steps", type=int, help="at most this many steps (default 100000)")
    parser.add_argument("--minutes", type=float, help="at most this long; the learning rate ends with it")
    parser.add_argument("--hold-out", type=int, help="fold of articles to score on: 0-4 (default 0), -1 none")
    parser.add_argument("--articles", type=int, help="learn from at most so many articles (default: all)")
    parser.add_argument("--batch", type=int, help="examples a step (default 32)")
    parser.add_argument("--learning-rate", type=float, help="highest rate (default 3e-4)")
    parser.add_argument("--frozen", type=int, help="lowest layers that stay as they are (default 3)")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int, help="CPU threads (default: all)")
    parser.add_argument("--score-every", type=int, help="steps between scores (default 1500)")
    parser.add_argument("--start", help="a reader's file to begin with instead of the bundled encoder")
    parser.add_argument(
        "--only", choices=[*SHARES, "claims"], help="learn from this part alone; of claims: a judge"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint beside --out")
    parser.add_argument("--smoke", action="store_true", help="a minute's run that checks itself")
    return parser


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(len(values), 1), 4)


if __name__ == "__main__":
    sys.exit(main())
