"""What benchmarks/mistakes.py found, as the table of docs/compare.md."""

from collections.abc import Iterable, Sequence

import numpy as np

METHODS = {'segfix': 'SegFix', 'bpr': 'BPR', 'grabcut': 'GrabCut', 'guided-filter': 'guided filter'}
KINDS = {
    'osvos': 'predicted by OSVOS',
    'rvos': 'predicted by RVOS',
    'fcn': 'predicted by an FCN',
    'shifted': 'shifted by 3 px',
    'dilated': 'dilated by 4 px',
    'cells': 'in 28×28 cells',
    'degraded': 'by `mmrefine.ops.degrade`',
    'true': 'true masks',
}
# Of a row: source, kind, method, group, F-score, IoU, seconds.
SOURCE, KIND, METHOD, FSCORE, SECONDS = 0, 1, 2, 4, 6
Row = Sequence


def markdown(rows: Sequence[Row], command: str) -> str:
    """F-scores: the mean of the sources, the worst one for true masks, then source by source.

    Args:
        rows: What ``mistakes.py --out`` writes: source, kind, method, group, F-score, IoU, seconds,
            a row a mask and method.
        command: What measured them.
    """
    methods = list(dict.fromkeys(row[METHOD] for row in rows))
    by_source: dict[tuple[str, str], list[float]] = {}  # (source, kind) → a figure a method
    for source, kind in dict.fromkeys((row[SOURCE], row[KIND]) for row in rows):
        of_kind = [row for row in rows if (row[SOURCE], row[KIND]) == (source, kind)]
        by_source[source, kind] = [100 * _mean(of_kind, name, FSCORE) for name in methods]
    kinds = [kind for kind in KINDS if any(kind == k for _, k in by_source)]
    head = ['', 'sources', *(METHODS.get(name, name) for name in methods)]
    lines = [_line(head), _line(['---'] * len(head))]
    for kind in kinds:
        found = [figures for (_, k), figures in by_source.items() if k == kind]
        lines.append(_line([KINDS[kind], str(len(found)), *_cells(np.mean(found, 0))]))
    true = [figures for (_, kind), figures in by_source.items() if kind == 'true']
    if true:
        lines.append(_line(['true masks, the worst source', '1', *_cells(np.min(true, 0))]))
    times = ([row[SECONDS] for row in rows if row[METHOD] == name] for name in methods)
    lines.append(_line(['seconds a mask, median', '', *(f'{np.median(t):.2f}' for t in times)]))
    masks = sum(row[METHOD] == methods[0] for row in rows)
    about = f'{masks} masks by each method. `{command}`'
    return '\n'.join([*lines, '', about, '', *_details(by_source, kinds, methods)])


def _details(
    by_source: dict[tuple[str, str], list[float]], kinds: Iterable[str], methods: Sequence[str]
) -> list[str]:
    head = ['masks', 'source', *(METHODS.get(name, name) for name in methods)]
    lines = [_line(head), _line(['---'] * len(head))]
    for kind in kinds:
        for (source, k), figures in by_source.items():
            if k == kind:
                lines.append(_line([KINDS[kind], source, *_cells(figures)]))
    return ['??? info "Source by source"', '', *(f'    {line}' for line in lines)]


def _mean(rows: Iterable[Row], method: str, column: int) -> float:
    return float(np.mean([row[column] for row in rows if row[METHOD] == method]))


def _cells(figures: Iterable[float]) -> list[str]:
    """One decimal each, the best ones bold."""
    texts = [f'{figure:.1f}' for figure in figures]
    best = max(texts, key=float)
    return [f'**{text}**' if text == best else text for text in texts]


def _line(cells: Iterable[str]) -> str:
    return f'| {" | ".join(cells)} |'
