"""Write docs/model_zoo.md out of the metafiles and configs: ``python docs/make_model_zoo.py``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).parent / 'model_zoo.md'
HEAD = """# Model zoo

Made by `python docs/make_model_zoo.py` out of `configs/*/metafile.yml` and the configs.

## Weights that come with the package

No download, no network connection. Look at what each was trained on, and whether its licence
allows what you want to do. Files are read without running any code from them.

"""
TAIL = """## Configs without weights

Recipes, tested to build, train and validate on tiny data. For some of them, weights that the
authors of a method released can be [converted](convert.md). A name says model and variant, GPUs ×
batch, iterations, data and size; the README beside the configs explains each unusual part.

"""


def read_metafiles() -> dict[str, dict[str, Any]]:
    """Content of each method's metafile, by the method's folder in ``configs``."""
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text('utf-8'))
    files = [ROOT / name for name in index['Import']]
    return {file.parent.name: yaml.safe_load(file.read_text('utf-8')) for file in files}


def model_section(model: Mapping[str, Any]) -> Iterator[str]:
    """One model: facts, and what was measured."""
    yield f'### {Path(model["Weights"]).stem}\n\n| | |\n|---|---|\n'
    yield f'| config | `{model["Config"]}` |\n| file | `{model["Weights"]}` |\n'
    for name, value in model['Metadata'].items():
        text = f'`{value}`' if name == 'SHA-256' else plain(value)
        yield f'| {name if name == "SHA-256" else name.lower()} | {text} |\n'
    yield '\n'
    for result in model.get('Results', ()):
        yield f'{result["Task"]}, {result["Dataset"]}:\n\n| | |\n|---|---|\n'
        yield from (f'| {name} | {plain(value)} |\n' for name, value in result['Metrics'].items())
        yield '\n'
    method = Path(model['Config']).parts[1]
    page = f'[{model["In Collection"]}]({method}.md)'
    yield f'How it was measured, and by which commands: {page}.\n\n'


def plain(value: Any) -> str:
    """A value of a metafile as text."""
    if isinstance(value, list):
        return ', '.join(map(plain, value))
    return f'{value:.2f}' if isinstance(value, float) else str(value)


def first_sentence(config: Path) -> str:
    """What the comment on top of a config begins with, if there is one."""
    comment = re.match(r'(#.*\n)+', config.read_text('utf-8'))
    text = ' '.join(line.strip('# ') for line in comment[0].splitlines()) if comment else ''
    return re.split(r'(?<=[.;])\s', text, maxsplit=1)[0].rstrip('.;:')


def render() -> str:
    """The page."""
    metafiles = read_metafiles()
    models = [model for content in metafiles.values() for model in content.get('Models', ())]
    models = [model for model in models if 'Weights' in model]
    trained = {Path(model['Config']) for model in models}
    parts = [HEAD, *(part for model in models for part in model_section(model)), TAIL]
    for method, content in metafiles.items():
        name = content['Collections'][0]['Name']
        found = sorted((ROOT / 'configs' / method).glob('*.py'))
        recipes = [config for config in found if config.relative_to(ROOT) not in trained]
        if recipes:
            parts.append(f'### {name}\n\n| config, in `configs/{method}` | |\n|---|---|\n')
            parts += [f'| `{config.stem}` | {first_sentence(config)} |\n' for config in recipes]
            parts.append('\n')
    return ''.join(parts).rstrip() + '\n'


if __name__ == '__main__':
    PAGE.write_text(render(), 'utf-8')
