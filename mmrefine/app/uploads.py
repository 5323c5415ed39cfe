"""Files that somebody uploaded, refined by the code that refines any files."""

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from ..batch.instance_files import MaskRules, ResultFile
from ..batch.label_maps import LabelMaps
from ..batch.mask_folder import MaskFolder
from ..batch.tasks import Work, run_tasks
from ..files.find import IMAGE_SUFFIXES
from ..files.json_files import read_json
from ..files.label_ids import LabelRules
from ..files.label_maps import LABEL_SUFFIXES, read_label_map
from ..refiners import Refiner
from ..refiners.base import is_binary_mask
from .views import View, WatchingSource

# No pickles: reading some runs what is in them.
MASK_SUFFIXES = (*LABEL_SUFFIXES, '.json', '.txt')
SUFFIXES = dict(images=IMAGE_SUFFIXES, masks=MASK_SUFFIXES)


@dataclass
class Outcome:
    """What came out.

    Attributes:
        result: The refined file; of several, an archive of them.
        views: What the page shows, an entry an image.
        notes: What the user should know.
    """

    result: Path
    views: list[View]
    notes: list[str] = field(default_factory=list)


def safe_name(name: str, kind: str) -> str:
    """The name that an uploaded file gets: its last part, of plain letters.

    Args:
        name: What the browser calls it.
        kind: ``'images'`` or ``'masks'``.

    Raises:
        ValueError: if it ends otherwise than files of its kind.
    """
    last = PurePosixPath(name.replace('\\', '/')).name
    plain = re.sub(r'[^\w.() +-]', '_', last).lstrip('.')[-100:]
    allowed = SUFFIXES[kind]
    if Path(plain).suffix.lower() not in allowed or not Path(plain).stem:
        what = 'an image' if kind == 'images' else 'masks'
        raise ValueError(f'{last or "a file without name"}: not {what}: {", ".join(allowed)}')
    return plain


def refine_uploads(
    folder: Path,
    refiner: Refiner,
    most_pixels: int,
    progress: Callable[[int, int], None],
    resize: bool = False,
) -> Outcome:
    """Refine the masks in ``folder/masks`` on the images in ``folder/images``.

    Args:
        folder: Results go into it, too.
        refiner: Any refiner.
        most_pixels: Larger images are refused.
        progress: Called with how many images are done, and how many there are.
        resize: Whether masks of another size than their image are brought to it.

    Raises:
        ValueError: one sentence on what cannot be read.
    """
    images, masks, out = folder / 'images', folder / 'masks', folder / 'out'
    found, of_masks = _files(images), _files(masks)
    for path in [*found, *(path for path in of_masks if path.suffix.lower() == '.png')]:
        _check_size(path, most_pixels)
    work = _open(images, masks, out, resize)
    source = WatchingSource(refiner, folder / 'views')
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, len(work.tasks))

    progress(0, len(work.tasks))
    report = run_tasks(work.tasks, source, progress=step)
    report.failed += work.missing
    end = work.finish()
    notes = [*work.remarks, *report.notes, *end.notes, *report.failed, *end.failed]
    if not report.refined or not end.written:
        raise ValueError(
            (report.failed or end.failed or notes or ['there are no masks to refine'])[0]
        )
    return Outcome(_packed(out, folder), source.views, list(dict.fromkeys(notes)))


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    if not found:
        raise ValueError(f'there are no {folder.name}: give at least one file')
    return found


def _check_size(path: Path, most_pixels: int) -> None:
    """Refuse a picture by the size that its head claims, before it is decoded."""
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f'{path.name}: is not an image, or is incomplete') from error
    if width * height > most_pixels:
        raise ValueError(
            f'{path.name}: has {width}x{height} pixels, expected {most_pixels / 1e6:.0f} '
            'megapixels at most'
        )


def _open(images: Path, masks: Path, out: Path, resize: bool) -> Work:
    files = _files(masks)
    suffixes = {path.suffix.lower() for path in files}
    if suffixes <= set(LABEL_SUFFIXES):
        return _label_maps(images, masks, out, files, resize)
    if len(files) == 1 and suffixes == {'.json'}:
        out.mkdir()
        names = _names_of_ids(files[0], _files(images))
        rules = MaskRules(resize=resize)
        return ResultFile(images, files[0], names, out / files[0].name, rules=rules)
    if len(suffixes) == 1:
        return MaskFolder(images, masks, out, MaskRules(resize=resize))
    raise ValueError(f'masks: expected files of one kind, got {", ".join(sorted(suffixes))}')


def _label_maps(images: Path, masks: Path, out: Path, files: list[Path], resize: bool) -> LabelMaps:
    binary = all(is_binary_mask(_labels(path)) for path in files)
    rules = LabelRules(None) if binary else LabelRules()
    found = _files(images)
    if len(found) == len(files) == 1:  # whatever they are called
        return LabelMaps(found[0], files[0], out / files[0].name, rules, resize=resize)
    return LabelMaps(images, masks, out, rules, resize=resize)


def _labels(path: Path) -> np.ndarray:
    form = read_label_map(path, colours=True)
    return np.zeros((1, 1), np.int64) if form.rgb else form.labels


def _names_of_ids(path: Path, images: list[Path]) -> Path | None:
    """Annotations that name the only image, for results that are all of one image."""
    content: Any = read_json(path)
    if len(images) != 1 or not isinstance(content, list):
        return None
    ids = {entry.get('image_id') if isinstance(entry, dict) else None for entry in content}
    if len(ids) != 1 or not isinstance(next(iter(ids)), int | str):
        return None
    with Image.open(images[0]) as image:
        width, height = image.size
    entry = dict(id=next(iter(ids)), file_name=images[0].name, width=width, height=height)
    written = path.parent.parent / 'names.json'
    written.write_text(json.dumps(dict(images=[entry], annotations=[], categories=[])))
    return written


def _packed(out: Path, folder: Path) -> Path:
    files = [path for path in sorted(out.iterdir()) if not path.name.startswith('.')]
    if len(files) == 1:
        return files[0]
    archive = folder / 'refined.zip'
    with zipfile.ZipFile(archive, 'w', zipfile.ZIP_STORED) as packed:
        for path in files:
            packed.write(path, path.name)
    return archive
