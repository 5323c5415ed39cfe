"""``mmrefine app``: a local web page to try refining on."""

import argparse
import errno
import os
import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..methods import DEFAULT, shipped_methods, whole_number

if TYPE_CHECKING:
    from ..refiners import Refiner

DESCRIPTION = 'Open a local web page: drop an image and a mask, see coarse against refined'
EPILOG = """
examples:
  mmrefine app
  mmrefine app --port 8080 --config my_config.py --checkpoint work_dirs/my_config/iter_150.pth

Only this machine can reach the page, unless --host says otherwise; nothing is fetched from a
network. Needs pip install 'mmrefine[app]'.
"""
LOOPBACK = ('127.0.0.1', 'localhost', '::1')


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    parser.add_argument('--host', default='127.0.0.1', help='default: 127.0.0.1, this machine only')
    parser.add_argument('--port', type=int, default=7860, help='default: 7860; 0 takes a free one')
    parser.add_argument(
        '--device', help='for example cpu or cuda:1; default: a GPU if there is one'
    )
    parser.add_argument('--config', help='offer a refiner of your own, too: its config')
    parser.add_argument('--checkpoint', help='weights of --config, or those of a method')
    parser.add_argument(
        '--max-upload', type=whole_number, default=200, metavar='MB', help='of a job (default 200)'
    )
    parser.add_argument(
        '--max-pixels',
        type=whole_number,
        default=40,
        metavar='MP',
        help='megapixels of an image (default 40)',
    )


def run(args: argparse.Namespace) -> int:
    """Serve the page until it is interrupted."""
    for path in (args.config, args.checkpoint):
        if path is not None and not Path(path).is_file():
            raise ValueError(f'{path}: expected a file, there is none')
    if args.checkpoint is not None:
        from ..files.first_look import look_at_checkpoint

        look_at_checkpoint(args.checkpoint)
    if not (find_spec('starlette') and find_spec('uvicorn')):
        raise ImportError("the page needs two packages: pip install 'mmrefine[app]'")
    port = _open_port(args.host, args.port)
    print('loading the network, some seconds', flush=True)
    import uvicorn

    from ..app.jobs import Jobs, Limits
    from ..app.server import create_server
    from ..runs.opencv_log import silence_opencv, without_libpng

    silence_opencv()
    names, build = offered_refiners(args)
    build(names[0])  # what is wrong with it is said now
    limits = Limits(args.max_upload * 2**20, pixels=args.max_pixels * 1_000_000)
    jobs = Jobs(build, names, limits)
    hosts = None if args.host in LOOPBACK else ['*']
    config = uvicorn.Config(
        create_server(jobs, hosts),
        log_config=None,  # its own closes the log files that others have open
        log_level='warning',
        access_log=False,
    )
    try:
        with without_libpng():
            _announcing_server()(config).run([port])
    finally:
        port.close()
        jobs.close()
    return 0


def _open_port(host: str, port: int) -> socket.socket:
    """Take the port that the page will be at.

    Raises:
        ValueError: if it cannot be had.
    """
    opened = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    if os.name == 'posix':  # elsewhere it would take a port that is in use
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except (OSError, OverflowError) as error:
        opened.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ValueError(
                f'--port {port}: is in use by another program, perhaps by another page; give '
                f'another one, as --port {port + 1}, or --port 0, which takes a free one'
            ) from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f'--host {host}, --port {port}: {reason}') from error
    return opened


def offered_refiners(
    args: argparse.Namespace,
) -> 'tuple[list[str], Callable[[str], Refiner]]':
    """Names of refiners, the default one first, and what builds each of them once."""
    from ..apis import build_refiner

    names = sorted(shipped_methods(), key=lambda name: name != DEFAULT)
    own = Path(args.config or args.checkpoint).stem if args.config or args.checkpoint else None
    if own is not None:
        names = [own, *names]
    built: dict[str, Refiner] = {}

    def build(name: str) -> 'Refiner':
        if name not in built:
            method, weights = (args.config, args.checkpoint) if name == own else (name, None)
            built[name] = build_refiner(method, weights, args.device)
        return built[name]

    return names, build


def _announcing_server() -> type:
    """Uvicorn's server, that says where the page is when it can be reached."""
    import uvicorn

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list | None = None) -> None:
            await super().startup(sockets)
            for server in getattr(self, 'servers', ()):
                host, port = server.sockets[0].getsockname()[:2]
                print(f'the page is at http://{host}:{port} (Ctrl-C ends it)', flush=True)

    return Announcing
