"""Times mmrefine beside plain references, in one run: ``python -m benchmarks``.

Every line says how many times as fast as its reference a part is. Absolute times differ from
machine to machine, ratios little. ``--against`` compares with the JSON of an earlier run.
"""

import argparse
import gc
import json
import os
import platform
import sys
import traceback
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import mmrefine
from mmrefine.files.whole_files import write_whole_file

from .cases import Case, NotHere, all_cases
from .page import write_page
from .timing import take_turns

FLOORS = Path(__file__).parent / 'floors.json'
# Below this share of an earlier ratio, a part counts as slower.
SLOWER = 0.8
# How often a ratio under its floor is measured again before it counts: others may have been busy.
AGAIN = 3
# Floors are this share of what was measured: a busy machine stays above, a lost speed-up does not.
FLOOR_SHARE = 0.6


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks', description=__doc__.split('\n\n')[0]
    )
    parser.add_argument(
        '--only', nargs='+', metavar='TEXT', help='cases whose name has one of these'
    )
    parser.add_argument('--list', action='store_true', help='print the names and stop')
    parser.add_argument('--short', action='store_true', help='the cases that CI runs')
    parser.add_argument('--seconds', type=float, default=6, help='for each case (default 6)')
    parser.add_argument('--threads', type=int, default=2, help='of torch and OpenCV (default 2)')
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write what was measured')
    parser.add_argument(
        '--page',
        type=Path,
        metavar='FILE',
        help='put the table into a page, between its marks',
    )
    parser.add_argument('--against', type=Path, metavar='FILE', help='JSON of an earlier run')
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        '--floors', action='store_true', help='exit with 1 where a ratio is under its floor'
    )
    group.add_argument(
        '--set-floors', action='store_true', help='make floors of what is measured now'
    )
    return parser


def machine(args: argparse.Namespace) -> dict[str, Any]:
    """What the numbers depend on."""
    gpu = torch.device(args.device).type == 'cuda'
    return dict(
        machine=torch.cuda.get_device_name(args.device) if gpu else processor_name(),
        cores=os.cpu_count(),
        threads=args.threads,
        device=args.device,
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=np.__version__,
        opencv=cv2.__version__,
        mmrefine=mmrefine.__version__,
    )


def processor_name() -> str:
    """The processor, as well as the system knows it."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text('utf-8').splitlines() if info.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def measure(case: Case, args: argparse.Namespace) -> dict[str, Any]:
    """Figures of one case, or why there are none."""
    try:
        ours, reference = case.make(args.device)
        times = take_turns(ours, reference, args.device, args.seconds)
    except NotHere as error:
        return dict(reference=case.reference, target=case.target, left_out=str(error))
    finally:
        gc.collect()
    return dict(
        reference=case.reference,
        target=case.target,
        ours=times.ours,
        reference_ms=times.reference,
        ratio=times.ratio,
        rounds=times.rounds,
    )


def run(cases: list[Case], args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure all cases; one that breaks is reported at once and fails the run."""
    found: dict[str, Any] = {}
    for number, case in enumerate(cases, 1):
        console.print(f'{number}/{len(cases)} {case.name}', highlight=False)
        try:
            found[case.name] = measure(case, args)
        except Exception as error:  # the other cases still count
            traceback.print_exc()
            found[case.name] = dict(
                reference=case.reference, failed=f'{type(error).__name__}: {error}'
            )
    return found


def measure_again(
    found: dict[str, Any], floors: dict[str, float], args: argparse.Namespace, console: Console
) -> None:
    """Measure what is under its floor again, for longer each time; the best ratio stays."""
    for name, floor in floors.items():
        for attempt in range(AGAIN):
            line = found.get(name, {})
            if line.get('ratio', floor) >= floor:
                break
            console.print(f'{name}: {line["ratio"]:.2f}, once more', highlight=False)
            longer = argparse.Namespace(**vars(args) | dict(seconds=args.seconds * (attempt + 2)))
            found[name] = max(line, measure(all_cases()[name], longer), key=lambda m: m['ratio'])


def print_table(found: dict[str, Any], earlier: dict[str, Any], console: Console) -> None:
    """One line a case."""
    table = Table(
        '', 'ms', 'reference', 'ms', 'times as fast', 'target', title='python -m benchmarks'
    )
    if earlier:
        table.add_column('before')
    for name, line in found.items():
        if 'ratio' not in line:
            reason = line.get('left_out') or line['failed']
            table.add_row(name, '–', line['reference'], '–', reason, '')
            continue
        target = '' if line['target'] is None else f'≥ {line["target"]:.2f}'
        cells = [name, f'{line["ours"]:.1f}', line['reference'], f'{line["reference_ms"]:.1f}']
        before = earlier.get(name, {}).get('ratio')
        cells += [f'{line["ratio"]:.2f}', target]
        table.add_row(*cells, *([f'{before:.2f}' if before else '–'] if earlier else []))
    console.print(table)


def markdown(found: dict[str, Any], about: dict[str, Any]) -> str:
    """The table as Markdown, with what it depends on."""
    lines = ['| | ms | reference | ms | times as fast | target |', '|---|---|---|---|---|---|']
    for name, line in found.items():
        if 'ratio' in line:
            target = '' if line['target'] is None else f'{line["target"]:.2f}'
            times = f'{line["ours"]:.1f} | {line["reference"]} | {line["reference_ms"]:.1f}'
            lines.append(f'| {name} | {times} | **{line["ratio"]:.2f}** | {target} |')
    return '\n'.join([*lines, '', ', '.join(f'{key} {value}' for key, value in about.items())])


def below(found: dict[str, Any], bounds: dict[str, float], what: str) -> list[str]:
    """A line for each ratio under its bound, and for each case that failed."""
    lines = [f'{name}: {line["failed"]}' for name, line in found.items() if 'failed' in line]
    for name, bound in bounds.items():
        ratio = found.get(name, {}).get('ratio')
        if ratio is not None and ratio < bound:
            lines.append(f'{name}: {ratio:.2f} times as fast, {what} {bound:.2f}')
    return lines


def main() -> None:
    args = build_parser().parse_args()
    cases = [
        case
        for case in all_cases().values()
        if (case.short or not args.short)
        and (not args.only or any(text in case.name for text in args.only))
    ]
    if args.list or not cases:
        print('\n'.join(case.name for case in cases) or 'no case of that name; --list names all')
        sys.exit(not cases)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    earlier = json.loads(args.against.read_text('utf-8'))['cases'] if args.against else {}
    console = Console(width=None if sys.stdout.isatty() else 150)
    about = machine(args)
    found = run(cases, args, console)
    floors = json.loads(FLOORS.read_text('utf-8')) if args.floors else {}
    measure_again(found, floors, args, console)
    print_table(found, earlier, console)
    console.print(', '.join(f'{key} {value}' for key, value in about.items()), highlight=False)
    if args.json:
        content = json.dumps(dict(about, cases=found), indent=1)
        write_whole_file(args.json, content.encode())
    if args.page:
        write_page(args.page, markdown(found, about))
    ratios = {name: line['ratio'] for name, line in found.items() if 'ratio' in line}
    failed = below(
        found,
        {n: SLOWER * c['ratio'] for n, c in earlier.items() if 'ratio' in c},
        'earlier at least',
    )
    if args.set_floors:
        old = json.loads(FLOORS.read_text('utf-8')) if FLOORS.is_file() else {}
        floors = old | {name: round(FLOOR_SHARE * ratio, 2) for name, ratio in ratios.items()}
        write_whole_file(FLOORS, (json.dumps(floors, indent=1) + '\n').encode())
    if args.floors:
        failed += below(found, floors, 'its floor is')
    for line in dict.fromkeys(failed):
        print(line, file=sys.stderr)
    sys.exit(bool(failed))


if __name__ == '__main__':
    main()
