"""Fields that this package adds to the data samples of mmseg and mmdet."""
