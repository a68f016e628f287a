"""What every request passes: the tokens, the limits of their use, and the faults that were ordered."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.local.github.documents import refusal
from deployments.local.github.settings import Account

_LIMIT = 5000


@dataclass(slots=True)
class Fault:
    """An answer in place of GitHub's own to the next `times` requests that fit.

    With `after` what was asked is done first: the answer alone is lost.
    """

    path: str
    status: int
    method: str = ""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False

    def fits(self, request: Request) -> bool:
        """Whether it is for this request."""
        of_method = self.method in {"", request.method}
        return self.times > 0 and of_method and re.search(self.path, request.url.path) is not None

    def answer(self) -> Response:
        """Its answer; a body that is text is the page of some machine in front of GitHub."""
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, media_type="text/html")
        return JSONResponse(self.body, self.status, self.headers)


class Door:
    """Lets in whoever has a token, in front of `inside`; `asked` lists what was asked for."""

    def __init__(self, inside: ASGIApp, orders: str) -> None:
        self._inside, self._orders = inside, orders
        self.accounts: list[Account] = []
        self.faults: list[Fault] = []
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI has it."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        request = Request(scope)
        account = self._account(request)
        scope["account"] = account
        if request.url.path.startswith("/stand-in/"):
            refused = None if self._may_order(request) else JSONResponse(refusal(401, "Bad credentials"), 401)
            await (refused or self._inside)(scope, receive, send)
            return
        self.asked.append(f"{request.method} {request.url.path}")
        await self._answer(scope, receive, send, request, account)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, request: Request, account: Account | None
    ) -> None:
        async def limited(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._limits(message["headers"])]}
            await send(message)

        fault = next((each for each in self.faults if each.fits(request)), None)
        if fault:
            fault.times -= 1
            if fault.after:
                await self._inside(scope, receive, _unheard)
            await fault.answer()(scope, receive, limited)
        elif account is None:
            await JSONResponse(refusal(401, "Bad credentials"), 401)(scope, receive, limited)
        else:
            await self._inside(scope, receive, limited)

    def _limits(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        left = {"limit": _LIMIT, "remaining": max(0, _LIMIT - len(self.asked)), "reset": int(time.time()) + 3600}
        rows = [(f"x-ratelimit-{name}".encode(), str(value).encode()) for name, value in left.items()]
        return [row for row in rows if row[0] not in names]

    def _account(self, request: Request) -> Account | None:
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        fits = (each for each in self.accounts if _same(token, each.token.get_secret_value()))
        return next(fits, None)

    def _may_order(self, request: Request) -> bool:
        return _same(request.headers.get("Authorization", "").partition(" ")[2], self._orders)


async def _unheard(_: Message) -> None:
    """The answer that nobody gets."""


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
