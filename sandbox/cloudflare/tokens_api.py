"""`/user/tokens` and `/accounts/{account}/tokens`: verify, create, list, update, delete, roll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.cloudflare.envelope import Page, answer, listing
from sandbox.cloudflare.errors import no_route, refused, unauthorized
from sandbox.cloudflare.gate import PREFIX, TOKEN, body_of
from sandbox.cloudflare.tokens import (
    GROUPS,
    Token,
    changed_fields,
    new_token,
    new_value,
    resource_of_account,
    resource_of_user,
)


if TYPE_CHECKING:
    from sandbox.cloudflare.account import Account


READ, WRITE = ("API Tokens Read", "API Tokens Write"), ("API Tokens Write",)
QUOTA_OF_USER, QUOTA_OF_ACCOUNT = 50, 500


def token_routes(account: Account) -> list[web.RouteDef]:
    """Return the routes of user-owned and of account-owned tokens."""
    roots = (f"{PREFIX}/user/tokens", f"{PREFIX}/accounts/{{account}}/tokens")
    return [route for root in roots for route in _routes(account, root)]


def _routes(account: Account, root: str) -> list[web.RouteDef]:
    tokens = _Tokens(account)
    return [
        web.get(f"{root}/verify", tokens.verify),
        web.get(f"{root}/permission_groups", tokens.permission_groups),
        web.get(root, tokens.list_all),
        web.post(root, tokens.create),
        web.get(f"{root}/{{token}}", tokens.get),
        web.put(f"{root}/{{token}}", tokens.update),
        web.delete(f"{root}/{{token}}", tokens.delete),
        web.put(f"{root}/{{token}}/value", tokens.roll),
    ]


class _Tokens:
    def __init__(self, account: Account) -> None:
        self.account = account

    async def verify(self, request: web.Request) -> web.Response:
        token = request[TOKEN]
        if token.account != self._owner(request):
            raise refused(1000, "Invalid API Token", status=401)
        times = {k: token.wire[k] for k in ("not_before", "expires_on") if token.wire.get(k)}
        status = token.status(self.account.clock.now())
        return answer(
            {"id": token.id, "status": status} | times,
            message="This API Token is valid and active",
        )

    async def permission_groups(self, request: web.Request) -> web.Response:
        self._permit(request, *READ)
        return answer(
            [{"id": id_, "name": name, "scopes": [scope]} for id_, (name, scope) in GROUPS.items()]
        )

    async def list_all(self, request: web.Request) -> web.Response:
        self._permit(request, *READ)
        page = Page.of(request.query, default=20, most=50)
        return listing(page, [self._shown(token) for token in self._mine(request)])

    async def get(self, request: web.Request) -> web.Response:
        self._permit(request, *READ)
        return answer(self._shown(self._one(request)))

    async def create(self, request: web.Request) -> web.Response:
        self._permit(request, *WRITE)
        owner = self._owner(request)
        if len(self._mine(request)) >= (QUOTA_OF_ACCOUNT if owner else QUOTA_OF_USER):
            raise refused(1001, "Token quota exceeded.")
        token = new_token(await body_of(request), at=self.account.stamp(), account=owner)
        self.account.tokens[token.id] = token
        return answer(self._shown(token) | {"value": token.value})

    async def update(self, request: web.Request) -> web.Response:
        self._permit(request, *WRITE)
        token = self._one(request)
        token.wire |= changed_fields(await body_of(request), at=self.account.stamp())
        return answer(self._shown(token))

    async def delete(self, request: web.Request) -> web.Response:
        self._permit(request, *WRITE)
        token = self._one(request)
        del self.account.tokens[token.id]
        return answer({"id": token.id})

    async def roll(self, request: web.Request) -> web.Response:
        """Give the token a new value; the old one is dead before this answer leaves."""
        self._permit(request, *WRITE)
        token = self._one(request)
        token.value = new_value(token.account)
        token.wire["modified_on"] = self.account.stamp()
        return answer(token.value)

    def _owner(self, request: web.Request) -> str:
        owner = request.match_info.get("account", "")
        if owner not in {"", self.account.id}:
            raise no_route(request.path)
        return owner

    def _permit(self, request: web.Request, *titles: str) -> None:
        owner = self._owner(request)
        where = resource_of_account(owner) if owner else resource_of_user(self.account.user)
        if not request[TOKEN].may(set(titles), where):
            raise unauthorized()

    def _mine(self, request: web.Request) -> list[Token]:
        owner = self._owner(request)
        return [token for token in self.account.tokens.values() if token.account == owner]

    def _one(self, request: web.Request) -> Token:
        token = self.account.tokens.get(request.match_info["token"])
        if not token or token.account != self._owner(request):
            raise refused(1003, "Token not found", status=404)
        return token

    def _shown(self, token: Token) -> dict[str, Any]:
        return token.wire | {"status": token.status(self.account.clock.now())}
