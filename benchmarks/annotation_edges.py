"""How many points of annotated outlines lie on edges of the image, before and after refining.

    python benchmarks/annotation_edges.py IMAGES BEFORE.json AFTER.json

Edges are Canny's on the smoothed grey image; a point of an outline lies on one if it is at most
2 pixels away. Only annotations whose mask changed are judged.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from mmrefine.files.json_files import read_json
from mmrefine.ops.run_lengths import decode_mask
from mmrefine.refiners import load_image

NEAR = 2  # pixels


def distance_to_edges(image: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (0, 0), 1.5)
    strong = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[0]
    edges = cv2.Canny(grey, strong / 2, strong)
    return cv2.distanceTransform(255 - edges, cv2.DIST_L2, 5)


def outline(mask: np.ndarray) -> np.ndarray:
    return mask & ~cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ('images', 'before', 'after'):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    before, after = read_json(args.before), read_json(args.after)
    images = {image['id']: image for image in before['images']}
    distances: dict[object, np.ndarray] = {}
    near, points, changed = np.zeros(2), np.zeros(2), 0
    for pair in zip(before['annotations'], after['annotations'], strict=True):
        if pair[0] == pair[1]:
            continue
        changed += 1
        image = images[pair[0]['image_id']]
        if image['id'] not in distances:
            distances = {
                image['id']: distance_to_edges(load_image(args.images / image['file_name']))
            }
        for side, annotation in enumerate(pair):
            mask = decode_mask(annotation['segmentation'], (image['height'], image['width']))
            found = distances[image['id']][outline(mask)]
            near[side] += np.count_nonzero(found <= NEAR)
            points[side] += len(found)
    print(f'{changed} of {len(before["annotations"])} annotations changed')
    for name, share in zip(('before', 'after'), 100 * near / np.maximum(points, 1), strict=True):
        print(f'{name}: {share:.1f} % of the outline at most {NEAR} px from an edge of the image')


if __name__ == '__main__':
    main()
