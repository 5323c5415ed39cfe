"""Pages in headless Chromium, where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('chrome')
needs_chromium = pytest.mark.skipif(BROWSER is None, reason='needs Chromium')


def page_after(path: Path, script: str, tmp_path: Path) -> str:
    """The page in a file as Chromium has it after a script ran in it, as HTML."""
    text = path.read_text('utf-8')
    assert text.count('</body>') == 1
    changed = tmp_path / 'changed.html'
    changed.write_text(text.replace('</body>', f'<script>{script}</script></body>'), 'utf-8')
    done = subprocess.run(
        [
            *(str(BROWSER), '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic'),
            *('--no-first-run', '--disable-background-networking', '--disable-component-update'),
            *('--disable-sync', f'--user-data-dir={tmp_path / "profile"}', '--dump-dom'),
            changed.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout
