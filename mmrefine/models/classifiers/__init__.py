"""Classifiers of images, whose backbones segmentation starts from."""

from .ffnet_classifier import FFNetClassifier

__all__ = ['FFNetClassifier']
