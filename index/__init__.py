"""The writing side: files -> Document -> Chunk and Sentence -> vectors -> catalogue and Chroma."""
