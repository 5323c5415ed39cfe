"""``mmrefine app`` as it is started: it says where the page is, serves it, and ends in order."""

import json
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest

pytest.importorskip('uvicorn', reason='pip install -r requirements/app.txt')


@pytest.mark.slow
def test_the_page_is_served_until_it_is_interrupted():
    command = [sys.executable, '-m', 'mmrefine', 'app', '--port', '0', '--device', 'cpu']
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # Started in the background, this process ignores the signal, and so would the page.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, **pipes) as server:
        signal.signal(signal.SIGINT, before)
        try:
            assert server.stdout.readline() == 'loading the network, some seconds\n'
            url = re.search(r'http://127\.0\.0\.1:\d+', server.stdout.readline())[0]
            with urlopen(f'{url}/settings', timeout=60) as answer:
                assert json.loads(answer.read())['methods'] == ['bpr', 'segfix']
            server.send_signal(signal.SIGINT)
            _, error = server.communicate(timeout=60)
        finally:
            server.kill()
    assert server.returncode == 130
    assert error == 'mmrefine: interrupted\n'
