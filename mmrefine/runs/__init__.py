"""Prepares configs and processes for mmengine runs."""
