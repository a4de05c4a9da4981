"""The commands of `rag`, one file each. They import what takes long to import when they run."""
