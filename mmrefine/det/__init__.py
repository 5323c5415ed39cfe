"""What touches mmdet; imported only where mmdet and the compiled ops of mmcv are there."""
