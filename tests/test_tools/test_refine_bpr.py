"""``tools/refine.py --method bpr`` on COCO results, Cityscapes result folders and label maps."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from instance_drawing import (
    IMAGE_END,
    LABELS,
    SIZES,
    draw_cityscapes,
    draw_images,
    draw_results,
    masks_of,
    read_mask,
)
from PIL import Image
from pycocotools import mask as coco_mask
from small_bpr import bpr_config

from mmrefine.refiners import BPRRefiner, bpr_refiner

# image_ids that need no annotations, and names of images by id.
NUMBERS = dict(zip(SIZES, (11, 7), strict=True))
NAMES = {frame: f'{frame}{IMAGE_END}.png' for frame in SIZES}
STEMS = {frame: f'{Path(frame).name}{IMAGE_END}' for frame in SIZES}


@pytest.fixture
def folder(tmp_path):
    draw_images(tmp_path / 'images')
    return tmp_path


@pytest.fixture
def bpr(run_tool, bpr_checkpoint, folder):
    """Run ``tools/refine.py --method bpr`` on ``images``."""

    def run(masks, out, *options):
        return run_tool(
            'refine.py', folder / 'images', folder / masks, folder / out,
            '--method', 'bpr', '--checkpoint', bpr_checkpoint, *options,
        )  # fmt: skip

    return run


@pytest.fixture
def refine(bpr_checkpoint, folder):
    """Refine the masks of a frame, from Python."""

    def run(frame, **options):
        refiner = BPRRefiner(checkpoint=bpr_checkpoint, **options)
        refined = refiner.refine(folder / 'images' / NAMES[frame], masks_of(frame))
        assert 0.001 < (refined != masks_of(frame)).mean() < 0.5
        return refined

    return run


def rename_by_number(images: Path) -> None:
    """Name images as COCO does."""
    for frame, number in NUMBERS.items():
        (images / NAMES[frame]).rename(images / f'{number:012}.jpg.png')
        (images / f'{number:012}.jpg.png').rename(images / f'{number:012}.png')


@pytest.mark.quick
@pytest.mark.parametrize('ids', [NUMBERS, NAMES, STEMS], ids=['numbers', 'names', 'stems'])
def test_coco_results_need_no_annotations(bpr, refine, folder, ids):
    before = draw_results(folder / 'r.json', ids)
    expected = {ids[frame]: refine(frame) for frame in SIZES}
    if ids is NUMBERS:
        rename_by_number(folder / 'images')
    outcome = bpr('r.json', 'out.json')
    assert outcome.status == 0, outcome.err
    assert outcome.err == ''
    assert 'refined 2; ' in outcome.out
    after = json.loads((folder / 'out.json').read_text())
    assert len(after) == len(before) == 6
    for old, new in zip(before, after, strict=True):
        mask = coco_mask.decode(new['segmentation'])
        assert np.array_equal(mask, expected[old['image_id']][LABELS.index(old['category_id'])])
        assert {**new, 'segmentation': 0} == {**old, 'segmentation': 0}
    assert [list(entry) for entry in after] == [list(entry) for entry in before]


def test_options_reach_the_refiner(bpr, refine, folder):
    draw_results(folder / 'r.json', NAMES)
    options = dict(iou_threshold=0.1, min_score_gain=0.2, batch_size=12)
    words = [w for k, v in options.items() for w in (f'--{k.replace("_", "-")}', str(v))]
    outcome = bpr('r.json', 'out.json', *words)
    assert outcome.status == 0, outcome.err
    by_frame = {frame: refine(frame, **options) for frame in SIZES}
    assert not all(np.array_equal(by_frame[frame], refine(frame)) for frame in SIZES)
    frames = {name: frame for frame, name in NAMES.items()}
    for entry in json.loads((folder / 'out.json').read_text()):
        expected = by_frame[frames[entry['image_id']]][LABELS.index(entry['category_id'])]
        assert np.array_equal(coco_mask.decode(entry['segmentation']), expected)


@pytest.mark.quick
@pytest.mark.parametrize('below', ['', 'results/val'])
def test_cityscapes_results(bpr, refine, folder, below):
    draw_cityscapes(folder / 'coarse', below)
    outcome = bpr('coarse', 'out')
    assert outcome.status == 0, outcome.err
    assert outcome.err == ''
    assert 'refined 2; ' in outcome.out
    assert '% of mask area changed' in outcome.out
    coarse, refined = (
        {p.relative_to(folder / n): p for p in (folder / n).rglob('[!.]*') if p.is_file()}
        for n in ('coarse', 'out')
    )
    assert refined.keys() == coarse.keys()
    assert len(refined) == 8
    for frame in SIZES:
        stem = Path(below) / STEMS[frame]
        name = Path(f'{stem}_pred.txt')
        assert refined[name].read_bytes() == coarse[name].read_bytes()
        for index, mask in enumerate(refine(frame)):
            name = Path(f'{stem}_{index}_thing.png')
            assert np.array_equal(read_mask(refined[name]), mask)
            with Image.open(coarse[name]) as before, Image.open(refined[name]) as after:
                assert after.mode == before.mode
                assert set(np.unique(after)) == set(np.unique(before))
    times = {path: path.stat().st_mtime_ns for path in refined.values()}
    assert 'refined 0, skipped 2 already there' in bpr('coarse', 'out').out
    assert {path: path.stat().st_mtime_ns for path in refined.values()} == times
    assert 'refined 2; ' in bpr('coarse', 'out', '--overwrite').out


def test_lists_named_after_frames(bpr, refine, folder):
    draw_cityscapes(folder / 'coarse')
    for path in (folder / 'coarse').glob('*_pred.txt'):
        path.rename(path.with_name(path.name.replace(IMAGE_END, '')))
    assert bpr('coarse', 'out').status == 0
    for frame in SIZES:
        assert (folder / 'out' / f'{Path(frame).name}_pred.txt').is_file()
        path = folder / 'out' / f'{STEMS[frame]}_0_thing.png'
        assert np.array_equal(read_mask(path), refine(frame)[0])


def draw_truth(path: Path, frame: str) -> None:
    """Instance ids as Cityscapes has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = np.full(SIZES[frame], 7, np.uint16)
    for label, mask in zip(LABELS, masks_of(frame), strict=True):
        ids[np.roll(mask, 2, axis=1)] = label * 1000
    cv2.imwrite(str(path), ids)


def test_cityscapesscripts_read_what_is_written(bpr, folder, monkeypatch):
    script = pytest.importorskip('cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling')
    monkeypatch.setattr(np, 'in1d', np.isin, raising=False)  # numpy 2.4 has it no longer
    draw_cityscapes(folder / 'coarse', 'val')
    assert bpr('coarse', 'out').status == 0

    def evaluate(results: Path) -> float:
        args = script.args
        args.predictionPath, args.predictionWalk = str(results), None
        args.JSONOutput, args.quiet, args.colorized = False, True, False
        args.gtInstancesFile = str(folder / f'{results.name}.gt.json')
        truth = [folder / f'{Path(frame).name}_gtFine_instanceIds.png' for frame in SIZES]
        for path, frame in zip(truth, SIZES, strict=True):
            draw_truth(path, frame)
        truth = [str(path) for path in truth]
        predictions = [script.getPrediction(path, args) for path in truth]
        assert all(path.startswith(f'{results}/val/') for path in predictions)
        # The steps of the script's evaluateImgLists, which leaves a file in the current folder.
        script.setInstanceLabels(args)
        instances = script.getGtInstances(truth, args)
        matches = script.matchGtWithPreds(predictions, truth, instances, args)
        return script.computeAverages(script.evaluateMatches(matches, args), args)['allAp']

    same = folder / 'same'
    shutil.copytree(folder / 'coarse', same)
    coarse, refined = evaluate(same), evaluate(folder / 'out')
    assert 0 < coarse < 1
    assert refined != coarse


def test_label_maps(run_tool, folders, bpr_checkpoint):
    outcome = run_tool(
        'refine.py', *(folders / n for n in ('images', 'masks', 'out')),
        '--method', 'bpr', '--checkpoint', bpr_checkpoint,
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert 'refined 4; ' in outcome.out
    assert '% of pixels changed' in outcome.out
    forms = {'a.png': 255, 'x/b.png': 255, 'x/c.png': None, 'd.npy': None}
    for name, ignored in forms.items():
        before, after = (
            np.load(p) if p.suffix == '.npy' else np.asarray(Image.open(p))
            for p in (folders / 'masks' / name, folders / 'out' / name)
        )
        refiner = BPRRefiner(checkpoint=bpr_checkpoint, ignore_index=ignored)
        image = (folders / 'images' / name).with_suffix('.jpg')
        assert after.dtype == before.dtype
        assert np.array_equal(after, refiner.refine(image, before))
        assert (after != before).any()


def test_config_of_the_network(run_tool, folder, bpr_checkpoint):
    """A config that trains a PatchRefiner stands for ``--method bpr``."""
    draw_results(folder / 'r.json', NAMES)
    (folder / 'config.py').write_text(f'model = {bpr_config()}')
    outs = []
    for number, option in enumerate((['--method', 'bpr'], ['--config', folder / 'config.py'])):
        out = folder / f'{number}.json'
        outcome = run_tool(
            'refine.py', folder / 'images', folder / 'r.json', out,
            *option, '--checkpoint', bpr_checkpoint,
        )  # fmt: skip
        assert outcome.status == 0, outcome.err
        outs.append(out.read_bytes())
    assert outs[0] == outs[1]


def test_without_the_shipped_weights(run_tool, folder, monkeypatch):
    monkeypatch.setattr(bpr_refiner.BPRRefiner, 'shipped', folder / 'absent.pth')
    draw_results(folder / 'r.json', NAMES)
    outcome = run_tool(
        'refine.py', folder / 'images', folder / 'r.json', folder / 'o.json', '--method', 'bpr'
    )
    assert outcome.status == 1
    assert outcome.err.startswith(
        'refine.py: error: checkpoint: the BPRRefiner weights that come with'
    )
    assert 'absent.pth does not exist' in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ('options', 'status', 'text'),
    [
        (['--iou-threshold', '1.5'], 2, '--iou-threshold: expected 0 to 1, got 1.5'),
        (['--batch-size', '0'], 2, '--batch-size: expected 1 or more, got 0'),
        (['--num-classes', '3'], 2, 'cityscapes: error: unrecognized arguments: --num-classes 3'),
        (['--annotations', 'a'], 2, 'unrecognized arguments: --annotations a'),
        (['--scale', '2'], 2, '--scale: has no effect with --method bpr'),
        (['--save-offsets', 'o'], 2, '--save-offsets: has no effect with --method bpr'),
    ],
)
def test_options_that_do_not_fit(bpr, folder, options, status, text):
    draw_cityscapes(folder / 'coarse')
    outcome = bpr('coarse', 'out', *options)
    assert outcome.status == status
    assert text in outcome.err


def test_segfix_on_cityscapes_results(run_tool, folder, checkpoint):
    """The format is every refiner's."""
    draw_cityscapes(folder / 'coarse')
    outcome = run_tool(
        'refine.py',
        folder / 'images',
        folder / 'coarse',
        folder / 'out',
        '--checkpoint',
        checkpoint,
    )
    assert outcome.status == 0, outcome.err
    assert len(list((folder / 'out').glob('*.png'))) == 6
    coarse = cv2.imread(str(next((folder / 'coarse').glob('*0_thing.png'))))
    assert coarse.max() == 1
