"""Train a model: ``python tools/train.py CONFIG``, as in mmseg; the same as ``mmrefine train``."""

from mmrefine.cli import run_tool

if __name__ == '__main__':
    run_tool('train')
