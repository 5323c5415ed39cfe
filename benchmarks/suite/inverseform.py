"""What InverseForm adds to a training step, with the shipped inverse network."""

from ..cases import Call, case
from .losses import REFERENCE, training_step


@case('training step with InverseForm, 256x512', REFERENCE)
def inverseform(device: str) -> tuple[Call, Call]:
    """On the edges of the class probabilities, without a boundary head."""
    return training_step(dict(type='mmrefine.InverseFormLoss', boundary='classes'), device)
