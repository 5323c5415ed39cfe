"""Reads and writes every file format, and finds which file belongs to which."""
