"""A player's desk: the REST API as one person sees it."""

from typing import Any
from uuid import uuid4

import httpx

TIMEOUT = httpx.Timeout(60.0, connect=5.0)


class Refused(Exception):
    """The API said no; `problem` is its problem+json."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        fields = problem.get("fields") or ""
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')} {fields}")
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        """Return the rule or reason, for programs."""
        return str(self.problem.get("code", ""))


class Desk:
    """One person's way to Baton, by bearer token."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx.Client(
            base_url=url, timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"}
        )

    def get(self, path: str, **params: Any) -> Any:
        """Read; raises Refused."""
        return self._answer(self.client.get(path, params=params))

    def all(self, path: str, **params: Any) -> list[Any]:
        """Read every page of a list; raises Refused."""
        page = self.get(path, page_size=200, **params)
        rows = list(page["results"])
        while page["next"]:
            page = self._answer(self.client.get(page["next"]))
            rows += page["results"]
        return rows

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """Change something, once; raises Refused."""
        headers = {"Idempotency-Key": str(uuid4()), **more.pop("headers", {})}
        if not more:
            more = {"json": body if body is not None else {}}
        return self._answer(self.client.post(path, headers=headers, **more))

    def patch(self, path: str, body: Any) -> Any:
        """Change part of something; raises Refused."""
        headers = {"Idempotency-Key": str(uuid4())}
        return self._answer(self.client.patch(path, json=body, headers=headers))

    def _answer(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json() if response.content else None
        try:
            problem = response.json()
        except ValueError:
            problem = {"code": "no_json", "detail": response.text[:500]}
        raise Refused(response.status_code, problem)

    def close(self) -> None:
        """Hang up."""
        self.client.close()
