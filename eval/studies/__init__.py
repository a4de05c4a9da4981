"""Commands that measure one part each on public data: python -m eval.studies.NAME."""
