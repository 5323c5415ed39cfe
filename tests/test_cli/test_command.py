"""The command ``mmrefine``: answers at once, offers options where they work, completes words."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmrefine.cli import main, parse, refine
from mmrefine.cli.command import COMMANDS
from mmrefine.version import __version__

ROOT = Path(__file__).parents[2]
HEAVY = ('torch', 'mmengine', 'mmcv', 'mmseg', 'mmdet', 'cv2', 'scipy', 'matplotlib')
# Every --help; what it says and what it must not take.
ASK = f"""
import resource, sys
from mmrefine.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
used = resource.getrusage(resource.RUSAGE_SELF)
heavy = [name for name in {HEAVY} if name in sys.modules]
print(status, used.ru_utime + used.ru_stime, heavy, file=sys.stderr)
"""
KINDS = [(name, kind) for name, c in COMMANDS.items() for kind in getattr(c, 'KINDS', ())]
HELPS = [(), *((name,) for name in COMMANDS), *KINDS, ('refine', 'label-maps', '--method', 'bpr')]


@pytest.mark.quick
@pytest.mark.parametrize('words', HELPS, ids=' '.join)
def test_help_answers_within_a_second_without_torch(words, run_fresh):
    done = run_fresh('-c', ASK, *words, '--help')
    assert len(KINDS) >= 6
    status, seconds, heavy = done.stderr.split(maxsplit=2)
    assert (status, heavy.strip()) == ('0', '[]')
    assert float(seconds) < 1
    assert done.stdout.startswith('usage: mmrefine')


def help_of(words, capsys) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*words, '--help'])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_help_lists_every_shipped_methods_options(capsys):
    text = help_of(['refine', 'label-maps'], capsys)
    for part in ('options of bpr:', '--iou-threshold', 'options of segfix:', '--min-confidence'):
        assert part in text


@pytest.mark.parametrize(
    ('option', 'kinds'),
    [
        ('--num-classes', ('label-maps', 'video')),
        ('--image-suffix', ('label-maps',)),
        ('--steady', ('label-maps', 'video')),
        ('--annotations', ('coco',)),
        ('--method', ('label-maps', 'coco', 'instances', 'cityscapes', 'video')),
    ],
)
def test_options_are_offered_where_they_work(option, kinds, capsys):
    offered = {
        kind for kind in COMMANDS['refine'].KINDS if option in help_of(['refine', kind], capsys)
    }
    assert offered == set(kinds)


@pytest.mark.parametrize(
    ('words', 'kind'),
    [
        (['photos', 'masks', 'out'], 'label-maps'),
        (['photos', 'r.json', 'out.json', '--method', 'bpr'], 'coco'),
        (['photos', 'masks', 'out', '--format', 'yolo'], 'instances'),
        (['photos', 'results', 'out'], 'cityscapes'),
        (['clip.MP4', 'masks', 'out'], 'video'),
    ],
)
def test_kind_of_input_is_seen_where_it_is_left_out(words, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ('masks', 'results/x'):
        Path(folder).mkdir(parents=True)
    Path('results/x/a_pred.txt').touch()
    said = parse(['refine', kind, *words])
    seen = parse(['refine', *words])
    assert seen.kind is said.kind is COMMANDS['refine'].KINDS[kind]
    assert (seen.images, seen.masks, seen.out) == tuple(words[:3])


@pytest.mark.parametrize(
    ('words', 'kind'),
    [
        (['pred', 'gt', '--dataset', 'camvid'], 'label-maps'),
        (['--before', 'p', 'gt', '--classes', 'c.json'], 'label-maps'),
        (['r.json', 'gt.json'], 'coco'),
        (['--before', 'r.json', 'gt.json'], 'coco'),
    ],
)
def test_kind_of_predictions_is_seen_where_it_is_left_out(words, kind):
    assert parse(['evaluate', *words]).evaluate is COMMANDS['evaluate'].KINDS[kind][-1]


def test_usage_errors_show_the_usage_of_the_subcommand(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['refine', 'coco', 'photos', 'r.json', 'o.json', '--num-classes', '3'])
    assert ended.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith('usage: mmrefine refine coco IMAGES MASKS OUT [options]\n')
    assert 'mmrefine refine coco: error: unrecognized arguments: --num-classes 3' in text
    with pytest.raises(SystemExit):
        main(['refine', '--overwrite', 'photos', 'masks', 'out'])
    assert 'invalid choice' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        (['evaluat', 'p', 'g'], 'got evaluat; did you mean evaluate?'),
        (['evaluate', 'p', 'g', '--datset', 'x'], '--datset x; did you mean --dataset?'),
        (['refine', 'i', 'm', 'o', '--visualise=x'], '--visualise=x; did you mean --visualize?'),
        (['refine', 'i', 'm', 'o', '--qqqq'], 'unrecognized arguments: --qqqq\n'),
    ],
)
def test_what_is_mistyped_gets_a_suggestion(words, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        (['refine', 'i', 'm', 'o'], 'i: no such file or folder'),
        (
            ['refine', '.', 'm', 'o', '--checkpoint', 'x'],
            '--checkpoint: expected a file, x is none',
        ),
        (['refine', '.', '.', 'o', '--method', 'brp'], 'got brp; did you mean bpr?'),
        (['evaluate', 'p', 'g'], 'p: no such file or folder'),
        (['new-config', 'bpr', '--data', 'd', '-o', 'c.py'], 'd: no such file or folder'),
    ],
)
def test_names_are_checked_before_anything_large_is_imported(words, text, run_fresh, tmp_path):
    done = run_fresh('-c', ASK, *words, cwd=tmp_path)
    assert text in done.stderr
    assert done.stderr.splitlines()[-1].endswith('[]')


def test_other_errors_are_one_line(capsys, tmp_path):
    assert main(['refine', str(tmp_path / 'none'), str(tmp_path), str(tmp_path / 'o')]) == 1
    text = capsys.readouterr().err
    assert text == f'mmrefine: error: {tmp_path}/none: no such file or folder\n'


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(['--version'])
    assert capsys.readouterr().out == f'mmrefine {__version__}\n'


def test_refining_as_a_module_and_as_a_script_are_the_same(tmp_path, run_fresh):
    folder = ROOT / 'demo'
    image = cv2.imread(str(folder / 'images' / 'coffee.png'))[40:104, 180:276]
    labels = cv2.imread(str(folder / 'coarse' / 'coffee.png'), 0)[40:104, 180:276]
    cv2.imwrite(str(tmp_path / 'i.png'), image)
    cv2.imwrite(str(tmp_path / 'm.png'), labels)
    done = run_fresh('-m', 'mmrefine', 'refine', 'i.png', 'm.png', 'a.png', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    script = str(ROOT / 'tools' / 'refine.py')
    done = run_fresh(script, 'label-maps', 'i.png', 'm.png', 'b.png', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    refined = cv2.imread(str(tmp_path / 'a.png'), 0)
    assert (refined != labels).any()
    assert np.array_equal(refined, cv2.imread(str(tmp_path / 'b.png'), 0))


def test_info_names_versions_device_and_what_each_file_of_weights_learned_from(capsys):
    assert main(['info']) == 0
    text = capsys.readouterr().out
    assert f'mmrefine {__version__}, Python {sys.version.split()[0]}' in text
    assert 'torch ' in text
    assert 'device: ' in text
    assert 'methods: bpr, segfix' in text
    files = [line for p in ROOT.glob('configs/*/metafile.yml') for line in p.open(encoding='utf-8')]
    weights = sorted(
        str(ROOT / line.split()[1]) for line in files if line.strip()[:8] == 'Weights:'
    )
    assert len(weights) >= 6
    blocks = {block.splitlines()[0]: block for block in text.split('\n\n')[1:]}
    assert sorted(blocks) == weights
    assert 'CC BY-NC' in blocks[str(ROOT / 'mmrefine' / 'weights' / 'bpr_lite0.pth')]


@pytest.mark.skipif(shutil.which('bash') is None, reason='bash is not there')
def test_words_are_completed_in_bash(capsys, tmp_path):
    pytest.importorskip('shtab')
    with pytest.raises(SystemExit):
        main(['--print-completion', 'bash'])
    (tmp_path / 'mmrefine').write_text(capsys.readouterr().out)
    program = """
        source ./mmrefine
        function=$(complete -p mmrefine | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        $function mmrefine "${COMP_WORDS[-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """

    def completions(*words: str) -> list[str]:
        done = subprocess.run(
            ['bash', '-c', program, 'bash', 'mmrefine', *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split()

    assert completions('re') == ['refine']
    assert completions('refine', 'co') == ['coco']
    assert completions('refine', 'coco', '--anno') == ['--annotations']
    assert completions('refine', 'coco', '--num') == []
    assert completions('refine', 'label-maps', '--min-s') == ['--min-score-gain']


def test_without_shtab_it_is_said(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'shtab', None)
    with pytest.raises(SystemExit):
        main(['--print-completion', 'bash'])
    assert "pip install 'mmrefine[completion]'" in capsys.readouterr().out


def test_finished_coco_results_are_not_refined_again(tmp_path, monkeypatch, capsys):
    """Nor is a network built."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite('a.png', np.zeros((3, 4, 3), np.uint8))
    for name in ('r.json', 'o.json'):
        Path(name).write_text(json.dumps([]))
    monkeypatch.setattr('mmrefine.cli.refine_run.build_refiner', None)
    assert main(['refine', 'coco', '.', 'r.json', 'o.json']) == 0
    assert capsys.readouterr().out.startswith('o.json is there already')


@pytest.mark.parametrize('name', ['train', 'test'])
def test_help_says_what_is_a_program(name, capsys):
    """Configs and checkpoints of trainings are run as mmengine reads them."""
    with pytest.raises(SystemExit):
        main([name, '--help'])
    text = ' '.join(capsys.readouterr().out.split())
    assert 'a program' in text.replace('are programs', 'a program')
    assert 'from people you trust' in text


@pytest.mark.parametrize('sent', ['SIGTERM', 'SIGHUP'])
def test_a_request_to_end_is_an_interruption(sent):
    number = getattr(signal, sent)
    before = signal.getsignal(number)
    try:
        signal.signal(number, signal.SIG_DFL)
        refine._end_as_if_interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.signal(number, signal.SIG_IGN)  # as under nohup
        refine._end_as_if_interrupted()
        signal.raise_signal(number)
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize('out', ['r.json', './r.json', 'a.png'])
def test_results_are_never_their_own_output(tmp_path, monkeypatch, capsys, out):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite('a.png', np.zeros((3, 4, 3), np.uint8))
    Path('r.json').write_text('[]')
    assert main(['refine', 'coco', '.', 'r.json', out]) == 1
    assert f'{out}: expected a .json file other than the inputs' in capsys.readouterr().err
    assert Path('r.json').read_text() == '[]'
