"""Draw the figures of the method pages: ``python docs/make_figures.py``.

From the photographs, hand-drawn labels and coarse masks in demo/ and the weights that come with the
package. Written to docs/images. ``python docs/make_figures.py bpr`` draws one of them.

Legend: H, W = the part of an image that is shown; h, w = a panel.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from mmrefine.apis import build_refiner
from mmrefine.measures import boundary_fscore
from mmrefine.ops import (
    apply_offset,
    crop_patches,
    direction_to_offset,
    propose_boxes,
    segfix_targets,
    semantic_edge_map,
)
from mmrefine.ops.colour_odds import colour_odds
from mmrefine.ops.run_lengths import decode_mask
from mmrefine.pictures import drawing
from mmrefine.pictures.directions import draw_directions, draw_legend

DOCS = Path(__file__).parent
DEMO = DOCS.parent / 'demo'
GAP, LINE, TEXT = 14, 32, 22
# Saucer and cup, its opening, the spoon: over grey.
LABEL_COLOURS = [drawing.bgr(c) for c in ('#DDDDDD', '#0072B2', '#56B4E9', '#E69F00')]


def read(path: str) -> np.ndarray:
    """BGR (H, W, 3) or label map (H, W) of the demo."""
    kind = cv2.IMREAD_COLOR if path.startswith('images') else cv2.IMREAD_UNCHANGED
    return np.asarray(cv2.imread(str(DEMO / path), kind))


def outlined(
    image: np.ndarray,
    zoom: float,
    *masks_colours: tuple[np.ndarray, drawing.Colour],
    thickness: float = 2.6,
) -> np.ndarray:
    """An enlarged photograph with the contours of masks."""
    height, width = image.shape[:2]
    panel = drawing.resized(image, (round(zoom * height), round(zoom * width)))
    for masks, colour in masks_colours:
        drawing.draw_contours(panel, masks, colour, thickness)
    return panel


def scaled(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values (H, W) from 0, paper, over blue to 1, ink: a panel of this size (h, w)."""
    anchors = np.array([drawing.PAPER, drawing.FIXED, drawing.INK], np.float32)
    channels = [np.interp(values, (0, 0.6, 1), anchor) for anchor in anchors.T]
    return drawing.resized(np.stack(channels, axis=-1).round().astype(np.uint8), size)


def titled(panel: np.ndarray, *lines: str) -> np.ndarray:
    """A panel under its title."""
    head = np.full((LINE * len(lines), panel.shape[1], 3), drawing.PAPER, np.uint8)
    for number, line in enumerate(lines):
        drawing.write(head, line, (0, LINE * number + LINE // 2), TEXT)
    return np.concatenate([head, panel])


def placed(panels: Sequence[np.ndarray], axis: int, gap: int = GAP) -> np.ndarray:
    """Panels side by side (axis 1) or one below the other (axis 0), on paper."""
    length = max(panel.shape[1 - axis] for panel in panels)
    parts = []
    for number, panel in enumerate(panels):
        border = [0, 0, 0, 0]  # top, bottom, left, right
        border[3 if axis == 0 else 1] = length - panel.shape[1 - axis]
        border[1 if axis == 0 else 3] = gap if number < len(panels) - 1 else 0
        parts.append(cv2.copyMakeBorder(panel, *border, cv2.BORDER_CONSTANT, value=drawing.PAPER))
    return np.concatenate(parts, axis)


def fscore(labels: np.ndarray, truth: np.ndarray) -> str:
    """F-score at 1 px, as the demo counts it."""
    figures = boundary_fscore(labels, truth, 1, int(truth.max()) + 1).figures('present')
    return f'F-score at 1 px: {100 * figures["fscore"]:.1f}'


def segfix() -> np.ndarray:
    """Boundary, direction and the shifted labels: as they should be, and as the network says."""
    zoom, window = 3, np.s_[46:190, 70:214]
    image, coarse, truth = (read(f'{n}/coffee.png') for n in ('images', 'coarse', 'labels'))
    refiner = build_refiner('segfix', device='cpu')
    fields = refiner.predict_fields(image)
    _, true_boundary, true_direction = segfix_targets(truth)
    true_offset = direction_to_offset(true_direction) * (true_boundary == 1)
    part, side = image[window], zoom * 144
    legend = draw_legend(8, 'coloured: boundary', ignored=False)
    columns = [
        [
            titled(
                outlined(part, zoom, (coarse[window], drawing.COARSE)),
                'coarse labels',
                fscore(coarse, truth),
            ),
            drawing.resized(legend[:300], (side, round(side * legend.shape[1] / 300))),
        ]
    ]
    for boundary, direction, refined, name in (
        (
            true_boundary == 1,
            true_direction,
            apply_offset(coarse, true_offset, scale=2),
            'hand-drawn: what it learns',
        ),
        (
            fields['pred_boundary'][0] > 0.5,
            fields['pred_direction'][0],
            refiner.refine(image, coarse),
            'the network of the package',
        ),
    ):
        arrows = draw_directions(
            part, boundary[window].astype(np.uint8), direction[window], 8, zoom, ''
        )
        contours = (coarse[window], drawing.COARSE), (refined[window], drawing.REFINED)
        columns.append(
            [
                titled(arrows[:side, :side], 'boundary and direction:', name),
                titled(
                    outlined(part, zoom, *contours),
                    'labels fetched from there',
                    fscore(refined, truth),
                ),
            ]
        )
    return placed([placed(column, 0) for column in columns], 1)


def bpr() -> np.ndarray:
    """Boxes along a boundary, some patches on their way through the network, the mask put back."""
    image = read('images/astronaut.png')
    results = json.loads((DEMO / 'coarse' / 'astronaut.segm.json').read_text())
    coarse = decode_mask(results[0]['segmentation'], image.shape[:2])
    refiner = build_refiner('bpr', device='cpu')
    boxes = propose_boxes(coarse, refiner.patch_size, refiner.iou_threshold)
    evidence = cv2.merge([image, colour_odds(image, coarse)])
    images, masks = (
        crop_patches(array, boxes, refiner.input_size, refiner.padding)
        for array in (evidence, coarse)
    )
    inputs = refiner.model.data_preprocessor.assemble(
        torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks)
    )
    with torch.inference_mode():
        probabilities = refiner.model.predict_probabilities(inputs)[:, 0].numpy()
    refined = refiner.refine(image, coarse)
    chosen = most_changed(coarse, refined, boxes, 3)
    zoom, side = 0.95, 153
    whole = outlined(image, zoom, (coarse, drawing.COARSE))
    for number, box in enumerate(boxes):
        if number not in chosen:
            x0, y0, x1, y1 = (round(zoom * value) for value in box)
            cv2.rectangle(whole, (x0, y0), (x1, y1), drawing.WHITE, 1)
    patches = []
    for name, number in enumerate(chosen, 1):
        x0, y0, x1, y1 = boxes[number]
        drawing.draw_box(whole, tuple(zoom * value for value in boxes[number]))
        drawing.write(whole, str(name), (zoom * x0, zoom * y0 + 14), 20, ground=drawing.WHITE)
        window = np.s_[y0:y1, x0:x1]
        row = [
            outlined(image[window], side / (y1 - y0), (coarse[window], drawing.COARSE)),
            scaled(probabilities[number], (side, side)),
            outlined(image[window], side / (y1 - y0), (refined[window], drawing.REFINED)),
        ]
        drawing.write(row[0], str(name), (0, 14), 20, ground=drawing.WHITE)
        patches.append(row)
    middle = [
        titled(placed([row[number] for row in patches], 0), name)
        for number, name in enumerate(('2. patch', 'object?', 'result'))
    ]
    first = titled(whole, f'1. propose: {len(boxes)} boxes')
    last = titled(outlined(image, zoom, (refined, drawing.REFINED)), '3. reassemble')
    return placed([first, *middle, last], 1)


def most_changed(before: np.ndarray, after: np.ndarray, boxes: np.ndarray, count: int) -> list[int]:
    """Indices of the boxes with most changed pixels, no two of them touching; from the top."""
    changed = before != after
    scores = [changed[y0:y1, x0:x1].sum() for x0, y0, x1, y1 in boxes]
    chosen: list[int] = []
    for number in np.argsort(scores)[::-1]:
        size = boxes[number, 2:] - boxes[number, :2]
        if (np.abs(boxes[chosen, :2] - boxes[number, :2]) >= size).any(axis=1).all():
            chosen.append(int(number))
    return sorted(chosen[:count], key=lambda number: int(boxes[number, 1]))


def semeda() -> np.ndarray:
    """Labels and their semantic edges, true and predicted; where the embeddings differ."""
    size = (290, 435)
    outlines = drawing.resized(read('images/coffee.png'), size)
    truth, prediction = (read(f'{folder}/coffee.png') for folder in ('labels', 'coarse'))
    painted, edges = [], []
    for labels in (truth, prediction):
        colours = np.array(LABEL_COLOURS, np.uint8)[labels]
        painted.append(drawing.resized(colours, size))
        edges.append(scaled(semantic_edge_map(labels), size))
    drawing.draw_contours(outlines, prediction, drawing.COARSE, 2)
    difference = embedding_difference(truth, prediction)
    loss = scaled(difference / np.quantile(difference, 0.999), size)
    columns = [
        [titled(painted[0], 'true labels'), titled(painted[1], 'predicted labels')],
        [titled(edges[0], 'their edges'), titled(edges[1], 'their edges')],
        [titled(outlines, 'prediction'), titled(loss, 'distance of embeddings')],
    ]
    return placed([placed(column, 0) for column in columns], 1)


def embedding_difference(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """L1 distance (H, W) of the second embeddings of two label maps, as in ``SEMEDALoss``."""
    from mmrefine.models.edge_nets import load_edge_net

    network = load_edge_net(11)
    maps = torch.from_numpy(np.stack([truth, prediction])).long()
    with torch.inference_mode():
        features = F.pad(network.one_hot(maps), (2, 2, 2, 2), mode='replicate')
        features = network.convs[1](network.convs[0](features).relu())
    return np.asarray((features[0] - features[1]).abs().sum(0))


# Photographs as JPEG, drawings as PNG.
FIGURES = {'segfix.jpg': segfix, 'bpr.jpg': bpr, 'semeda.png': semeda}


def main() -> None:
    """Draw the figures that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [Path(name).stem for name in FIGURES]
    parser.add_argument('figures', nargs='*', help=f'of {", ".join(names)}; default: all')
    parser.add_argument('--out', type=Path, default=DOCS / 'images')
    args = parser.parse_args()
    unknown = set(args.figures) - set(names)
    if unknown:
        parser.error(f'expected figures among {", ".join(names)}, got {", ".join(unknown)}')
    for name, draw in FIGURES.items():
        if args.figures and Path(name).stem not in args.figures:
            continue
        path = args.out / f'how-{name}'
        if not cv2.imwrite(str(path), draw(), [cv2.IMWRITE_JPEG_QUALITY, 90]):
            parser.error(f'cannot write {path}')


if __name__ == '__main__':
    main()
