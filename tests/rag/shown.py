"""What a client shows of Markdown."""

from __future__ import annotations

from markdown_it import MarkdownIt


def shown(markdown: str) -> tuple[str, list[str], set[str]]:
    """What a client shows of Markdown: its text, where its links go, and its kinds of elements."""
    texts, links, kinds = [], [], set()
    for block in MarkdownIt("commonmark").parse(markdown):
        for token in [block, *(block.children or [])]:
            kinds.add(token.type)
            if token.type == "text":
                texts.append(token.content)
            elif token.type == "link_open":
                links.append(str(token.attrs["href"]))
    return "".join(texts), links, kinds
