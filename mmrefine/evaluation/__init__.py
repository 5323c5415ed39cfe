"""Metrics, registered with ``mmrefine.registry.METRICS``."""

from .segfix_metric import SegFixMetric

__all__ = ['SegFixMetric']
