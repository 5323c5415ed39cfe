"""What the pages tell users to do can be done, and the site builds without a warning.

- Python blocks are run, page by page, in a folder with small files of the names that the pages
  use. Blocks that are configs are read by mmengine; each part of mmrefine in them must be
  registered and have the options given to it.
- Commands: the script's own parser reads the options, then the script is stopped. So what trains
  a network, needs a data set or a GPU is parsed only. Blocks behind ``<!-- run -->`` are run.
- What is run by another test: ``ELSEWHERE``; there, only the imports are tried here.
"""

import argparse
import ast
import hashlib
import inspect
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from doc_blocks import Command, blocks, commands
from mmengine.config import Config

from benchmarks import __main__ as suite
from mmrefine import cli, registry
from mmrefine.cli import refine
from mmrefine.methods import shipped_methods
from mmrefine.ops.run_lengths import encode_mask
from mmrefine.refiners import bpr_refiner

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / 'docs').glob('*.md'))
PAGES = [*DOCS, *sorted(ROOT.glob('configs/*/README.md')), ROOT / 'README.md']
ELSEWHERE = {
    'add_a_method.md': 'tests/test_docs_add_a_method.py',
    'million.md': 'tests/test_docs_million.py',
    'convert.md': 'tests/test_models/test_convert_checkpoint.py',
    'export.md': 'tests/test_refiners/test_export.py',
    'python.md': 'tests/test_tools/test_docs_python.py',
}
FOLDERS = ('benchmarks', 'configs', 'demo', 'docs', 'mmrefine', 'tests', 'tools')
# Written by a command of the page itself, or by `make`.
OUTPUTS = ('demo/output',)
OTHER_PROGRAMS = ('source', 'ffmpeg', 'mkdir')
CONFIG = re.compile(
    r'^(_base_|custom_hooks|custom_imports|model|test_evaluator|train_dataloader) = ', re.M
)
TOP, LEFT, SIZE = 40, 180, (64, 96)  # a small part of the photograph
# A script that does the same as a command of ours.
TOOL = re.compile(r"run_tool\('([\w-]+)'\)")
every_page = pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def cut(name: str) -> np.ndarray:
    array = cv2.imread(str(ROOT / 'demo' / name), cv2.IMREAD_UNCHANGED)
    return array[TOP : TOP + SIZE[0], LEFT : LEFT + SIZE[1]].copy()


@pytest.fixture
def names(tmp_path, monkeypatch) -> dict[str, Any]:
    """What pages speak of: files in the working directory, and arrays by their names."""
    monkeypatch.chdir(tmp_path)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns('*.pth'))
    image, labels = cut('images/coffee.png'), cut('coarse/coffee.png')
    for name in ('photo.jpg', 'photo.png', 'street.jpg'):
        cv2.imwrite(name, image)
    writer = cv2.VideoWriter('clip.mp4', cv2.VideoWriter.fourcc(*'mp4v'), 25, SIZE[::-1])
    writer.write(image)
    writer.release()
    Path('clip_labels').mkdir()
    cv2.imwrite('clip_labels/0.png', labels)
    truth = [dict(id=1, image_id=1, category_id=1, iscrowd=0)]
    mask = labels == 1
    truth[0] |= dict(segmentation=encode_mask(mask), area=int(mask.sum()), bbox=[0, 0, *SIZE[::-1]])
    result = dict(image_id=1, category_id=1, score=0.9, segmentation=truth[0]['segmentation'])
    images = [dict(id=1, file_name='photo.png', height=SIZE[0], width=SIZE[1])]
    categories = [dict(id=1, name='cup')]
    content = dict(images=images, annotations=truth, categories=categories)
    Path('instances_val.json').write_text(json.dumps(content))
    Path('results.segm.json').write_text(json.dumps([result]))
    Path('your_config.py').write_text(
        "test_evaluator = dict(type='mmseg.IoUMetric')\n"
        "train_dataloader = dict(dataset=dict(type='mmseg.CityscapesDataset'))\n"
    )
    masks = np.stack([labels == label for label in np.unique(labels)])
    pairs = [(labels, cut('labels/coffee.png'))]
    return dict(label_map=labels, masks=masks, pairs=pairs, image=image)


def check_config(text: str) -> None:
    """mmengine reads a config, and our parts in it exist and take the options they are given."""
    Path('page_config.py').write_text(text)
    cfg = Config.fromfile('page_config.py', import_custom_modules=False)
    parts = list(our_parts(cfg.to_dict()))
    assert parts or '_base_' in text, f'a config without any part of mmrefine:\n{text}'
    for part in parts:
        options = dict(part)
        built = find_part(options.pop('type'))
        parameters = inspect.signature(built).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            assert set(options) <= set(parameters), (built, options)


def our_parts(value: Any) -> Iterator[dict]:
    """The dictionaries of type ``mmrefine.X`` in a config, at any depth."""
    if isinstance(value, dict):
        if str(value.get('type', '')).startswith('mmrefine.'):
            yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from our_parts(item)


def find_part(name: str) -> type:
    """A registered class by its name in configs."""
    ours = [r for r in vars(registry).values() if getattr(r, 'scope', None) == 'mmrefine']
    assert len(ours) >= 7
    found = [r.get(name) for r in ours]
    assert any(found), f'{name} is not registered'
    return next(part for part in found if part)


@every_page
def test_python_blocks(page: Path, names: dict[str, Any]) -> None:
    left_out = 0
    for text in (block.text for block in blocks(page) if block.language == 'python'):
        tree = ast.parse(text)
        if page.name in ELSEWHERE:
            assert (ROOT / ELSEWHERE[page.name]).is_file()
            imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
            imports = [n for n in imports if 'my_refiners' not in ast.unparse(n)]
            exec(compile(ast.Module(imports, []), str(page), 'exec'), names)
        elif CONFIG.search(text) and 'import ' not in text:
            check_config(text)
        elif needs_missing_weights(text):
            left_out += 1
        else:
            exec(compile(tree, str(page), 'exec'), names)
    if left_out:
        pytest.skip(f"{left_out} blocks: BPR's weights that ship with the package are not there")


def needs_missing_weights(text: str) -> bool:
    return "'bpr'" in text and not bpr_refiner.BPRRefiner.shipped.is_file()


class Parsed(Exception):
    """The command line was understood."""


def parse(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a script read its options, and stop it there."""
    understand = argparse.ArgumentParser.parse_args

    def stop(self, args=None, namespace=None):
        raise Parsed(understand(self, args, namespace))

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', stop)
        patch.setattr(sys, 'argv', words)
        patch.syspath_prepend(str(ROOT / words[0].rpartition('/')[0]))
        with pytest.raises(Parsed):
            runpy.run_path(str(ROOT / words[0]), run_name='__main__')


def our_command(words: list[str]) -> list[str]:
    """What a command line gives to ``mmrefine``, also by a script in ``tools/``; else nothing."""
    words = words[: words.index('>')] if '>' in words else words
    if words[0] == 'mmrefine':
        return words[1:]
    if words[0] in ('python', 'torchrun'):
        for index, word in enumerate(words):
            if word == 'mmrefine' and words[index - 1] == '-m':
                return words[index + 1 :]
            if not word.startswith('tools/'):
                continue
            if name := TOOL.search((ROOT / word).read_text('utf-8')):
                return [name[1], *words[index + 1 :]]
    return []


def check_command(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A command exists and understands its arguments; files of the repository in it exist."""
    for word in words[1:]:
        if word.startswith(tuple(f'{name}/' for name in FOLDERS)) and word not in OUTPUTS:
            assert list(ROOT.glob(word)), f'{word} does not exist'
    program = words[0]
    if ours := our_command(words):
        with monkeypatch.context() as patch:
            # Configs of the user's own are not there to be asked for options.
            patch.setattr(refine, 'offered_methods', lambda words: shipped_methods())
            cli.parse(ours)
    elif words[:3] == ['python', '-m', 'benchmarks']:
        suite.build_parser().parse_args(words[3:])
    elif program in ('python', 'torchrun'):
        start = next(i for i, word in enumerate(words) if word.endswith('.py'))
        assert program == 'torchrun' or start == 1
        parse(words[start:], monkeypatch)
    elif program == 'pip':
        setup = (ROOT / 'setup.py').read_text('utf-8')
        for extra in re.findall(r'(?:\.|mmrefine)\[([\w-]+)\]', ' '.join(words)):
            assert f"'{extra}': " in setup, f'no extra {extra}'
    elif program == 'make':
        for target in words[1:]:
            assert f'\n{target}:' in (ROOT / 'Makefile').read_text('utf-8'), f'no target {target}'
    elif program == 'mim':  # for real: tests/test_mim.py
        assert words[1:3] == ['train', 'mmrefine']
        assert len(list(ROOT.glob(f'configs/*/{words[3]}'))) == 1, words[3]
    else:
        assert program in OTHER_PROGRAMS, f'unknown program {program}'


def run(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command in this process, which has imported torch already."""
    assert not command.environment
    if ours := our_command(command.words):
        assert cli.main(ours) == 0, command.words
        return
    assert command.words[0] == 'python'
    with monkeypatch.context() as patch:
        patch.setattr(sys, 'argv', command.words[1:])
        status = None
        try:
            runpy.run_path(str(ROOT / command.words[1]), run_name='__main__')
        except SystemExit as ended:
            status = ended.code
        assert not status, command.words


@every_page
def test_commands(page: Path, names, monkeypatch, capsys) -> None:
    for command in commands(page):
        if page.name == 'add_a_method.md' and our_command(command.words):
            continue  # with an option of its refiner: run in test_docs_add_a_method.py
        try:
            check_command(command.words, monkeypatch)
        except SystemExit as ended:  # 0 after what only prints: --version, --print-completion
            if ended.code:
                pytest.fail(f'{" ".join(command.words)}\n{capsys.readouterr().err}')


def test_cheap_commands_are_run(names, monkeypatch) -> None:
    """Each command behind ``<!-- run -->`` once, though several pages have it."""
    marked = {' '.join(c.words): c for page in PAGES for c in commands(page) if c.run}
    assert len(marked) >= 4
    for command in marked.values():
        run(command, monkeypatch)
        for name in ('refined.png', 'refined.segm.json', 'targets.png'):
            if name in command.words:
                assert Path(name).stat().st_size > 100
                Path(name).unlink()


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text('utf-8')
    for name in re.findall(rf'`((?:{"|".join(FOLDERS)})/[\w./-]+)`', text):
        assert (ROOT / name).exists() or name in OUTPUTS, f'{name} does not exist'


def test_site_builds_without_a_warning(tmp_path) -> None:
    pytest.importorskip('zensical', reason='pip install -r requirements/docs.txt')
    for name in ('docs', 'mmrefine'):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns('*.pth'))
    shutil.copy(ROOT / 'mkdocs.yml', tmp_path)
    done = subprocess.run(
        [sys.executable, '-m', 'zensical', 'build', '--strict'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for page in DOCS:
        html = (tmp_path / 'site' / f'{page.stem}.html').read_text('utf-8')
        assert '<img' in html or '![' not in page.read_text('utf-8')


def test_model_zoo_is_that_of_the_metafiles() -> None:
    zoo = runpy.run_path(str(ROOT / 'docs' / 'make_model_zoo.py'))
    page = (ROOT / 'docs' / 'model_zoo.md').read_text('utf-8')
    assert page == zoo['render'](), 'run: python docs/make_model_zoo.py'


def shipped() -> dict[str, dict]:
    """Models with weights in the metafiles, by the path of their weights."""
    contents = [yaml.safe_load(p.read_text('utf-8')) for p in ROOT.glob('configs/*/metafile.yml')]
    models = [model for content in contents for model in content.get('Models', ())]
    return {model['Weights']: model for model in models if 'Weights' in model}


def test_model_zoo_tells_the_truth_about_files() -> None:
    page = (ROOT / 'docs' / 'model_zoo.md').read_text('utf-8')
    assert shipped()
    for path, model in shipped().items():
        digest = hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
        assert model['Metadata']['SHA-256'] == digest, path
        assert digest in page
        assert path in page
        assert (ROOT / model['Config']).is_file()
        assert model['Metadata'].get('Training Data'), f'{path}: trained on what?'


def test_all_shipped_weights_are_in_a_metafile() -> None:
    files = {str(p.relative_to(ROOT)) for p in (ROOT / 'mmrefine' / 'weights').glob('*.pth')}
    assert files
    assert files == set(shipped())
