"""Finding images and what belongs to them by name."""

import glob
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

# What OpenCV reads everywhere.
IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')


@dataclass(frozen=True)
class FoundFile:
    """A file below a folder.

    Attributes:
        path: Where it is.
        relative: Its path below the folder, with ``/``.
        name: ``relative`` without suffix, and without the part of the stem that is no name
            (``_leftImg8bit``).
    """

    path: Path
    relative: str
    name: str

    @property
    def full_name(self) -> str:
        """``relative`` without suffix."""
        return str(PurePosixPath(self.relative).with_suffix(''))


def check_exists(*places: str | os.PathLike) -> None:
    """Refuse files and folders that are not there; patterns pass.

    Raises:
        ValueError: names the first of them.
    """
    for where in places:
        if not Path(where).exists() and not glob.has_magic(os.fspath(where)):
            raise ValueError(f'{where}: no such file or folder')


def find_files(
    where: str | os.PathLike, suffixes: Iterable[str], stem_end: str = ''
) -> list[FoundFile]:
    """List files, in the order of their names: ``frame_2`` comes before ``frame_10``.

    Args:
        where: A folder, searched with all its subfolders, see ``files_below``; a file; or a
            pattern such as ``'val/*/*_leftImg8bit.png'``, where ``**`` stands for any folders but
            hidden ones.
        suffixes: Suffixes of the files, lower case; upper case is found as well.
        stem_end: Only files whose stem ends so; it is not part of their name.

    Raises:
        ValueError: if there is none.
    """
    root, paths = _root_and_paths(where)
    allowed = tuple(suffixes)
    found = [
        _found(path, root, stem_end)
        for path in paths
        if path.suffix.lower() in allowed
        and path.stem.endswith(stem_end)
        and not path.name.startswith('.')
        and path.is_file()
    ]
    if not found:
        ends = ', '.join(stem_end + suffix for suffix in allowed)
        raise ValueError(f'{where}: found no file whose name ends with one of {ends}')
    return sorted(found, key=lambda file: natural_key(file.relative))


def find_images(where: str | os.PathLike, stem_end: str = '') -> list[FoundFile]:
    """List images, as ``find_files``, by ``IMAGE_SUFFIXES``.

    A pattern that ends with another suffix, such as ``'scans/*.npy'``, is taken at its word: a
    loader may read such files.
    """
    suffix = Path(where).suffix.lower()
    named = glob.has_magic(os.fspath(where)) and suffix and not glob.has_magic(suffix)
    return find_files(where, (suffix,) if named else IMAGE_SUFFIXES, stem_end)


def natural_key(name: str) -> list[tuple[int, str | int]]:
    """What names are sorted by: runs of digits as numbers, where these are equal as texts."""
    parts = re.split(r'(\d+)', name)
    numbers = [(0, part) if index % 2 == 0 else (1, int(part)) for index, part in enumerate(parts)]
    return [*numbers, (0, name)]


def files_below(folder: str | os.PathLike) -> list[Path]:
    """All files in a folder and its subfolders, by name.

    Links to folders are followed, unless they lead to a folder that they are in. What is hidden, as
    ``.ipynb_checkpoints`` is, is left out with all that is in it.
    """
    return list(_walk(Path(folder), frozenset()))


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    inside = above | {folder.resolve()}
    for path in sorted(folder.iterdir()):
        if path.name.startswith('.'):
            continue
        if not path.is_dir():
            yield path
        elif not (path.is_symlink() and path.resolve() in inside):
            yield from _walk(path, inside)


def _root_and_paths(where: str | os.PathLike) -> tuple[Path, list[Path]]:
    folder = Path(where)
    if folder.is_dir():
        return folder, files_below(folder)
    if folder.is_file():
        return folder.parent, [folder]
    check_exists(where)
    text = os.fspath(where)
    parts = folder.parts
    depth = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:depth])
    # Path.glob follows no links below ** and enters hidden folders.
    return root, [Path(found) for found in glob.glob(text, recursive=True)]  # noqa: PTH207


def _found(path: Path, root: Path, stem_end: str) -> FoundFile:
    relative = path.relative_to(root)
    stem = relative.stem.removesuffix(stem_end) if stem_end else relative.stem
    # Not with_name: a name may hold dots, or be nothing but the end.
    name = str(PurePosixPath(*relative.parent.parts, stem))
    return FoundFile(path, relative.as_posix(), name)


class FileIndex:
    """Images to be looked up by name.

    Args:
        files: The images by name, several of one name where that happens.
    """

    def __init__(self, files: Iterable[tuple[str, FoundFile]]) -> None:
        self._by_name: Mapping[str, list[FoundFile]] = defaultdict(list)
        self._by_last_part: Mapping[str, list[tuple[str, FoundFile]]] = defaultdict(list)
        for name, file in files:
            self._by_name[name].append(file)
            self._by_last_part[_parts(name)[-1]].append((name, file))

    def find(self, name: str, any_folder: bool = False) -> FoundFile:
        r"""Find the image of a name.

        An image of just that name; else the only one that shares the longest tail of the name:
        ``b/c.jpg`` of ``a/b/c.jpg``. Folders may be told apart by ``/`` or ``\\``, and upper and
        lower case are the same where nothing else fits.

        Args:
            name: Path below the root, or a longer or shorter one.
            any_folder: Whether folders before the tail may differ; else one of the two must be all
                tail.

        Raises:
            LookupError: if there is none or more than one.
        """
        files = self._by_name.get(name, [])
        if not files:
            parts = _parts(name)
            tails: Mapping[int, list[FoundFile]] = defaultdict(list)
            for other, file in self._by_last_part.get(parts[-1], []):
                length = _common_tail(parts, _parts(other))
                if any_folder or length == min(len(parts), len(_parts(other))):
                    tails[length].append(file)
            files = tails[max(tails)] if tails else []
        if len(files) == 1:
            return files[0]
        if files:
            several = ', '.join(str(file.path) for file in files[:3])
            raise LookupError(f'{len(files)} images of that name: {several}')
        raise LookupError('no image of that name')


def _parts(name: str) -> tuple[str, ...]:
    """Parts of a path from any system, without what means nothing."""
    parts = PurePosixPath(name.replace('\\', '/').casefold()).parts
    return tuple(part for part in parts if part not in ('..', '/')) or ('',)


def _common_tail(one: Sequence[str], other: Sequence[str]) -> int:
    """How many last parts two paths have in common."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def check_out_folder(out: Path, inputs: Sequence[Path]) -> None:
    """Refuse a folder whose files the next run would take for inputs.

    Raises:
        ValueError: if ``out`` is a file, or one of ``inputs`` or in one.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f'{out}: expected a folder, it is a file')
    resolved = out.resolve()
    for folder in inputs:
        if folder.is_dir() and folder.resolve() in [resolved, *resolved.parents]:
            raise ValueError(f'{out}: expected a folder outside of {folder}, which holds inputs')
