"""What refinement costs and gains, by commands that print every number of the documentation.

``python -m benchmarks`` times everything in :mod:`benchmarks.suite`. The other files measure
quality or memory, each with a command line of its own.
"""
