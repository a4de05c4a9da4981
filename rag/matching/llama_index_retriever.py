"""The corpus for llama-index: its retriever interface over our retrieval. Importing it takes a second."""

from __future__ import annotations

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.corpus import Corpus
from index.embedder import Embedder
from rag.answer import Hit
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.question import analyse


class LlamaIndexRetriever(BaseRetriever):
    """A llama-index retriever over a `Corpus`.

    Args:
        corpus: an open corpus.
        embedder: the embedder that made it.
        top_k: number of nodes.

    A node's score is the hit's (`rag.answer.Hit`), its offsets are code points of the document, and its metadata say
    `document_id`, `title`, `source_url` and `language`.
    """

    def __init__(self, corpus: Corpus, embedder: Embedder, *, top_k: int = 10) -> None:
        super().__init__()
        self._corpus = corpus
        self._embedder = embedder
        self._retriever = CorpusRetriever(top_k=top_k)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        vector = None
        if query_bundle.embedding is not None:
            vector = np.asarray(query_bundle.embedding, np.float32)
        question = analyse(query_bundle.query_str)
        query = Query.of(question, self._corpus, self._embedder, vector=vector)
        return [_node(hit) for hit in self._retriever.hits(query)]


def _node(hit: Hit) -> NodeWithScore:
    node = TextNode(
        id_=hit.chunk.id,
        text=hit.chunk.text,
        start_char_idx=hit.chunk.start,
        end_char_idx=hit.chunk.end,
        metadata={
            "document_id": hit.chunk.document_id,
            "title": hit.title,
            "source_url": hit.source_url,
            "language": hit.chunk.language,
        },
    )
    return NodeWithScore(node=node, score=hit.score)
