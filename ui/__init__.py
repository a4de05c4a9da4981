"""What a person touches: the `rag` command line, the chat page, the server process."""
