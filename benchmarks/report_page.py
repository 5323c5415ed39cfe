"""How large a report on many images is, and how fast its page answers in headless Chromium.

    python benchmarks/report_page.py --images 500

Draws images of 240×320 with label maps and coarse ones, runs ``mmrefine evaluate`` on them, and
measures how long the page takes to load, to sort its table, to filter it, and to open an image.
Needs selenium, Chromium and its driver.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from drawn import draw_labels, waver
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from mmrefine.cli import main as mmrefine

SIZE_HW = (240, 320)
FLAGS = ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking')
# What a user does, and the time until the page is drawn again.
MEASURE = """
const done = arguments[arguments.length - 1];
const start = performance.now();
(() => { %s })();
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""
STEPS = {
    'sort': "document.querySelector('#images thead button').click()",
    'filter': """const search = document.getElementById('search');
        search.value = '12'; search.dispatchEvent(new Event('input'))""",
    'open an image': "document.querySelector('#images tbody button').click()",
}


def draw(folder: Path, number: int) -> None:
    """Images, label maps, and what two models might have made of them."""
    for kind in ('images', 'truth', 'before', 'after'):
        (folder / kind).mkdir()
    for index in range(number):
        rng = np.random.default_rng(index)
        labels = draw_labels(SIZE_HW, 5, index)
        image = rng.integers(0, 255, (8, 3))[labels] + rng.integers(0, 20, (*SIZE_HW, 3))
        cv2.imwrite(str(folder / 'images' / f'{index:04}.jpg'), image.clip(0, 255).astype(np.uint8))
        for kind, error in (('truth', 0), ('before', 4), ('after', 2)):
            found = waver(labels, error, index) if error else labels
            cv2.imwrite(str(folder / kind / f'{index:04}.png'), found)


def open_page(path: Path) -> dict[str, float]:
    """Milliseconds of what a user does on the page."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = shutil.which('chromium') or shutil.which('chrome')
    driver = Service(shutil.which('chromedriver'))
    with webdriver.Chrome(options=options, service=driver) as browser:
        start = time.perf_counter()
        browser.get(path.as_uri())
        found = {'load': 1000 * (time.perf_counter() - start)}
        for name, script in STEPS.items():
            found[name] = browser.execute_async_script(MEASURE % script)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, default=500)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, args.images)
        places = [folder / kind for kind in ('before', 'after', 'images')]
        options = zip(('--before', '--after', '--images'), map(str, places), strict=True)
        words = [word for pair in options for word in pair]
        out = folder / 'report'
        mmrefine(['evaluate', 'label-maps', str(folder / 'truth'), *words, '--out', str(out)])
        page = out / 'report.html'
        print(f'{args.images} images: {page.stat().st_size / 1e6:.1f} MB')
        for step, milliseconds in open_page(page).items():
            print(f'{step}: {milliseconds:.0f} ms')


if __name__ == '__main__':
    main()
