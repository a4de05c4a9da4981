"""Measuring: public data, metrics, tables."""
