"""The prediction endpoint as an ASGI application.

POST /v1/models/{name}/predict     plain JSON rows
POST /v2/models/{name}/infer       Open Inference Protocol
GET  /v2/models/{name}             what the model reads and gives
GET  /v2/health/live, /v2/health/ready, /v2
"""

import json
import logging
import os
import re
from collections.abc import Awaitable, Callable
from typing import Any

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
if not apps.ready:
    django.setup()

# Django has to be set up before anything that defines or reads tables is imported.
from pipelines.serving.predict import Line
from portal.serve.desk import Desk
from portal.serve.door import secret_of
from portal.serve.problems import HttpError, problem
from portal.serve.reading import (
    DATATYPES,
    parse,
    read_rows,
    read_tensors,
    tensors_of,
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, dict[str, Any], dict[str, str]]

MAX_BODY = 8 * 1024 * 1024  # bytes; 5,000 rows of 100 columns fit
PATH = re.compile(r"^/(v1|v2)/models/([-\w]+)(?:/versions/(\d+))?(?:/(predict|infer))?/?$")

log = logging.getLogger("baton.serve")


class Serve:
    """The application; one per process."""

    def __init__(self) -> None:
        self.desk = Desk()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.desk.open()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.desk.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, body, headers = await self._route(scope, receive)
            media = "application/json"
        except Exception as error:
            status, body, headers = problem(error)
            media = "application/problem+json"
            if status == 500:
                log.exception("a prediction failed")
        data = json.dumps(body, separators=(",", ":"), allow_nan=False, default=str).encode()
        listed = [
            (b"content-type", media.encode()),
            (b"content-length", str(len(data)).encode()),
            (b"cache-control", b"no-store"),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": data})

    async def _route(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if path.startswith("/v2/health/") or path in ("/v2", "/v2/", "/healthz", "/readyz"):
            _only(method, "GET")
            return self._health(path)
        found = PATH.match(path)
        if found is None or (found[1], found[4]) in (
            ("v1", "infer"),
            ("v2", "predict"),
            ("v1", None),
        ):
            raise HttpError(404, "not_found", f"There is nothing at {path}.")
        _only(method, "POST" if found[4] else "GET")
        secret = secret_of(dict(scope["headers"]).get(b"authorization", b""))
        line = await self.desk.line(found[2], secret)
        user = await self.desk.user(secret, line)
        if not found[4]:
            return 200, _metadata(line), {}
        data = parse(await _body(scope, receive))
        if found[4] == "predict":
            return await self._predict(line, data, user)
        return await self._infer(line, data, user, found[3])

    def _health(self, path: str) -> Answer:
        if path in ("/v2", "/v2/"):
            return 200, {"name": "baton", "version": "2", "extensions": []}, {}
        if path.rstrip("/").endswith(("live", "healthz")):
            return 200, {"live": True}, {}
        ready = self.desk.ready
        body = {
            "ready": ready,
            "models": sorted(self.desk.board.lines),
            "log_waiting": self.desk.writer.waiting,
        }
        return (200 if ready else 503), body, {}

    async def _predict(self, line: Line, data: dict[str, Any], user: int) -> Answer:
        request, answers = await self.desk.answer(line, read_rows(data, user=user))
        listed = [one.as_json() for one in answers]
        body: dict[str, Any] = {"model": line.model.name, "request": request, "predictions": listed}
        if any(one.by is None for one in answers):
            body["fallback"] = line.model.fallback
        return 200, body, {}

    async def _infer(
        self, line: Line, data: dict[str, Any], user: int, version: str | None
    ) -> Answer:
        main = line.live or line.canary or line.all[0]
        if version is not None and int(version) != main.version:
            raise HttpError(404, "not_found", f"Version {version} of {line.model} does not answer.")
        request, answers = await self.desk.answer(line, read_tensors(data, user=user))
        rows = [one.as_json() for one in answers]
        body = {
            "model_name": line.model.name,
            "model_version": str(main.version),
            "id": str(data.get("id") or request),
            "outputs": tensors_of(answers, main.loaded.signature.outputs),
            "parameters": {
                "request": request,
                "versions": [row["version"] for row in rows],
                "deployments": [row["deployment"] for row in rows],
                "approvals": [row["approval"] for row in rows],
                "fallback": line.model.fallback,
            },
        }
        return 200, body, {}


def _only(method: str, allowed: str) -> None:
    if method != allowed and not (allowed == "GET" and method == "HEAD"):
        raise HttpError(
            405, "method", f"This address takes {allowed}, not {method}.", Allow=allowed
        )


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises HttpError 413 as soon as it is too long."""
    stated = dict(scope["headers"]).get(b"content-length", b"0")
    if stated.isdigit() and int(stated) > MAX_BODY:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "malformed", "The connection ended before the body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large() -> HttpError:
    return HttpError(413, "too_large", f"A body may have {MAX_BODY:,} bytes; send smaller batches.")


def _metadata(line: Line) -> dict[str, Any]:
    """What the answering version reads and gives, and which versions are deployed."""
    main = line.live or line.canary or line.all[0]
    signature = main.loaded.signature
    return {
        "name": line.model.name,
        "versions": sorted({str(one.version) for one in line.all}),
        "platform": "scikit-learn",
        "inputs": [
            {"name": c.name, "datatype": DATATYPES.get(c.type, "BYTES"), "shape": [-1]}
            for c in signature.inputs
        ],
        "outputs": [
            {"name": o.name, "datatype": DATATYPES.get(o.type, "BYTES"), "shape": [-1]}
            for o in signature.outputs
        ],
        "parameters": {
            "deployed": [
                {
                    "mode": one.mode,
                    "version": one.version,
                    "share": one.share,
                    "approval": one.approval,
                    "package": one.package,
                    "scoring_path": one.loaded.path,
                }
                for one in line.all
            ],
            "signature": signature.as_json(),
            "fallback": line.model.fallback,
        },
    }


app = Serve()
