"""Measures predictions against ground truth and writes the report: the engine of evaluate."""
