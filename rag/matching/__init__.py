"""From an analysed question to the passages that may answer it: by meaning, by words, by names."""
