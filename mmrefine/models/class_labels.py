"""Label maps that must fit a number of classes."""

from torch import Tensor


def check_labels(labels: Tensor, num_classes: int, ignore_index: int) -> None:
    """Raise a ValueError if there are labels that are neither classes nor ignored."""
    lowest, highest = (int(v) for v in labels.masked_fill(labels == ignore_index, 0).aminmax())
    if lowest < 0 or highest >= num_classes:
        raise ValueError(
            f'label: expected 0 to {num_classes - 1} or {ignore_index} (ignored), got '
            f'{lowest if lowest < 0 else highest}; num_classes of the head must be that of the data'
        )
