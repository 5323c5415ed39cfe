"""Run the notebook of the demo in a fresh kernel, and write it back with what its cells gave.

    python demo/run_notebook.py

``make notebook`` runs this, with what it needs installed: requirements/notebook.txt.
"""

import argparse
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parent / 'mmrefine_demo.ipynb'


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all cells where ``folder`` is the working directory; outputs go into the notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    # Without folders to look in, `python3` is this Python, whatever kernels a user has installed.
    kernels = KernelSpecManager(kernel_dirs=[])
    manager = AsyncKernelManager(kernel_name='python3', kernel_spec_manager=kernels)
    resources = {'metadata': {'path': str(folder)}}
    client = NotebookClient(
        notebook, km=manager, timeout=600, record_timing=False, resources=resources
    )
    client.execute(cleanup_kc=True)  # else a manager that was passed in keeps its kernel running


def forget_machine(notebook: nbformat.NotebookNode) -> None:
    """Keep of the metadata what any machine would write."""
    kernel = dict(name='python3', display_name='Python 3', language='python')
    notebook.metadata = nbformat.from_dict(
        dict(kernelspec=kernel, language_info=dict(name='python'))
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=NOTEBOOK, help='default: the notebook itself')
    parser.add_argument(
        '--folder', type=Path, default=NOTEBOOK.parent, help='where the kernel starts'
    )
    args = parser.parse_args()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    execute(notebook, args.folder)
    forget_machine(notebook)
    unfinished = args.out.with_name(f'.{args.out.name}.tmp')
    unfinished.write_text(nbformat.writes(notebook), 'utf-8')
    unfinished.replace(args.out)
    print(f'{args.out}: {len(notebook.cells)} cells, {args.out.stat().st_size / 1e6:.2f} MB')


if __name__ == '__main__':
    main()
