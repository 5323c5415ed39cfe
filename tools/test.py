"""Test a model: ``python tools/test.py CONFIG CHECKPOINT``; the same as ``mmrefine test``."""

from mmrefine.cli import run_tool

if __name__ == '__main__':
    run_tool('test')
