"""Checks every claim of an answer against the words it cites."""
