"""Make the picture of the page, docs/images/app.png: ``python docs/make_app_picture.py``.

The demo's photograph and coarse mask, uploaded to ``mmrefine app`` in headless Chromium, which is
driven by selenium: both are needed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

DOCS = Path(__file__).parent
DEMO = DOCS.parent / 'demo'
FLAGS = (
    *('--headless=new', '--no-sandbox', '--disable-gpu', '--window-size=1000,1040'),
    *('--disable-quic', '--no-first-run', '--disable-background-networking'),
    *('--disable-component-update', '--disable-sync'),
)


def draw(url: str, out: Path) -> None:
    """Refine the photograph on the page, and photograph the page."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = shutil.which('chromium') or shutil.which('chrome')
    driver = Service(shutil.which('chromedriver'))
    with webdriver.Chrome(options=options, service=driver) as browser:
        browser.get(url)
        time.sleep(1)
        browser.find_element('id', 'images').send_keys(str(DEMO / 'images' / 'coffee.png'))
        browser.find_element('id', 'masks').send_keys(str(DEMO / 'coarse' / 'coffee.png'))
        browser.find_element('id', 'refine').click()
        while browser.find_element('id', 'status').text != 'done':
            time.sleep(0.5)
        time.sleep(2)
        out.write_bytes(browser.get_screenshot_as_png())


def main() -> None:
    """Run the page's server for as long as it takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=DOCS / 'images' / 'app.png')
    args = parser.parse_args()
    command = [sys.executable, '-m', 'mmrefine', 'app', '--port', '0', '--device', 'cpu']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            server.stdout.readline()  # that it is loading
            draw(re.search(r'http://\S+', server.stdout.readline())[0], args.out)
        finally:
            server.terminate()


if __name__ == '__main__':
    main()
