"""Teaching: what the reader learns from, its examples and its training. Nothing here is needed to answer."""
