"""Refines folders and result files, image by image, resumable: the engine of refine."""
