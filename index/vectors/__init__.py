"""Vector search over chunks and sentences. The only package that imports chromadb."""
