"""The page's server: static files, uploads, and what came of them. Needs starlette.

========================================  ========================================================
``GET /``, ``/page.css``, ``/page.js``    the page
``GET /settings``                         methods and limits
``POST /jobs``                            open a job; its token
``PUT /jobs/T/images/NAME``               upload a file, its bytes as the body; or ``masks``
``POST /jobs/T/start?method=M``           let it wait for its turn; ``&resize=1``: masks may be of
                                          another size than their image
``GET /jobs/T``                           where it is, and what there is to see
``GET /jobs/T/views/I/NAME``              a picture of an image
``GET /jobs/T/result``                    the refined file
========================================  ========================================================

A token is a secret. No name from outside becomes a path: files are found by tokens, numbers and a
fixed list of names.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from .jobs import Job, Jobs, TooMuch

PAGE = Path(__file__).parent
STATIC = {'/': 'page.html', '/page.css': 'page.css', '/page.js': 'page.js'}
PICTURES = ('image.jpg', 'changed.png', 'confidence.png', 'outlines.json')
# Other sites' pages cannot send it without asking first, which is refused.
OWN_HEADER = 'x-mmrefine'
HEADERS = {
    'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
}


def create_server(jobs: Jobs, hosts: list[str] | None = None) -> Starlette:
    """Make the server.

    Args:
        jobs: What it works with.
        hosts: Names that it may be called by; by default this machine's own, so that no other
            site can lead a browser here.
    """
    server = _Server(jobs)
    routes = [Route(path, server.static) for path in STATIC]
    routes += [
        Route('/settings', server.settings),
        Route('/jobs', server.create, methods=['POST']),
        Route('/jobs/{token}', server.state),
        Route('/jobs/{token}/start', server.start, methods=['POST']),
        Route('/jobs/{token}/result', server.result),
        Route('/jobs/{token}/views/{index:int}/{name}', server.picture),
        Route('/jobs/{token}/{kind}/{name:path}', server.upload, methods=['PUT']),
    ]
    allowed = hosts or ['localhost', '127.0.0.1', '[::1]']
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=allowed)]
    )


class _Server:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def static(self, request: Request) -> Response:
        return FileResponse(PAGE / STATIC[request.url.path], headers=HEADERS)

    async def settings(self, request: Request) -> Response:
        limits = self._jobs.limits
        return _json(
            methods=self._jobs.names,
            upload_bytes=limits.upload_bytes,
            megapixels=limits.pixels / 1e6,
        )

    async def create(self, request: Request) -> Response:
        return _answer(request, lambda: dict(token=self._jobs.create().token))

    async def start(self, request: Request) -> Response:
        def do() -> dict[str, Any]:
            job = self._job(request)
            asked = request.query_params
            self._jobs.start(job, asked.get('method', ''), asked.get('resize') == '1')
            return self._state(job)

        return _answer(request, do)

    async def state(self, request: Request) -> Response:
        return _answer(request, lambda: self._state(self._job(request)))

    async def upload(self, request: Request) -> Response:
        kind, name = request.path_params['kind'], request.path_params['name']
        if kind not in ('images', 'masks'):
            return _error(404, 'there is nothing here')

        try:
            _check_own(request)
            job = self._job(request)
            path = self._jobs.place_for(job, kind, name)
            with path.open('wb') as file:
                async for chunk in request.stream():
                    self._jobs.count(job, len(chunk))
                    file.write(chunk)
        except _REFUSALS as error:
            return _refusal(error)
        return _json(name=path.name)

    async def picture(self, request: Request) -> Response:
        outcome = self._outcome(request)
        index, name = request.path_params['index'], request.path_params['name']
        if outcome is None or name not in PICTURES or index >= len(outcome.views):
            return _error(404, 'there is nothing here')
        path = outcome.views[index].folder / name
        if not path.is_file():
            return _error(404, 'there is nothing here')
        return FileResponse(path, headers=HEADERS)

    async def result(self, request: Request) -> Response:
        outcome = self._outcome(request)
        if outcome is None:
            return _error(404, 'there is nothing here')
        path = outcome.result
        kind = 'application/octet-stream'
        return FileResponse(path, filename=path.name, headers=HEADERS, media_type=kind)

    def _job(self, request: Request) -> Job:
        return self._jobs.get(request.path_params['token'])

    def _outcome(self, request: Request) -> Any:
        try:
            return self._job(request).outcome
        except KeyError:
            return None

    def _state(self, job: Job) -> dict[str, Any]:
        state: dict[str, Any] = dict(
            state=job.state, before=self._jobs.before(job), message=job.message
        )
        state |= dict(done=job.done, total=job.total)
        if job.outcome is not None and job.state == 'done':
            state['notes'] = job.outcome.notes
            state['result'] = job.outcome.result.name
            state['views'] = [
                dict(name=view.name, changed=view.changed, confidence=view.has_confidence)
                for view in job.outcome.views
            ]
        return state


class _Foreign(Exception):
    """A request that another site's page may have made."""


_REFUSALS = (KeyError, TooMuch, ValueError, _Foreign)


def _check_own(request: Request) -> None:
    if OWN_HEADER not in request.headers:
        raise _Foreign


def _answer(request: Request, do: Callable[[], dict[str, Any]]) -> Response:
    try:
        if request.method != 'GET':
            _check_own(request)
        return _json(**do())
    except _REFUSALS as error:
        return _refusal(error)


def _refusal(error: Exception) -> Response:
    if isinstance(error, KeyError):
        return _error(404, 'this job is not there any more; begin another one')
    if isinstance(error, _Foreign):
        return _error(403, f'the header {OWN_HEADER} is missing')
    return _error(413 if isinstance(error, TooMuch) else 400, str(error))


def _json(**content: Any) -> Response:
    return JSONResponse(content, headers=HEADERS)


def _error(status: int, text: str) -> Response:
    return JSONResponse(dict(error=text), status, headers=HEADERS)
