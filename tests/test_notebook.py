"""The notebook of the demo: it runs, its masks gain, and what is kept in it is what comes out."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

nbformat = pytest.importorskip('nbformat', reason='pip install -r requirements/notebook.txt')

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / 'demo' / 'mmrefine_demo.ipynb'
TOLERANCES = (1, 2, 3)


@pytest.fixture(scope='module')
def kept() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def texts(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """What the cells printed and gave, without pictures, by the name of the cell."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get('outputs', ()):
            data = {k: v for k, v in output.get('data', {}).items() if k.startswith('text/')}
            text = ''.join([output.get('text', ''), *data.values()])
            found[cell.id] = found.get(cell.id, '') + text
    return found


def fscores(notebook: nbformat.NotebookNode) -> dict[str, np.ndarray]:
    """The table's boundary F-scores by photograph: 1, 2, 3 px × before and the refined ones."""
    number = r'│ +([\d.]+) +'
    row = re.compile(rf'│ (\w+) +│ boundary F-score, (\d) px +{3 * number}│')
    (output,) = next(cell.outputs for cell in notebook.cells if cell.id == 'table')
    found: dict[str, list] = {}
    for name, tolerance, *columns in row.findall(output.data['text/plain']):
        found.setdefault(name, []).append([float(value) for value in columns])
        assert int(tolerance) == TOLERANCES[len(found[name]) - 1]
    return {name: np.array(rows) for name, rows in found.items()}


def execute(run: Callable[..., CompletedProcess], out: Path, folder: Path, **environment: str):
    script = ('demo/run_notebook.py', '--out', str(out), '--folder', str(folder))
    own = {name: str(out.parent) for name in ('IPYTHONDIR', 'JUPYTER_RUNTIME_DIR')}
    return run(*script, **own, **environment)


@pytest.mark.parametrize('folder', ['.', pytest.param('demo', marks=pytest.mark.quick)])
def test_cells_run_and_masks_gain(folder: str, kept, run_fresh, tmp_path: Path) -> None:
    out = tmp_path / 'run.ipynb'
    done = execute(run_fresh, out, ROOT / folder)
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(out, as_version=4)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in kept.cells]
    found = fscores(notebook)
    assert sorted(found) == ['astronaut', 'coffee']
    for name, scores in found.items():
        assert scores.shape == (len(TOLERANCES), 3)
        assert (scores[:, 1:] > scores[:, :1]).all(), f'{name}: refined scores are not higher'
        # OpenCV's versions round differently.
        np.testing.assert_allclose(scores, fscores(kept)[name], atol=1, err_msg='make notebook')
    assert str(ROOT) not in ''.join(texts(notebook).values())


@pytest.fixture
def one_cell(tmp_path: Path) -> Callable[[str], Path]:
    """Return what makes a copy of the script and, beside it, a notebook of one cell."""

    def make(source: str) -> Path:
        script = tmp_path / 'run_notebook.py'
        script.write_text((ROOT / 'demo' / 'run_notebook.py').read_text('utf-8'), 'utf-8')
        cell = nbformat.v4.new_code_cell(source)
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / NOTEBOOK.name)
        return script

    return make


def test_kernel_is_this_python_whatever_is_installed(one_cell, run_fresh, tmp_path) -> None:
    spec = tmp_path / 'kernels' / 'python3' / 'kernel.json'
    spec.parent.mkdir(parents=True)
    spec.write_text('{"argv": ["no-such-python"], "display_name": "", "language": "python"}')
    script = one_cell('import sys\nprint(sys.executable)')
    done = run_fresh(str(script), JUPYTER_PATH=str(tmp_path), IPYTHONDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(tmp_path / NOTEBOOK.name, as_version=4)
    (output,) = notebook.cells[0].outputs
    assert output.text.strip() == sys.executable
    assert notebook.metadata.language_info == {'name': 'python'}
    assert not notebook.cells[0].metadata


def test_a_cell_that_fails_is_told_and_nothing_is_written(one_cell, run_fresh, tmp_path) -> None:
    script = one_cell('1 / 0')
    before = (tmp_path / NOTEBOOK.name).read_bytes()
    done = run_fresh(str(script), IPYTHONDIR=str(tmp_path))
    assert done.returncode != 0
    assert 'ZeroDivisionError' in done.stderr
    assert (tmp_path / NOTEBOOK.name).read_bytes() == before


def test_kept_notebook_is_complete_small_and_of_no_machine(kept) -> None:
    nbformat.validate(kept)
    assert NOTEBOOK.stat().st_size < 1.5e6
    assert set(kept.metadata) == {'kernelspec', 'language_info'}
    assert kept.metadata.language_info == {'name': 'python'}
    codes = [cell for cell in kept.cells if cell.cell_type == 'code']
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    assert not any(cell.metadata for cell in kept.cells)
    outputs = [output for cell in codes for output in cell.outputs]
    assert not [output for output in outputs if output.get('name') == 'stderr']
    assert sum('image/jpeg' in output.get('data', {}) for output in outputs) == 5
    paths = r'(?<!\w)/(home|root|tmp|usr|opt|work|mnt|Users)/|\b[A-Z]:\\'
    assert not re.search(paths, ''.join(texts(kept).values()))


def test_links_work(kept) -> None:
    text = '\n\n'.join(c.source for c in kept.cells if c.cell_type == 'markdown')
    links = re.findall(r'\]\(([^)#]+)', text)
    assert len(links) >= 5
    assert [link for link in links if not (NOTEBOOK.parent / link).is_file()] == []
