"""Measurements of one part on public data, run by hand: `python -m eval.studies.NAME DATA ...`."""
