"""Argo CD's REST API over the controller, and the orders that make the stand-in misbehave."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deployments.local.argocd import documents
from deployments.local.argocd.controller import Controller, Tracked
from deployments.local.argocd.images import Puller
from deployments.local.argocd.manifests import Invalid
from deployments.local.argocd.repository import Login
from deployments.local.argocd.state import Orders

VERSION = "v3.1.0+stand-in"
# The codes are gRPC's, behind which Argo CD's REST API stands.
_CODES = {400: 9, 401: 16, 403: 7, 404: 5}


class Door:
    """What a request passes first: an outage that was ordered, and the check of its token."""

    def __init__(self, inside: ASGIApp, token: SecretStr) -> None:
        self._inside = inside
        self._token = token
        self.outage = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI has it."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self._inside)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        path = request.url.path
        if self.outage and not path.startswith("/stand-in/"):
            self.outage -= 1
            return PlainTextResponse("upstream connect error or disconnect/reset before headers", 503)
        if path in {"/healthz", "/api/version"}:
            return None
        given = request.headers.get("Authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {self._token.get_secret_value()}".encode()):
            return None
        return _error(401, "invalid session: token is malformed" if given else "no session information")


class API:
    """The routes."""

    def __init__(self, controller: Controller, puller: Puller, token: SecretStr) -> None:
        self._controller, self._puller = controller, puller
        one = "/api/v1/applications/{name}"
        routes = [
            Route("/healthz", _healthz),
            Route("/api/version", _version),
            Route("/api/v1/applications", self._list),
            Route(one, self._get),
            Route(f"{one}/sync", self._sync, methods=["POST"]),
            Route(f"{one}/resource-tree", self._tree),
            Route("/api/v1/stream/applications", self._stream),
            Route("/stand-in/applications/{name}", self._order, methods=["PUT", "DELETE"]),
            Route("/stand-in/outage", self._break, methods=["POST"]),
            Route("/stand-in/registries", self._reach, methods=["POST"]),
        ]
        inside = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers={HTTPException: _handled})
        self.app = Door(inside, token)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._controller.start()
        try:
            yield
        finally:
            await self._controller.stop()

    def _find(self, name: str, project: str | None) -> Tracked:
        tracked = self._controller.applications.get(name)
        if tracked is not None and project in {None, "", tracked.manifest.project}:
            return tracked
        if project:
            raise HTTPException(404, f'applications.argoproj.io "{name}" not found')
        # Who does not name the project does not learn whether there is such an application.
        raise HTTPException(403, "permission denied")

    async def _list(self, request: Request) -> Response:
        wanted = set(request.query_params.getlist("projects") + request.query_params.getlist("project"))
        name = request.query_params.get("name")
        found = [
            documents.application(each)
            for key, each in sorted(self._controller.applications.items())
            if name in {None, "", key} and (not wanted or each.manifest.project in wanted)
        ]
        metadata = {"resourceVersion": str(self._controller.version)}
        return JSONResponse({"metadata": metadata, "items": found or None})

    async def _get(self, request: Request) -> Response:
        name, project = request.path_params["name"], request.query_params.get("project")
        tracked = self._find(name, project)
        if request.query_params.get("refresh") in {"normal", "hard"}:
            await self._controller.refresh(name)
            tracked = self._find(name, project)
        return JSONResponse(documents.application(tracked))

    async def _tree(self, request: Request) -> Response:
        tracked = self._find(request.path_params["name"], request.query_params.get("project"))
        return JSONResponse(documents.resource_tree(tracked))

    async def _sync(self, request: Request) -> Response:
        body = await _body(request)
        tracked = self._find(request.path_params["name"], body.get("project"))
        target, revision = tracked.manifest.target_revision, body.get("revision") or None
        if tracked.manifest.automated and revision not in {None, target}:
            raise HTTPException(400, f"Cannot sync to {revision}: auto-sync currently set to {target}")
        if tracked.state.busy or tracked.orders.locked:
            raise HTTPException(400, "another operation is already in progress")
        try:
            rendered = await asyncio.to_thread(self._controller.render, tracked.manifest, revision or target)
        except Invalid as error:
            raise HTTPException(400, str(error)) from error
        self._controller.request(tracked, rendered)
        return JSONResponse(documents.application(tracked))

    async def _stream(self, request: Request) -> Response:
        name = request.query_params.get("name")
        return StreamingResponse(self._events(name), media_type="application/json")

    async def _events(self, name: str | None) -> AsyncIterator[str]:
        queue = self._controller.subscribe()
        try:
            for key, tracked in list(self._controller.applications.items()):
                if name in {None, "", key}:
                    yield _event("ADDED", tracked)
            while True:
                event = await queue.get()
                if name in {None, "", event.tracked.manifest.name}:
                    yield _event(event.type, event.tracked)
        finally:
            self._controller.unsubscribe(queue)

    async def _order(self, request: Request) -> Response:
        """PUT replaces the orders for an application, DELETE takes them back."""
        tracked = self._controller.applications.get(request.path_params["name"])
        if tracked is None:
            raise HTTPException(404, "no such application")
        try:
            tracked.orders = Orders(**(await _body(request))) if request.method == "PUT" else Orders()
        except TypeError as error:
            raise HTTPException(400, str(error)) from error
        self._controller.wake()
        return JSONResponse(asdict(tracked.orders))

    async def _reach(self, request: Request) -> Response:
        """Let images be pulled from one more registry."""
        body = await _body(request)
        self._puller.add(body["host"], Login(body["user"], SecretStr(body["password"])))
        return JSONResponse({"host": body["host"]})

    async def _break(self, request: Request) -> Response:
        """Answer the next `requests` requests with 503."""
        self.app.outage = int((await _body(request)).get("requests", 1))
        return JSONResponse({"requests": self.app.outage})


def _event(kind: str, tracked: Tracked) -> str:
    return json.dumps({"result": {"type": kind, "application": documents.application(tracked)}}) + "\n"


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body is no JSON object")
    return body


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _version(_: Request) -> Response:
    return JSONResponse({"Version": VERSION})


async def _handled(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _error(error.status_code, str(error.detail))


def _error(status: int, message: str) -> Response:
    body = {"error": message, "code": _CODES.get(status, 2), "message": message, "details": []}
    return JSONResponse(body, status)
