"""The command ``mmrefine view-targets`` as a script, for a clone and for mim."""

from mmrefine.cli import run_tool

if __name__ == '__main__':
    run_tool('view-targets')
