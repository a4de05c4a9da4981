"""What Prometheus reads at /metrics. No label holds a text of a person or a document."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from index.corpus import Corpus
from index.errors import PolyciteError
from rag.answer import Answer
from rag.api import logs
from rag.asking import Ask
from rag.engines.counted import Outcome

# Nothing reads when each series began, and it doubles the page.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From a search that is answered from memory to a language model that takes its time.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The counts of one server, in a registry of its own.

    Args:
        corpus: whose size is measured at each reading.
        log_questions: whether questions go into the log.
    """

    def __init__(self, corpus: Corpus, *, log_questions: bool = False) -> None:
        self._registry = CollectorRegistry()
        self._log_questions = log_questions
        self._requests = self._counter("requests", "Requests.", "route", "method", "status")
        self._rejected = self._counter("rejected_requests", "Requests turned away by a limit.", "reason")
        self._answers = self._counter("answers", "Answers and refusals.", "engine", "grounding")
        self._refusals = self._counter("refusals", "Refusals.", "reason")
        self._request_seconds = self._histogram(
            "request_seconds", "Time until a request was answered.", "route"
        )
        self._stage_seconds = self._histogram("answer_seconds", "Time that an answer took.", "stage")
        self._registry.register(_Index(corpus))
        ProcessCollector(registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"polycite_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"polycite_{name}", text, labels, registry=self._registry, buckets=_SECONDS)

    def measure(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show a number that is asked for at each reading, such as a queue's length; NaN where it cannot be told."""

        def told() -> float:
            try:
                return value()
            except PolyciteError:  # the other numbers are told all the same
                return math.nan

        Gauge(f"polycite_{name}", text, registry=self._registry).set_function(told)

    def count_drafts(self, drafts: Callable[[], Mapping[Outcome, int]]) -> None:
        """Show what came of engines' drafts, asked for at each reading."""
        self._registry.register(_Drafts(drafts))

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def rejected(self, reason: str) -> None:
        """Count a request that a limit turned away."""
        self._rejected.labels(reason).inc()

    def answer(self, _: Ask, answer: Answer) -> None:
        """Count an answer, and tell of it in the log."""
        self._answers.labels(answer.engine, answer.grounding).inc()
        if answer.refused:
            self._refusals.labels(answer.refusal_reason or "unknown").inc()
        for stage in ("retrieve", "answer", "total"):
            self._stage_seconds.labels(stage).observe(getattr(answer.timings_ms, stage) / 1000)
        told: dict[str, Any] = {"engine": answer.engine, "refused": answer.refused}
        if self._log_questions:
            told["question"] = answer.question
        if not logs.note(**told):  # the chat page works outside of any request
            logs.log.info("answer", extra={**told, "duration_ms": answer.timings_ms.total})

    def text(self, accept: str) -> tuple[bytes, str]:
        """The numbers as they are now, and their media type: the format that an Accept header prefers."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type


class _Drafts(Collector):
    """What came of engines' drafts; one that declined was made up for by quoting."""

    def __init__(self, drafts: Callable[[], Mapping[Outcome, int]]) -> None:
        self._drafts = drafts

    def collect(self) -> Iterable[Metric]:
        """Read the counts."""
        labels = ("engine", "result", "reason")
        drafts = CounterMetricFamily("polycite_drafts", "What came of engines' drafts.", labels=labels)
        found = self._drafts()
        for outcome, number in found.items():
            drafts.add_metric(astuple(outcome), number)
        declined = sum(number for outcome, number in found.items() if outcome.result == "declined")
        yield drafts
        yield CounterMetricFamily("polycite_fallbacks", "Drafts that an engine declined.", value=declined)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand."""
        return ()


class _Index(Collector):
    """The size of the index when it is asked for; no numbers where it cannot be read."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def collect(self) -> Iterable[Metric]:
        """Read the catalogue."""
        up = GaugeMetricFamily("polycite_index_up", "1 when the index can be read, else 0.")
        try:
            counts = self._corpus.counts()
        except PolyciteError:
            counts = {}
        up.add_metric([], 1 if counts else 0)
        yield up
        for name in ("documents", "chunks", "sentences"):
            if name in counts:
                yield GaugeMetricFamily(f"polycite_{name}", f"Indexed {name}.", value=counts[name])

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not read the index."""
        return ()
