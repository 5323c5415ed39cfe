"""Images with COCO annotations, for learning boundaries between instances."""

from mmengine.dataset import BaseDataset
from mmengine.fileio import join_path

from ..files.instances import read_annotations
from ..registry import DATASETS


@DATASETS.register_module()
class CocoInstanceMapDataset(BaseDataset):
    """Images and their annotated instances, for SegFix on instances (Section 4.4).

    The pipeline paints instance ids with ``mmrefine.PaintInstanceMap`` where it would else have
    ``LoadAnnotations``.

    Args:
        ann_file: COCO annotations (LVIS's, too).
        kwargs: As for mmengine's ``BaseDataset``: ``data_root``,
            ``data_prefix=dict(img_path=...)``, ``pipeline``, ``test_mode``, ...

    Raises:
        ValueError: if the file is missing or broken, or has no image with instances.
    """

    METAINFO = dict(classes=('interior', 'boundary'))

    def load_data_list(self) -> list[dict]:
        """One entry an image that has instances."""
        folder = self.data_prefix.get('img_path', '')
        entries = [
            dict(
                img_path=join_path(folder, image.file_name),
                instances=image.instances,
                reduce_zero_label=False,
                seg_fields=[],
            )
            for image in read_annotations(self.ann_file)
            if image.instances
        ]
        if not entries:
            raise ValueError(f'{self.ann_file}: no image has instances to learn from')
        return entries
