"""A folder of files with the masks of one image each; a file is written when its image is done."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files.find import check_out_folder, find_files, find_images
from ..files.image_ids import ImageIds
from ..files.mask_files import Replacement
from ..files.open_mask_file import SUFFIXES
from ..files.whole_files import write_whole_file
from ..ops.run_lengths import mask_codec
from .instance_files import MaskRules, notes_on
from .masks_of_image import MasksToRefine
from .source import ImageFile, Source
from .summary import Report
from .tasks import Change


@dataclass(frozen=True)
class FileTask:
    """A file with the masks of one image.

    Attributes:
        path: The file.
        out: Where the refined one goes.
        label: Its path below the folder, without suffix: the name of its image, where it does not
            say another.
        images: All images.
        rules: How masks are read and written.
    """

    path: Path
    out: Path
    label: str
    images: ImageIds
    rules: MaskRules

    @property
    def name(self) -> str:
        """The file, for messages."""
        return str(self.path)

    def is_done(self, source: Source) -> bool:
        """Whether the refined file is there."""
        return self.out.is_file()

    def run(self, source: Source) -> Change:
        """Refine the masks and write the file; broken ones stay as they are.

        Where all are broken, no file is written.

        Raises:
            ValueError: if the file is broken, or there is no image.
        """
        file = self.rules.open(self.path)
        replacements: dict[int, Replacement] = {}
        changed = pixels = 0
        notes: list[str] = []
        failed: list[str] = []
        for masks in file.images():
            if not masks.masks:
                continue
            name = self.label if masks.image_id == self.path.stem else masks.image_id
            try:
                image = self.images.find(name)
            except LookupError as error:
                raise ValueError(f'{self.path}: its image {error}') from error
            of_image = MasksToRefine(
                file, masks, ImageFile(image.path, [image.name]), self.rules.resize
            )
            change, kept = of_image.refine(source)
            changed, pixels = changed + change.changed, pixels + change.pixels
            replacements.update(kept.replacements)
            failed += kept.broken
            notes += notes_on(file, kept.empty, kept.cut)
        if failed and not pixels:
            self.out.unlink(missing_ok=True)  # of an earlier run
        else:
            write_whole_file(self.out, file.content(replacements))
        return Change(changed, pixels, '; '.join(notes) or None, tuple(failed))


class MaskFolder:
    """A folder of files with the masks of one image each: YOLO, LabelMe, Segment Anything.

    Args:
        images: Folder, file or pattern of images.
        folder: The files, in subfolders too.
        out: Folder for the refined ones, which keep their names.
        rules: How masks are read and written.

    Attributes:
        tasks: One for each file.
        missing: None: each task knows of its image.

    Raises:
        ValueError: if there are no files, or ``out`` is among the inputs.
    """

    of_instances = True
    fps: float | None = None
    remarks: Sequence[str] = ()

    def __init__(
        self,
        images: str | os.PathLike,
        folder: str | os.PathLike,
        out: str | os.PathLike,
        rules: MaskRules | None = None,
    ) -> None:
        mask_codec()
        check_out_folder(Path(out), [Path(images), Path(folder)])
        found = ImageIds(find_images(images), None, by_number=False)
        self.tasks = [
            FileTask(file.path, Path(out) / file.relative, file.name, found, rules or MaskRules())
            for file in find_files(folder, SUFFIXES)
            if file.path.name != 'classes.txt'  # of YOLO's tools, the names of classes
        ]
        self.missing: list[str] = []

    def is_finished(self) -> bool:
        """Each task knows of itself."""
        return False

    def finish(self) -> Report:
        """Nothing is left to write."""
        return Report(written=any(task.out.is_file() for task in self.tasks))
