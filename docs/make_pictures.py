"""Draw the pictures of what refining does: ``python docs/make_pictures.py``.

The demo's photographs, refined with the weights that come with the package, as users draw theirs
(docs/python.md). Written to docs/images.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from mmrefine.apis import build_refiner, draw_predicted_directions, draw_refinement

DOCS = Path(__file__).parent
DEMO = DOCS.parent / 'demo'
sys.path.append(str(DEMO))  # for run_demo.py


def pictures() -> dict[str, np.ndarray]:
    """BGR pictures by the names of their files."""
    from run_demo import astronaut, coffee

    segfix = build_refiner('segfix', device='cpu')
    bpr = build_refiner('bpr', device='cpu')
    cup, woman = (cv2.imread(str(DEMO / f'images/{name}.png')) for name in ('coffee', 'astronaut'))
    labels, true_labels = coffee(None)
    masks, true_masks = astronaut()
    return {
        'coffee.jpg': draw_refinement(cup, labels, bpr.refine(cup, labels), true_labels),
        'astronaut.jpg': draw_refinement(woman, masks, bpr.refine(woman, masks), true_masks),
        'picture.jpg': draw_refinement(cup, labels, segfix.refine(cup, labels), true_labels),
        'directions.jpg': draw_predicted_directions(cup, segfix.predict_fields(cup)),
    }


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=DOCS / 'images')
    args = parser.parse_args()
    for name, picture in pictures().items():
        path = args.out / name
        if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 90]):
            parser.error(f'cannot write {path}')


if __name__ == '__main__':
    main()
