"""The page in Chromium: upload, refine, slide, download, a broken file, two users, a drawing."""

import shutil
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from chromium import BROWSER, needs_chromium

from mmrefine.apis import build_refiner

webdriver = pytest.importorskip('selenium.webdriver', reason='pip install selenium')
DRIVER = shutil.which('chromedriver')
pytestmark = [
    pytest.mark.slow,
    needs_chromium,
    pytest.mark.skipif(DRIVER is None, reason='needs chromedriver'),
]
FLAGS = (
    *('--headless=new', '--no-sandbox', '--disable-gpu', '--window-size=1000,900'),
    *('--disable-quic', '--no-first-run', '--disable-background-networking'),
    *('--disable-component-update', '--disable-sync'),
)


@pytest.fixture
def browse(tmp_path) -> Iterator[Callable]:
    """Open a page in a new browser that downloads into ``tmp_path / 'downloads'``."""
    from selenium.webdriver.chrome.service import Service

    opened = []

    def start(url: str):
        options = webdriver.ChromeOptions()
        for flag in FLAGS:
            options.add_argument(flag)
        options.binary_location = str(BROWSER)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        preferences = {'download.default_directory': str(tmp_path / 'downloads')}
        options.add_experimental_option('prefs', preferences)
        browser = webdriver.Chrome(options=options, service=Service(DRIVER))
        opened.append(browser)
        browser.get(url)
        until(lambda: browser.execute_script("return document.getElementById('method').length"))
        return browser

    yield start
    for browser in opened:
        browser.quit()


def until(condition: Callable, seconds: float = 90):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, 'it never came'
        time.sleep(0.1)
    return found


def element(browser, name: str):
    return browser.find_element('id', name)


def refine(browser, image, mask=None) -> str:
    """Give files and refine; what the page says at the end."""
    element(browser, 'images').send_keys(str(image))
    if mask is not None:
        element(browser, 'masks').send_keys(str(mask))
    element(browser, 'refine').click()
    until(lambda: element(browser, 'refine').is_enabled())
    return element(browser, 'status').text


def test_upload_refine_slide_and_download(serve, browse, tmp_path, run_fresh):
    image, mask = tmp_path / 'i.png', tmp_path / 'm.png'
    for path, name in ((image, 'images'), (mask, 'coarse')):
        array = cv2.imread(f'demo/{name}/coffee.png', cv2.IMREAD_UNCHANGED)[40:140, 180:300]
        cv2.imwrite(str(path), array)
    browser = browse(serve({'bpr': build_refiner(device='cpu')}).url)
    assert refine(browser, image, mask) == 'done'
    script = 'return getComputedStyle(document.getElementById(arguments[0])).clipPath'
    before = browser.execute_script(script, 'after')
    slide = """const slider = document.getElementById('slider');
        slider.value = 20; slider.dispatchEvent(new Event('input'))"""
    browser.execute_script(slide)
    assert browser.execute_script(script, 'after') != before
    assert '20%' in browser.execute_script(script, 'after')
    path = 'return document.querySelector(arguments[0]).getAttribute("d")'
    until(lambda: browser.execute_script(path, '#after path'))
    assert browser.execute_script(path, '#after path') != browser.execute_script(
        path, '#before path'
    )
    for layer in ('changed', 'confidence'):
        browser.find_element('css selector', f'[data-layer={layer}]').click()
        assert element(browser, layer).is_displayed()
        script = f"return document.getElementById('{layer}').naturalWidth"
        assert until(lambda script=script: browser.execute_script(script)) == 120
    browser.execute_script('zoomTo(3)')
    wide = 'return document.getElementById("sheet").offsetWidth'
    assert browser.execute_script(wide) >= 7 * element(browser, 'stage').size['width']
    element(browser, 'download').click()
    out = tmp_path / 'downloads' / 'm.png'
    until(out.is_file)
    run_fresh('-m', 'mmrefine', 'refine', 'i.png', 'm.png', 'by_command.png', cwd=tmp_path)
    assert out.read_bytes() == (tmp_path / 'by_command.png').read_bytes()
    errors = [line for line in browser.get_log('browser') if line['level'] == 'SEVERE']
    assert not errors


def test_a_broken_file_two_users_and_a_drawn_mask(serve, browse, shift, files, tmp_path):
    served = serve({'shift': shift})
    broken = tmp_path / 'broken.png'
    broken.write_bytes(b'nothing')
    first, second = browse(served.url), browse(served.url)
    assert refine(first, files[0], broken) == 'broken.png: is not an image, or is incomplete'
    assert 'bad' in element(first, 'status').get_attribute('class')

    first.refresh()
    until(lambda: first.execute_script("return document.getElementById('method').length"))
    shift.gate.clear()
    for browser in (first, second):
        element(browser, 'images').send_keys(str(files[0]))
        element(browser, 'masks').send_keys(str(files[1]))
        element(browser, 'refine').click()
        time.sleep(0.5)
    until(lambda: element(second, 'status').text == 'waiting, 1 before you')
    shift.gate.set()
    for browser in (first, second):
        until(lambda one=browser: element(one, 'status').text == 'done')

    element(second, 'draw').click()
    until(lambda: second.execute_script('return canvas.width') == 60)
    actions = webdriver.ActionChains(second)
    sheet = element(second, 'canvas')
    actions.move_to_element(sheet).click_and_hold().move_by_offset(8, 0).release().perform()
    element(second, 'refine').click()
    until(lambda: 'drawn.png' in element(second, 'download').text)
    element(second, 'download').click()
    out = tmp_path / 'downloads' / 'drawn.png'
    until(out.is_file)
    mask = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert mask.shape[:2] == (40, 60)
    assert set(np.unique(mask)) == {0, 255}
