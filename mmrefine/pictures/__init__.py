"""Draws masks, changes and directions on images."""
