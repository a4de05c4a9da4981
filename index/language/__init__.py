"""Everything that knows a language: tables, detection, sentence ends, words, numbers, dates. Upper layers ask it."""
