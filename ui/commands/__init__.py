"""The commands of `rag`, one file each, imported when it is called."""
