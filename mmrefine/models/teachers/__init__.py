"""Frozen networks that others learn from."""

from .class_groups import ClassGroups, read_groups
from .segmentation_teacher import SegmentationTeacher

__all__ = ['ClassGroups', 'SegmentationTeacher', 'read_groups']
