"""The metrics on two processes that share the images, against one."""

import json
from pathlib import Path

import numpy as np

from .evaluate_on_processes import main

SCRIPT = Path(__file__).parent / 'evaluate_on_processes.py'


def test_two_processes_give_the_figures_of_one(run_fresh, annotation_file, tmp_path):
    main(tmp_path / 'one.json', str(annotation_file))
    launch = ('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', SCRIPT)
    result = run_fresh(*map(str, (*launch, tmp_path / 'two.json', annotation_file)))
    assert result.returncode == 0, result.stderr
    one, two = (json.loads((tmp_path / name).read_text()) for name in ('one.json', 'two.json'))
    assert list(one) == list(two)
    for name, figure in one.items():
        np.testing.assert_array_equal(two[name], figure, err_msg=name)
    assert one['mIoU_gain'] > 1
    assert one['instance/af_gain'] > 1
