"""``python -m mmrefine``: the same as the command ``mmrefine``."""

import sys

from .cli import main

if __name__ == '__main__':
    sys.exit(main())
