"""OpenCV's own messages, which the tools replace by one line for each file."""

import cv2


def silence_opencv() -> None:
    """Stop OpenCV from printing warnings about broken images; libpng's own lines stay."""
    if hasattr(cv2, 'setLogLevel'):
        cv2.setLogLevel(0)
    else:  # OpenCV 5, whose type hints do not know it
        vars(cv2.utils)['logging'].setLogLevel(0)
