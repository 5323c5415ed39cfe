"""The check of the installed mm* distributions, on metadata as pip writes it."""

import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mmrefine import __version__
from mmrefine.frameworks import FAMILIES, REQUIRED_MODULES

ROOT = Path(__file__).parent.parent
ONEDL = {'onedl-mmcv': '2.3.6', 'onedl-mmengine': '0.10.12', 'onedl-mmsegmentation': '1.4.2'}
OPENMMLAB = {'mmcv': '2.1.0', 'mmengine': '0.10.7', 'mmsegmentation': '1.2.2'}
MM_ENTRY = re.compile(r'(onedl_)?mm(cv|engine|seg|det|refine)|__editable__')


@pytest.fixture(scope='module')
def packages_without_mm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything installed here except the mm* packages."""
    folder = tmp_path_factory.mktemp('site-packages')
    entries = [
        entry
        for entry in Path(sysconfig.get_path('purelib')).iterdir()
        if not MM_ENTRY.match(entry.name) and entry.suffix != '.pth'
    ]
    assert {'torch', 'numpy', 'packaging'} <= {entry.name for entry in entries}
    for entry in entries:
        (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def run_with(
    packages_without_mm: Path, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess]:
    """Run code where exactly the given mm* distributions have left their metadata."""

    def run(code: str, installed: dict[str, str]) -> subprocess.CompletedProcess:
        for name, version in installed.items():
            folder = tmp_path / f'{name.replace("-", "_")}-{version}.dist-info'
            folder.mkdir()
            text = f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
            (folder / 'METADATA').write_text(text)
        # -S leaves out the site-packages of the environment the suite runs in; ours come last,
        # as they would, behind the standard library.
        start = f'import sys; sys.path.append({str(packages_without_mm)!r})'
        return subprocess.run(
            [sys.executable, '-S', '-c', f'{start}\n{code}'],
            cwd=tmp_path,
            env={'PYTHONPATH': f'{tmp_path}:{ROOT}', 'OMP_NUM_THREADS': '1'},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    'installed',
    [
        {},
        ONEDL,
        ONEDL | {'onedl-mmdetection': '3.5.1'},
        OPENMMLAB,
        OPENMMLAB | {'mmdet': '3.3.0', 'mmcv': '2.1.0+cu121'},
        {'mmengine': '0.10.7'},
        # Only the known distributions are judged.
        ONEDL | {'mmpretrain': '1.2.0'},
    ],
)
def test_accepted(run_with, installed):
    result = run_with('import mmrefine; print(mmrefine.__version__)', installed)
    assert result.stdout.strip() == __version__, result.stderr


@pytest.mark.parametrize(
    ('installed', 'found', 'accepted'),
    [
        (ONEDL | {'onedl-mmcv': '2.4.0'}, 'onedl-mmcv 2.4.0', 'onedl-mmcv>=2.3.0,<2.4'),
        (ONEDL | {'onedl-mmcv': '2.2.1'}, 'onedl-mmcv 2.2.1', 'onedl-mmcv>=2.3.0,<2.4'),
        (
            ONEDL | {'onedl-mmengine': '0.10.11'},
            'onedl-mmengine 0.10.11',
            'onedl-mmengine>=0.10.12,<0.11',
        ),
        (
            ONEDL | {'onedl-mmdetection': '4.0.0'},
            'onedl-mmdetection 4.0.0',
            'onedl-mmdetection>=3.5.0,<3.6',
        ),
        (OPENMMLAB | {'mmcv': '2.2.0'}, 'mmcv 2.2.0', 'mmcv>=2.1.0,<2.2'),
        (OPENMMLAB | {'mmcv': '2.2.0rc1'}, 'mmcv 2.2.0rc1', 'mmcv>=2.1.0,<2.2'),
        (
            OPENMMLAB | {'mmsegmentation': '0.30.0'},
            'mmsegmentation 0.30.0',
            'mmsegmentation>=1.2.2,<1.3',
        ),
        ({'mmdet': '2.28.0'}, 'mmdet 2.28.0', 'mmdet>=3.3.0,<3.4'),
    ],
)
def test_out_of_range(run_with, installed, found, accepted):
    result = run_with('import mmrefine', installed)
    assert result.returncode != 0
    assert 'ImportError: mmrefine does not work with' in result.stderr
    specifier = accepted[re.search('[<>=]', accepted).start() :]
    assert f'  {found} was found, {specifier} is accepted' in result.stderr
    assert f"with: pip install '{accepted}'\n" in result.stderr


def test_every_wrong_version_is_named_at_once(run_with):
    result = run_with('import mmrefine', {'mmcv': '1.7.2', 'mmengine': '0.9.0', 'mmdet': '3.3.0'})
    assert "pip install 'mmcv>=2.1.0,<2.2' 'mmengine>=0.10.3,<0.11'\n" in result.stderr


@pytest.mark.parametrize(
    ('installed', 'remove'),
    [
        (ONEDL | {'mmcv': '2.1.0'}, 'onedl-mmcv onedl-mmengine onedl-mmsegmentation mmcv'),
        (
            {'onedl-mmcv': '2.3.6', 'mmengine': '0.10.7', 'mmsegmentation': '1.2.2'},
            'onedl-mmcv mmengine mmsegmentation',
        ),
    ],
)
def test_mixed_families(run_with, installed, remove):
    result = run_with('import mmrefine', installed)
    assert result.returncode != 0
    assert 'two families of mm* distributions are installed' in result.stderr
    assert '  OneDL: onedl-mmcv 2.3.6' in result.stderr
    assert f'pip uninstall -y {remove}\n' in result.stderr
    commands = [line for line in result.stderr.splitlines() if line.startswith('  pip install')]
    assert [len(shlex.split(line)) for line in commands] == [5, 5]


def test_array_functions_need_no_mm_package(run_with):
    code = """
import numpy as np
from mmrefine.measures import boundary_fscore
from mmrefine.ops import boundary_map
import sys
labels = np.zeros((4, 9), np.uint8)
labels[:, 5:] = 1
print(boundary_map(labels, width=1)[0].tolist(), boundary_fscore.__name__)
assert not {name.split('.')[0] for name in sys.modules} & {'mmcv', 'mmengine', 'mmseg', 'mmdet'}
"""
    result = run_with(code, {})
    assert result.stdout == '[0, 0, 0, 0, 1, 1, 0, 0, 0] boundary_fscore\n', result.stderr


def test_registry_says_how_to_get_what_is_missing(run_with):
    result = run_with('import mmrefine.registry', {})
    assert 'ImportError: this part of mmrefine needs mmcv, mmengine, mmseg' in result.stderr
    command = result.stderr.splitlines()[-1].removeprefix('Get it with: pip install ')
    wanted = [dist.requirement for dist in FAMILIES['OneDL'] if dist.module in REQUIRED_MODULES]
    assert shlex.split(command) == wanted


def test_missing_part_is_asked_for_in_the_family_that_is_there(run_with):
    result = run_with("import mmrefine.frameworks as f; f.require('mmdet')", {'mmcv': '2.1.0'})
    assert "Get it with: pip install 'mmdet>=3.3.0,<3.4'\n" in result.stderr


def test_import_is_light(run_fresh):
    code = """
import sys
import mmrefine
print({name.split('.')[0] for name in sys.modules} & {'torch', 'cv2', 'mmcv', 'mmengine'})
"""
    result = run_fresh('-c', code)
    assert result.stdout == 'set()\n', result.stderr


def read_requirements(name: str) -> dict[str, Requirement]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith('#')]
    assert requirements
    return {requirement.name: requirement for requirement in requirements}


@pytest.mark.parametrize(('family', 'name'), [('OneDL', 'onedl'), ('OpenMMLab', 'openmmlab')])
def test_requirement_files_say_the_same(family, name):
    files = read_requirements(name) | read_requirements(f'{name}-det')
    pins = read_requirements(f'constraints-{name}')
    for dist in FAMILIES[family]:
        assert files[dist.name].specifier == Requirement(dist.requirement).specifier
        pin = str(pins[dist.name].specifier).removeprefix('==')
        assert files[dist.name].specifier.contains(pin)


def test_nothing_mm_is_installed_over_what_a_user_has():
    assert not [name for name in read_requirements('runtime') if 'mm' in name]


def test_version_is_the_same_everywhere():
    assert f'version: {__version__}\n' in (ROOT / 'CITATION.cff').read_text()
    assert f'## {__version__} ' in (ROOT / 'CHANGELOG.md').read_text()
