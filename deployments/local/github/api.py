"""GitHub's REST API over the repositories, and the orders that make the stand-in misbehave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deployments.local.github import documents, graphql
from deployments.local.github.door import Door, Fault
from deployments.local.github.pulls import METHODS, Pull, Pulls, Refused
from deployments.local.github.repository import Repository
from deployments.local.github.settings import OWNER, Account

_PREFIX = "/api/v3"
_PAGE, _LARGEST = 30, 100


class API:
    """The routes, over the bare repositories in `folder`; `orders` is the token of who makes it misbehave."""

    def __init__(self, folder: Path, key: SecretStr, orders: SecretStr) -> None:
        self._folder, self._key = folder, key
        self._pulls: dict[str, Pulls] = {}
        one = f"{_PREFIX}/repos/{{owner}}/{{name}}"
        routes = [
            Route("/healthz", lambda _: JSONResponse({})),
            Route(one, self._repository),
            Route(f"{one}/branches/{{branch:path}}", self._branch),
            Route(f"{one}/commits/{{sha}}", self._commit),
            Route(f"{one}/pulls", self._list, methods=["GET"]),
            Route(f"{one}/pulls", self._create, methods=["POST"]),
            Route(f"{one}/pulls/{{number:int}}", self._get, methods=["GET"]),
            Route(f"{one}/pulls/{{number:int}}", self._update, methods=["PATCH"]),
            Route(f"{one}/pulls/{{number:int}}/merge", self._merge, methods=["PUT"]),
            Route(f"{one}/issues/{{number:int}}/comments", self._comment, methods=["POST"]),
            Route("/api/graphql", self._graphql, methods=["POST"]),
            Route("/stand-in/accounts", self._admit, methods=["POST"]),
            Route("/stand-in/faults", self._break, methods=["POST"]),
            Route("/stand-in/asked", self._asked),
            Route("/stand-in/checks/{name}", self._check, methods=["POST"]),
            Route("/stand-in/comments/{name}/{number:int}", self._comments),
        ]
        inside = Starlette(routes=routes, exception_handlers={Refused: _refused, 404: _missing})
        self.app = Door(inside, orders.get_secret_value())

    def _of(self, request: Request, *, push: bool = False) -> Pulls:
        """The pull requests of the repository asked for. Raises Refused where the one asking does not see it."""
        account, parameters = request.scope["account"], request.path_params
        found = self._find(account, f"{parameters['owner']}/{parameters['name']}")
        if found is None:
            raise Refused(404, "Not Found")
        if push and account.repositories[parameters["name"]] != "push":
            raise Refused(403, "Resource not accessible by personal access token")
        return found

    def _find(self, account: Account, full: str) -> Pulls | None:
        owner, _, name = full.partition("/")
        if owner != OWNER or name not in account.repositories:
            return None
        pulls = self._known(name)
        pulls.refresh()
        return pulls

    def _known(self, name: str) -> Pulls:
        repository = Repository(self._folder / f"{name}.git", self._key)
        return self._pulls.setdefault(name, Pulls(repository, f"{OWNER}/{name}"))

    def _one(self, request: Request, *, push: bool = False) -> tuple[Pulls, Pull]:
        pulls, number = self._of(request, push=push), request.path_params["number"]
        if not 0 < number <= len(pulls.every):
            raise Refused(404, "Not Found")
        return pulls, pulls.every[number - 1]

    def _repository(self, request: Request) -> Response:
        pulls = self._of(request)
        default = pulls.repository.git.text("symbolic-ref", "--short", "HEAD")
        may = request.scope["account"].repositories[request.path_params["name"]] == "push"
        return JSONResponse(documents.repository(pulls.name, default, push=may))

    def _branch(self, request: Request) -> Response:
        repository, branch = self._of(request).repository, request.path_params["branch"]
        tip = repository.tip(branch)
        if tip is None:
            raise Refused(404, "Branch not found")
        return JSONResponse({"name": branch, "commit": {"sha": tip}, "protected": repository.protected(branch)})

    def _commit(self, request: Request) -> Response:
        pulls, sha = self._of(request), request.path_params["sha"]
        if not pulls.repository.git.is_commit(sha):
            raise Refused(422, f"No commit found for SHA: {sha}")
        return JSONResponse(documents.commit(_base(request), pulls.name, pulls.repository, sha))

    def _list(self, request: Request) -> Response:
        pulls, query = self._of(request), request.query_params
        state, head, base = query.get("state", "open"), query.get("head"), query.get("base")
        found = [
            pull
            for pull in reversed(pulls.every)
            if state in {"all", "open" if pull.open else "closed"}
            and head in {None, f"{OWNER}:{pull.head}"}
            and base in {None, pull.base}
        ]
        size, page = min(int(query.get("per_page", _PAGE)), _LARGEST), int(query.get("page", 1))
        shown = found[(page - 1) * size : page * size]
        more = request.url.include_query_params(page=page + 1)
        headers = {"Link": f'<{more}>; rel="next"'} if page * size < len(found) else {}
        return JSONResponse([documents.pull(_base(request), pulls, pull) for pull in shown], headers=headers)

    async def _create(self, request: Request) -> Response:
        pulls, given = self._of(request, push=True), await _body(request)
        user = request.scope["account"].login
        made = pulls.create(given["title"], given.get("body") or "", given["head"], given["base"], user)
        return JSONResponse(documents.pull(_base(request), pulls, made), 201)

    def _get(self, request: Request) -> Response:
        return JSONResponse(documents.pull(_base(request), *self._one(request)))

    async def _update(self, request: Request) -> Response:
        (pulls, pull), given = self._one(request, push=True), await _body(request)
        pull.title, pull.body = given.get("title", pull.title), given.get("body", pull.body)
        if given.get("state") == "closed":
            pull.open = False
        elif given.get("state") == "open" and not pull.open and not pull.merge_commit:
            pull.open = True
        return JSONResponse(documents.pull(_base(request), pulls, pull))

    async def _merge(self, request: Request) -> Response:
        (pulls, pull), given = self._one(request, push=True), await _body(request)
        method = given.get("merge_method", METHODS[0])
        made = pulls.merge(pull, method, request.scope["account"].login, given.get("sha"))
        return JSONResponse({"sha": made, "merged": True, "message": "Pull Request successfully merged"})

    async def _comment(self, request: Request) -> Response:
        (_, pull), given = self._one(request, push=True), await _body(request)
        pull.comments.append(given["body"])
        return JSONResponse({"id": len(pull.comments), "body": given["body"]}, 201)

    async def _graphql(self, request: Request) -> Response:
        given, account = await _body(request), request.scope["account"]

        def find(full: str) -> Pulls | None:
            return self._find(account, full) if account.repositories.get(full.partition("/")[2]) == "push" else None

        return JSONResponse(graphql.answer(given["query"], given.get("variables") or {}, find, account.login))

    async def _admit(self, request: Request) -> Response:
        given = await _body(request)
        known = next((each for each in self.app.accounts if each.token.get_secret_value() == given["token"]), None)
        before = known.repositories if known else {}
        account = Account(given["login"], SecretStr(given["token"]), {**before, **given["repositories"]})
        self.app.accounts = [account, *(each for each in self.app.accounts if each is not known)]
        return JSONResponse({})

    async def _break(self, request: Request) -> Response:
        self.app.faults.append(Fault(**await _body(request)))
        return JSONResponse({})

    def _asked(self, _: Request) -> Response:
        return JSONResponse(self.app.asked)

    async def _check(self, request: Request) -> Response:
        pulls = self._known(request.path_params["name"])
        pulls.checking = (await _body(request))["checking"]
        pulls.refresh()
        return JSONResponse({})

    def _comments(self, request: Request) -> Response:
        pulls = self._known(request.path_params["name"])
        return JSONResponse(pulls.every[request.path_params["number"] - 1].comments)


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{_PREFIX}"


async def _body(request: Request) -> dict[str, Any]:
    found = json.loads(await request.body() or b"{}")
    if not isinstance(found, dict):
        raise Refused(400, "Problems parsing JSON")
    return found


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - no other is handled here
    return JSONResponse(documents.refusal(error.status, error.message, error.errors), error.status)


def _missing(_: Request, __: Exception) -> Response:
    return JSONResponse(documents.refusal(404, "Not Found"), 404)
