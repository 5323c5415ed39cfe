"""What OpenCV's C libraries print: left out, and nothing else with it."""

import struct
import zlib

import cv2
import numpy as np

LIBRARY = """
import os, sys, cv2, numpy as np
from mmrefine.runs.opencv_log import without_libpng
with without_libpng():
    print('before', file=sys.stderr)
    assert cv2.imdecode(np.frombuffer(open('odd.png', 'rb').read(), np.uint8), 1) is not None
    os.write(2, b'no libpng line, and no end')
cv2.imdecode(np.frombuffer(open('odd.png', 'rb').read(), np.uint8), 1)
print('after', file=sys.stderr)
"""


def test_libpngs_lines_are_left_out_and_no_others(tmp_path, run_fresh):
    content = cv2.imencode('.png', np.zeros((4, 5, 3), np.uint8))[1].tobytes()
    profile = b'iCCP' + b'p\0\0' + zlib.compress(b'too short')
    chunk = struct.pack('>I', len(profile) - 4) + profile + struct.pack('>I', zlib.crc32(profile))
    (tmp_path / 'odd.png').write_bytes(content[:33] + chunk + content[33:])  # after the header
    lines = run_fresh('-c', LIBRARY, cwd=tmp_path).stderr.splitlines()
    assert lines[:1] == ['before']
    inside, after = lines[1:-1], lines[-1]
    assert len(inside) == 1, 'the warning is printed outside only'
    assert inside[0].startswith('no libpng line, and no endlibpng warning')
    assert after == 'after'
