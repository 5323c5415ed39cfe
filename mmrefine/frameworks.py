"""Which mm* distributions mmrefine works with, and what to say when others are installed.

Two families of distributions provide the same modules: OpenMMLab's originals and the maintained
OneDL line. Their versions are read from the metadata that pip leaves, so nothing is imported to
know them.
"""

import contextlib
import importlib
import io
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import NamedTuple

from packaging.specifiers import SpecifierSet


class Distribution(NamedTuple):
    """One installable package, the module it provides and the versions that work."""

    module: str
    name: str
    versions: str

    @property
    def requirement(self) -> str:
        """The requirement as pip takes it."""
        return f'{self.name}{self.versions}'


FAMILIES = {
    'OneDL': (
        Distribution('mmcv', 'onedl-mmcv', '>=2.3.0,<2.4'),
        Distribution('mmengine', 'onedl-mmengine', '>=0.10.12,<0.11'),
        Distribution('mmseg', 'onedl-mmsegmentation', '>=1.4.0,<1.5'),
        Distribution('mmdet', 'onedl-mmdetection', '>=3.5.0,<3.6'),
    ),
    'OpenMMLab': (
        Distribution('mmcv', 'mmcv', '>=2.1.0,<2.2'),
        Distribution('mmengine', 'mmengine', '>=0.10.3,<0.11'),
        Distribution('mmseg', 'mmsegmentation', '>=1.2.2,<1.3'),
        Distribution('mmdet', 'mmdet', '>=3.3.0,<3.4'),
    ),
}
# The family whose command is given where nothing is installed yet.
MAINTAINED = 'OneDL'
REQUIRED_MODULES = ('mmcv', 'mmengine', 'mmseg')


def check_installed() -> None:
    """Check what is installed of both families; what is missing is no fault here.

    Raises:
        ImportError: two families are mixed, or a version is out of range. The text names what
            was found, what is accepted and the command to get it.
    """
    installed = _installed_versions()
    if len(installed) > 1:
        raise ImportError(_mixed_text(installed))
    for family, found in installed.items():
        wrong = [dist for dist in found if not _accepts(dist, found[dist])]
        if wrong:
            raise ImportError(_out_of_range_text(family, found, wrong))


def require(*modules: str) -> None:
    """Check that the given mm* modules are there.

    A module that is there without a known distribution (a checkout on ``PYTHONPATH``, somebody's
    own build) is taken as it is.

    Args:
        *modules: Import names, for example ``'mmengine'``, ``'mmdet'``.

    Raises:
        ImportError: one of them cannot be found. The text gives the command to get it, in the
            family that is partly installed, else in the maintained one.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if not missing:
        return
    family = next(iter(_installed_versions()), MAINTAINED)
    needed = [dist for dist in FAMILIES[family] if dist.module in missing]
    raise ImportError(
        f'this part of mmrefine needs {", ".join(missing)}, which cannot be found.\n'
        f'Get it with: {_install_command(needed)}'
    )


def import_quietly(*modules: str) -> None:
    """Import mm* packages without what they print of libraries that nothing here needs.

    The maintained line's data sets print "Could not import OneDL" on standard output.
    """
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for name in modules:
            if find_spec(name.partition('.')[0]) is not None:
                importlib.import_module(name)
    for line in printed.getvalue().splitlines():
        if not line.startswith('Could not import OneDL'):
            sys.stdout.write(f'{line}\n')


def _installed_versions() -> dict[str, dict[Distribution, str]]:
    """Return the installed distributions and their versions, for each family that has any."""
    installed: dict[str, dict[Distribution, str]] = {}
    for family, distributions in FAMILIES.items():
        for dist in distributions:
            try:
                installed.setdefault(family, {})[dist] = version(dist.name)
            except PackageNotFoundError:
                continue
    return {family: found for family, found in installed.items() if found}


def _accepts(dist: Distribution, found: str) -> bool:
    return SpecifierSet(dist.versions).contains(found, prereleases=True)


def _install_command(distributions: list[Distribution]) -> str:
    return 'pip install ' + ' '.join(f"'{dist.requirement}'" for dist in distributions)


def _mixed_text(installed: dict[str, dict[Distribution, str]]) -> str:
    found = '\n'.join(
        f'  {family}: ' + ', '.join(f'{dist.name} {number}' for dist, number in versions.items())
        for family, versions in installed.items()
    )
    every = [dist for versions in installed.values() for dist in versions]
    modules = {*REQUIRED_MODULES, *(dist.module for dist in every)}
    choices = '\n'.join(
        f'  {_install_command([dist for dist in distributions if dist.module in modules])}'
        for distributions in FAMILIES.values()
    )
    return (
        'two families of mm* distributions are installed, which provide the same modules and '
        f'cannot be mixed. Found:\n{found}\n'
        f'Remove both with:\n  pip uninstall -y {" ".join(dist.name for dist in every)}\n'
        f'and install one of them, {" or ".join(FAMILIES)}:\n{choices}'
    )


def _out_of_range_text(
    family: str, found: dict[Distribution, str], wrong: list[Distribution]
) -> str:
    lines = '\n'.join(
        f'  {dist.name} {found[dist]} was found, {dist.versions} is accepted' for dist in wrong
    )
    return (
        f'mmrefine does not work with what is installed of the {family} distributions:\n{lines}\n'
        f'Get an accepted version with: {_install_command(wrong)}'
    )
