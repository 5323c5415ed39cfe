"""Both mims for real, and the docs on them: training, testing and running what is installed.

openmim 0.3.9 works after a normal install, and in a checkout that setuptools older than 64 installs
as ``develop``; onedl-mim 0.5.1 in a checkout. Each sits in an environment of its own, which is kept
in pytest's cache and sees the packages of the environment the suite runs in.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_blocks import commands

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
CHECKOUT = (
    *('mmrefine', 'configs', 'tools', 'requirements'),
    *('setup.py', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE', 'model-index.yml'),
)
OPENMIM = 'openmim==0.3.9'
ONEDL_MIM = 'onedl-mim==0.5.1'


class Environment:
    """An environment with one mim; ``extra`` folders come first on its path."""

    def __init__(self, folder: Path, extra: Path | None = None) -> None:
        self.python = folder / 'bin' / 'python'
        self.extra = extra

    def run(self, *args: object, cwd: Path | None = None) -> str:
        """Run a command and return what it printed."""
        variables = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
        if self.extra:
            variables['PYTHONPATH'] = str(self.extra)
        result = subprocess.run(
            [str(arg) for arg in args],
            cwd=cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout[-5000:]
        return result.stdout

    def pip(self, *args: object) -> None:
        """Run the suite's pip for this environment."""
        self.run(sys.executable, '-m', 'pip', '--python', self.python, *args)

    def mim(self, *args: object, cwd: Path) -> str:
        """Run mim from a folder that is not the checkout."""
        return self.run(self.python, '-m', 'mim', *args, cwd=cwd)


def bare_environment(folder: Path) -> None:
    """Make an environment that sees the packages of the suite's."""
    subprocess.run(
        [sys.executable, '-m', 'venv', '--without-pip', '--clear', str(folder)], check=True
    )
    purelib = sysconfig.get_path('purelib')
    relative = Path(purelib).relative_to(sys.prefix)
    (folder / relative / 'suite.pth').write_text(f'{purelib}\n')


def environment_with(request: pytest.FixtureRequest, requirement: str) -> Path:
    """Return the folder of an environment with a mim, made where the cache has none."""
    name = f'{requirement.replace("==", "-")}-{Path(sys.prefix).name.lstrip(".")}'
    folder = Path(request.config.cache.mkdir(name))
    ready = folder / 'ready'
    if not ready.exists():
        bare_environment(folder)
        Environment(folder).pip('install', '-q', requirement)
        ready.touch()
    return folder


@pytest.fixture(scope='module')
def openmim(request: pytest.FixtureRequest) -> Path:
    return environment_with(request, OPENMIM)


@pytest.fixture(scope='module')
def onedl_mim(request: pytest.FixtureRequest) -> Path:
    return environment_with(request, ONEDL_MIM)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the repository without what tests and tools leave in it."""
    folder = tmp_path / 'checkout'
    folder.mkdir()
    ignore = shutil.ignore_patterns('__pycache__', '.mim')
    for name in CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / 'work'
    folder.mkdir()
    return folder


@pytest.fixture
def installed(openmim: Path, checkout: Path, tmp_path: Path) -> Environment:
    """mmrefine installed as users do, from a built wheel, beside openmim."""
    target = tmp_path / 'site'
    environment = Environment(openmim, target)
    environment.pip(
        *('install', '-q', '--no-deps', '--no-build-isolation', '--target', target, checkout)
    )
    return environment


def install_editable(environment: Environment, checkout: Path) -> Iterator[Environment]:
    environment.pip('install', '-q', '--no-deps', '--no-build-isolation', '-e', checkout)
    yield environment
    environment.pip('uninstall', '-q', '-y', 'mmrefine')


@pytest.fixture
def openmim_checkout(openmim: Path, checkout: Path) -> Iterator[Environment]:
    yield from install_editable(Environment(openmim), checkout)


@pytest.fixture
def onedl_checkout(onedl_mim: Path, checkout: Path) -> Iterator[Environment]:
    yield from install_editable(Environment(onedl_mim), checkout)


def train_and_test(
    environment: Environment, config: object, options: list[str], work: Path
) -> Path:
    """Train for an iteration, test what came out, and return the checkpoint."""
    environment.mim('train', 'mmrefine', config, '--gpus', 0, '--work-dir', 'w', *options, cwd=work)
    checkpoint = work / 'w' / 'iter_1.pth'
    assert checkpoint.is_file()
    printed = environment.mim(
        *('test', 'mmrefine', config, '--checkpoint', checkpoint, '--work-dir', 't', *options),
        cwd=work,
    )
    assert 'Testing finished successfully' in printed
    assert list((work / 't').glob('*/*.json'))
    return checkpoint


def refine(
    environment: Environment, data: Path, config: Path, checkpoint: Path, work: Path
) -> None:
    """Refine the labels of a tiny data set with the network that was just trained."""
    environment.mim(
        *(
            'run',
            'mmrefine',
            'refine',
            data / 'img_dir' / 'val',
            data / 'ann_dir' / 'val',
            'refined',
        ),
        *('--config', config, '--checkpoint', checkpoint),
        cwd=work,
    )
    assert {path.name for path in (work / 'refined').glob('*.png')} == {'0.png', '1.png', '2.png'}


def test_openmim_after_a_normal_install(
    installed, checkout, small_config, small_run, camvid_folder, work
):
    package = installed.extra / 'mmrefine'
    assert {'tools', 'configs', 'model-index.yml'} == {p.name for p in (package / '.mim').iterdir()}
    assert (package / '.mim' / 'configs' / 'segfix' / small_config.name).is_file()
    assert (package / 'py.typed').is_file()
    weights = {path.name for path in (ROOT / 'mmrefine' / 'weights').glob('*.pth')}
    assert weights
    assert {path.name for path in (package / 'weights').iterdir()} >= weights
    assert not (checkout / 'build').exists(), (
        'a left-over build/ gives onedl-mim every config twice'
    )
    checkpoint = train_and_test(installed, small_config.name, small_run(1), work)
    refine(installed, camvid_folder, small_config, checkpoint, work)


def test_openmim_in_a_checkout(openmim_checkout, checkout, small_config, small_run, work):
    config = checkout / 'configs' / 'segfix' / small_config.name
    args = ('--work-dir', 'w', *small_run(1))
    openmim_checkout.mim('run', 'mmrefine', 'train', config, *args, cwd=work)
    assert (work / 'w' / 'iter_1.pth').is_file()


def test_onedl_mim_in_a_checkout(onedl_checkout, small_config, small_run, camvid_folder, work):
    checkpoint = train_and_test(onedl_checkout, small_config.name, small_run(1), work)
    refine(onedl_checkout, camvid_folder, small_config, checkpoint, work)


def test_the_commands_of_the_docs_in_a_new_environment(
    tmp_path, checkout, small_config, small_run, work
):
    """As the page has them, in its order; with a small data set and no GPU."""
    page = [command.words for command in commands(ROOT / 'docs' / 'train.md')]
    last = next(index for index, words in enumerate(page) if words[:2] == ['mim', 'train'])
    installs, train = page[last - 2 : last], page[last]
    assert [words[:2] for words in installs] == [['pip', 'install']] * 2
    folder = tmp_path / 'new'
    bare_environment(folder)
    environment = Environment(folder)
    for words in installs:
        command = [sys.executable, '-m', 'pip', '--python', environment.python, *words[1:], '-q']
        done = subprocess.run(
            [str(word) for word in command], cwd=checkout, capture_output=True, text=True
        )
        if done.returncode and words[-1] != '.':
            pytest.skip(f'needs a package index: {done.stderr.strip().splitlines()[-1]}')
        assert done.returncode == 0, done.stderr
    assert (folder / 'bin' / 'mmrefine').is_file()
    name, options = train[3], ['--gpus', '0', '--work-dir', 'w', *small_run(1)]
    assert list((checkout / 'configs').rglob(name)), 'mim is told a config that is there'
    environment.run(folder / 'bin' / 'mim', *train[1:3], small_config.name, *options, cwd=work)
    assert (work / 'w' / 'iter_1.pth').is_file()
