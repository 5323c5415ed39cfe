"""The ``mmrefine`` command: one module for each subcommand.

Each reads its arguments without torch or mmseg, so that ``--help`` and shell completion answer at
once; what does the work is imported by its ``run``.
"""

from .command import build_parser, main, parse, run_tool

__all__ = ['build_parser', 'main', 'parse', 'run_tool']
