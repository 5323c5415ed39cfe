"""The page's server, running; and refiners that need no network."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cv2
import numpy as np
import pytest

from mmrefine.app.jobs import Jobs, Limits
from mmrefine.refiners import Refiner

pytest.importorskip('starlette', reason='pip install -r requirements/app.txt')
uvicorn = pytest.importorskip('uvicorn', reason='pip install -r requirements/app.txt')

SIZE_HW = (40, 60)


class ShiftDown(Refiner):
    """Moves all masks down by a row; waits while its gate is closed."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def refine(self, image, masks):
        assert self.gate.wait(60)
        refined = masks.copy()
        refined[..., 1:, :] = masks[..., :-1, :]
        return refined


@dataclass
class Served:
    """A server, and a way to talk to it."""

    url: str
    jobs: Jobs

    def ask(
        self, path: str, method: str = 'GET', body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        headers = {'x-mmrefine': '1', **headers}
        request = Request(f'{self.url}/{path}', body, headers, method=method)
        try:
            with urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    def data(self, path: str, method: str = 'GET', body: bytes | None = None) -> dict:
        """What an answer says."""
        return json.loads(self.ask(path, method, body)[1])

    def begin(self, uploads: dict[str, bytes], method: str = 'shift') -> str:
        """Upload files and start; the token."""
        token = self.data('jobs', 'POST')['token']
        for name, content in uploads.items():
            status, answer = self.ask(f'jobs/{token}/{name}', 'PUT', content)
            assert status == 200, answer
        assert self.ask(f'jobs/{token}/start?method={method}', 'POST')[0] == 200
        return token

    def finished(self, token: str) -> dict:
        """The state of a job at its end."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            state = self.data(f'jobs/{token}')
            if state['state'] in ('done', 'failed'):
                return state
            time.sleep(0.05)
        raise AssertionError('it never ended')


@pytest.fixture
def shift() -> ShiftDown:
    return ShiftDown()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Run a server with refiners by name; several in one test work."""
    from mmrefine.app.server import create_server

    ends: list[Callable[[], object]] = []

    def start(refiners: dict[str, Refiner], limits: Limits | None = None) -> Served:
        jobs = Jobs(refiners.__getitem__, list(refiners), limits)
        # Its own log_config would close the log files that other tests have open.
        config = uvicorn.Config(
            create_server(jobs), '127.0.0.1', 0, log_config=None, log_level='error'
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]

        def end() -> None:
            server.should_exit = True
            thread.join()
            jobs.close()

        ends.append(end)
        return Served(f'http://127.0.0.1:{port}', jobs)

    yield start
    for end in ends:
        end()


def png(array: np.ndarray) -> bytes:
    return cv2.imencode('.png', array)[1].tobytes()


@pytest.fixture
def photo() -> bytes:
    rng = np.random.default_rng(0)
    return png(rng.integers(0, 255, (*SIZE_HW, 3), dtype=np.uint8))


@pytest.fixture
def labels() -> np.ndarray:
    array = np.zeros(SIZE_HW, np.uint8)
    array[10:20, 15:40] = 1
    array[25:30, 5:9] = 2
    return array


@pytest.fixture
def files(tmp_path, photo, labels) -> tuple[Path, Path]:
    """An image and a label map on disk, for a browser to upload."""
    (tmp_path / 'photo.png').write_bytes(photo)
    (tmp_path / 'mask.png').write_bytes(png(labels))
    return tmp_path / 'photo.png', tmp_path / 'mask.png'
