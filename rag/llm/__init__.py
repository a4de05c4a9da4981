"""Answers written by a language model from the same evidence, over OpenAI's protocol."""
