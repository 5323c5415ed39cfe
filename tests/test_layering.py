"""The arrows of the design, read from the source: every import points down."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / 'mmrefine'
FLOORS = {
    'frameworks': 0,
    'version': 0,
    'ops': 0,
    'methods': 0,
    'registry': 1,
    'structures': 1,
    'files': 1,
    'measures': 1,
    'runs': 1,
    'models': 2,
    'datasets': 2,
    'evaluation': 2,
    'refiners': 3,
    'hooks': 4,
    'pictures': 4,
    'batch': 5,
    'reports': 5,
    'apis': 5,
    'app': 6,
    'cli': 7,
    '__main__': 8,
}
NO_MM = {'ops', 'measures', 'methods', 'files'}
MM_MODULES = {'mmcv', 'mmengine', 'mmseg', 'mmdet', 'mmpretrain'}
DETECTION = {'mmdet', 'mmcv.ops', 'mmcv._ext'}
# Refining files, measuring files, calling from Python: none of them is made of another.
APART = {'batch', 'reports', 'apis'}
# These name no method: a refiner tells them what it is called and which options it has.
ANY_METHOD = ('apis', 'app', 'batch', 'cli', 'hooks', 'reports', 'runs')
VAGUE_NAMES = {'utils', 'util', 'helpers', 'helper', 'misc', 'common'}
# On their floor, these parts may import each other; all others meet only further down.
NEIGHBOURS = {('structures', 'registry'), ('measures', 'files')}

FILES = sorted(path for path in PACKAGE.rglob('*.py') if '.mim' not in path.parts)


def imported_names(path: Path) -> set[str]:
    """Return the dotted names a file imports, relative ones made absolute.

    ``from a.b import c`` gives ``a.b`` and ``a.b.c``: c may be a module.
    """
    return names_in(path.read_text(encoding='utf-8'), path.relative_to(PACKAGE.parent))


def names_in(source: str, path: Path) -> set[str]:
    parents = list(path.with_suffix('').parts[:-1])
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            base += [node.module] if node.module else []
            names.add('.'.join(base))
            names |= {'.'.join([*base, alias.name]) for alias in node.names}
    return names


def part_of(path: Path) -> str:
    """Return the part of the package a file belongs to, '' for the package's own __init__."""
    first = path.relative_to(PACKAGE).parts[0]
    return '' if first == '__init__.py' else first.removesuffix('.py')


def parts_imported(path: Path) -> set[str]:
    """Return the other parts of the package that a file imports."""
    names = [name.split('.') for name in imported_names(path)]
    parts = {name[1] for name in names if name[0] == 'mmrefine' and len(name) > 1}
    return (parts & set(FLOORS)) - {part_of(path)}


def is_below(name: str, module: str) -> bool:
    return name == module or name.startswith(f'{module}.')


def identifier(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_there_are_files_on_every_floor():
    assert {part_of(path) for path in FILES} - {''} == set(FLOORS)
    assert len(FILES) > 20


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        ('from ...ops import boundary', 'mmrefine.ops.boundary'),
        ('from ... import ops', 'mmrefine.ops'),
        ('from ..losses.x import y', 'mmrefine.models.losses.x'),
        ('from . import z', 'mmrefine.models.heads.z'),
        ('import mmcv.ops as o', 'mmcv.ops'),
        ('from mmcv import ops', 'mmcv.ops'),
        ('def f():\n    import mmdet', 'mmdet'),
    ],
)
def test_reader_sees_every_kind_of_import(line, expected):
    assert expected in names_in(line, Path('mmrefine/models/heads/a.py'))


@pytest.mark.parametrize('path', FILES, ids=identifier)
def test_imports_point_down(path):
    part = part_of(path)
    if part == '':
        assert parts_imported(path) <= {'frameworks', 'version'}
        return
    wrong = {
        other
        for other in parts_imported(path)
        if FLOORS[other] > FLOORS[part]
        or (FLOORS[other] == FLOORS[part] and (part, other) not in NEIGHBOURS)
    }
    assert not wrong, f'{path} is on floor {FLOORS[part]} and imports {sorted(wrong)}'


@pytest.mark.parametrize('path', [p for p in FILES if part_of(p) in APART], ids=identifier)
def test_refining_measuring_and_calling_are_apart(path):
    assert not parts_imported(path) & APART


@pytest.mark.parametrize('path', [p for p in FILES if part_of(p) in ANY_METHOD], ids=identifier)
def test_a_method_is_named_by_its_own_files_only(path):
    methods = {p.stem for p in (PACKAGE / 'methods').glob('*.py')} - {'__init__', 'declaration'}
    assert len(methods) >= 2
    tree = ast.parse(path.read_text(encoding='utf-8'))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {part for name in imported_names(path) for part in name.split('.')}
    names.discard('subprocess')  # which has three letters of a method in it
    wrong = {name for name in names if any(method in name.lower() for method in methods)}
    assert not wrong


def test_no_room_is_too_big():
    """A room is a folder; those in it are rooms of their own."""
    lines: dict[Path, int] = {}
    for path in FILES:
        lines[path.parent] = lines.get(path.parent, 0) + len(path.read_text('utf-8').splitlines())
    biggest = max(lines, key=lines.__getitem__)
    assert lines[biggest] <= 0.12 * sum(lines.values()), biggest


def test_the_file_that_writes_a_refined_png_is_two_steps_from_the_command():
    kinds = (PACKAGE / 'cli' / 'refine.py').read_text('utf-8')
    assert 'from ..batch.label_maps import LabelMaps' in kinds
    tasks = (PACKAGE / 'batch' / 'label_maps.py').read_text('utf-8')
    assert re.search(r'from \.\.files\.label_maps import [^)]*write_label_map', tasks)
    assert '.png' in (PACKAGE / 'files' / 'label_maps.py').read_text('utf-8')


@pytest.mark.parametrize('path', [p for p in FILES if part_of(p) in NO_MM], ids=identifier)
def test_lowest_rooms_import_no_mm_package(path):
    roots = {name.split('.')[0] for name in imported_names(path)}
    assert not roots & MM_MODULES


@pytest.mark.parametrize('path', FILES, ids=identifier)
def test_only_files_that_say_so_need_mmdet_or_compiled_ops(path):
    names = imported_names(path)
    wrong = {name for name in names for module in DETECTION if is_below(name, module)}
    says_so = 'Needs mmdet' in (ast.get_docstring(ast.parse(path.read_text('utf-8'))) or '')
    assert not wrong or says_so, f'{path} imports {sorted(wrong)} and does not say "Needs mmdet"'


@pytest.mark.parametrize('path', FILES, ids=identifier)
def test_names_say_what_is_inside(path):
    assert not VAGUE_NAMES & set(path.relative_to(PACKAGE).with_suffix('').parts)
