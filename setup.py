import re
import shutil
import sys
import tempfile
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
# A build/ left in the checkout would hold a second copy of configs/, and mim, which looks a
# config up by its base name, would then find two.
BUILD_BASE = tempfile.TemporaryDirectory()


def read_version() -> str:
    """Read the version as text: importing the package needs what setup is about to install."""
    text = (ROOT / 'mmrefine' / 'version.py').read_text(encoding='utf-8')
    return re.search(r"^__version__ = '([^']+)'$", text, re.MULTILINE).group(1)


def read_requirements(name: str) -> list[str]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith(('#', '-r'))]


class BuildWithMim(build_py):
    """Put what mim looks for into the wheel: ``mmrefine/.mim/{tools,configs,model-index.yml}``.

    Not in editable mode, where mim takes the folders of the checkout.
    """

    def run(self):
        super().run()
        if getattr(self, 'editable_mode', False):
            return
        target = Path(self.build_lib) / 'mmrefine' / '.mim'
        for folder in ('tools', 'configs'):
            shutil.copytree(
                ROOT / folder,
                target / folder,
                ignore=shutil.ignore_patterns('__pycache__'),
                dirs_exist_ok=True,
            )
        shutil.copy2(ROOT / 'model-index.yml', target)


def link_tools():
    """Let openmim find the scripts of a checkout that setuptools installs as ``develop``.

    Only the scripts: a second way to ``configs/`` would give onedl-mim every config twice.
    """
    link = ROOT / 'mmrefine' / '.mim' / 'tools'
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(Path('..', '..', 'tools'))


# What pip calls for an editable install where setuptools is older than 64, as openmim needs it.
if 'develop' in sys.argv:
    link_tools()

setup(
    name='mmrefine',
    version=read_version(),
    description='Right boundaries for segmentation masks, inside OpenMMLab tools',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='computer vision, semantic segmentation, instance segmentation, boundary refinement',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3 :: Only',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
    packages=find_packages(include=['mmrefine', 'mmrefine.*']),
    package_data={
        'mmrefine': [
            'py.typed',
            'weights/*',
            'app/page.*',
            'methods/new_configs/*.jinja',
            'reports/*.html',
            'reports/*.css',
            'reports/*.js',
            'models/teachers/groups/*.json',
        ]
    },
    python_requires='>=3.10',
    install_requires=read_requirements('runtime'),
    extras_require={
        'onedl': read_requirements('onedl'),
        'onedl-det': read_requirements('onedl') + read_requirements('onedl-det'),
        'openmmlab': read_requirements('openmmlab'),
        'openmmlab-det': read_requirements('openmmlab') + read_requirements('openmmlab-det'),
        'app': read_requirements('app'),
        'instances': read_requirements('instances'),
        'export': read_requirements('export'),
        'formats': read_requirements('formats'),
        'notebook': read_requirements('notebook'),
        'completion': read_requirements('completion'),
        'video': read_requirements('video'),
        'dask': read_requirements('dask'),
        'test': read_requirements('docs')
        + read_requirements('dask')
        + read_requirements('app')
        + read_requirements('instances')
        + read_requirements('export')
        + read_requirements('formats')
        + read_requirements('notebook')
        + read_requirements('video')
        + read_requirements('test'),
        'docs': read_requirements('docs'),
    },
    entry_points={'console_scripts': ['mmrefine = mmrefine.cli:main']},
    cmdclass={'build_py': BuildWithMim},
    options={'build': {'build_base': BUILD_BASE.name}},
    zip_safe=False,
)
