"""Clients that write and read at the same time, and remember what they asked for and were answered."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from tests.faults.chaos.judging.history import Answer, Kind, Request
from tests.faults.chaos.workers import Worker

COUNTERS: Final = 3
"""Counters of each store, for which all clients compete."""
CLIENTS: Final = 4
"""Clients of each store."""
PAUSE: Final = 0.05
"""Seconds that a client does nothing between two requests, on average."""
AVOIDED: Final = 0.5
"""Seconds for which a worker that takes no connection is not asked, while there is another one."""
ANSWER_LIMIT: Final = 60.0
"""Seconds after which a process that runs has not answered: far above the deadline of a call."""
SETTLING: Final = 120.0
"""Seconds after the faults in which a request with an idempotency key has to succeed."""

_MIX: Final = {
    Kind.CREATE: 30,
    Kind.PATCH: 24,
    Kind.INCREMENT: 20,
    Kind.GET: 10,
    Kind.BULK: 6,
    Kind.DELETE: 6,
    Kind.LIST: 4,
}


@dataclass(slots=True)
class Known:
    """An article that was acknowledged: what a client may expect of it from then on."""

    key: int
    etag: str
    version: int
    is_asked_to_go: bool = False


@dataclass(slots=True)
class History:
    """Everything that clients have seen.

    Attributes:
        requests: In the order in which they began.

        oddities: What an answer said that cannot be, in words.

        done_at: When each kind of write succeeded last, by store and worker: seconds since the run began.
    """

    begun: float = field(default_factory=time.monotonic)
    requests: list[Request] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    done_at: dict[tuple[str, str], float] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.begun


class Load:
    """The clients of one run.

    Args:
        history: Where they write what they see.

        workers: Whom they ask, by chance.

        counters: The keys of the counters of each store.
    """

    def __init__(
        self, history: History, workers: Sequence[Worker], counters: dict[str, list[int]], seed: int
    ) -> None:
        self._history = history
        self._workers = workers
        self._counters = counters
        self._chance = random.Random(seed)  # noqa: S311 (chooses what to do next)
        self._known: dict[str, list[Known]] = {store: [] for store in counters}
        self._away: dict[str, float] = {}
        self._stopping = asyncio.Event()
        self._settled_by = float("inf")
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        """Let the clients work during the block, and wait for what they have begun."""
        async with httpx2.AsyncClient(
            timeout=ANSWER_LIMIT, limits=httpx2.Limits(max_connections=None)
        ) as client:
            for store in self._counters:
                self._tasks += [asyncio.create_task(self._client(client, store)) for _ in range(CLIENTS)]
            try:
                yield
                self._stopping.set()
                self._settled_by = time.monotonic() + SETTLING
                _ = await asyncio.gather(*self._tasks)
            finally:
                for each in self._tasks:
                    _ = each.cancel()
                _ = await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, client: httpx2.AsyncClient, store: str) -> None:
        while not self._stopping.is_set():
            (kind,) = self._chance.choices(tuple(_MIX), tuple(_MIX.values()))
            await self._one(client, store, kind)
            await asyncio.sleep(self._chance.uniform(0, 2 * PAUSE))

    async def _one(self, client: httpx2.AsyncClient, store: str, kind: Kind) -> None:
        known = self._known[store]
        article = self._chance.choice(known) if known else None
        if article is None and kind in {Kind.PATCH, Kind.GET, Kind.DELETE}:
            kind = Kind.CREATE
        request = self._new(store, kind)
        match kind:
            case Kind.CREATE:
                created = await self._ask(client, request, "POST", "", {"name": request.id})
                if created is not None:
                    known.append(_known_of(created.json(), created.headers["etag"]))
            case Kind.BULK:
                request.items = self._chance.randint(2, 8)
                items = [{"create": {"name": name}} for name in request.names]
                done = await self._ask(client, request, "POST", "/bulk", {"items": items})
                if done is not None:
                    known += [_known_of(each["entity"], each["etag"]) for each in done.json()["results"]]
            case Kind.PATCH if article is not None:
                await self._patch(client, request, article)
            case Kind.GET if article is not None:
                await self._get(client, request, article)
            case Kind.DELETE if article is not None and not article.is_asked_to_go:
                article.is_asked_to_go = True
                known.remove(article)
                request.entity = article.key
                _ = await self._ask(client, request, "DELETE", f"/{article.key}")
            case Kind.INCREMENT:
                request.entity = self._chance.choice(self._counters[store])
                path = f"/{request.entity}/increment"
                _ = await self._ask(client, request, "POST", path, {"mark": request.id}, table="counters")
            case _:
                await self._list(client, request)

    def _new(self, store: str, kind: Kind) -> Request:
        # An action that holds a lock outside of its own transaction could not be made once by a key.
        may_have_key = kind in {Kind.CREATE, Kind.BULK, Kind.PATCH}
        request = Request(
            id=f"r{len(self._history.requests)}",
            store=store,
            kind=kind,
            has_key=may_have_key and self._chance.random() < 0.5,
        )
        self._history.requests.append(request)
        return request

    async def _patch(self, client: httpx2.AsyncClient, request: Request, article: Known) -> None:
        request.entity, before = article.key, article.version
        headers = {"If-Match": article.etag}
        body = {"note": request.id, "amount": self._chance.randrange(1000)}
        done = await self._ask(client, request, "PATCH", f"/{article.key}", body, headers=headers)
        if done is not None:
            now = _known_of(done.json(), done.headers["etag"])
            if now.version != before + 1:
                self._odd(request, f"version {before} was patched to {now.version}")
            if now.version > article.version:
                article.version, article.etag = now.version, now.etag
            return
        last = request.answers[-1]
        if last.code == "not_found" and not article.is_asked_to_go:
            self._odd(request, "an acknowledged article was not found")
        if last.code == "stale":
            # Somebody else has changed it, or a change without an answer was made.
            again = self._new(request.store, Kind.GET)
            await self._get(client, again, article)

    async def _get(self, client: httpx2.AsyncClient, request: Request, article: Known) -> None:
        request.entity, before = article.key, article.version
        found = await self._ask(client, request, "GET", f"/{article.key}")
        if found is None:
            if request.answers[-1].code == "not_found" and not article.is_asked_to_go:
                self._odd(request, "an acknowledged article was not found")
            return
        now = _known_of(found.json(), found.headers["etag"])
        if now.version < before:
            self._odd(request, f"version {before} was acknowledged, {now.version} read")
        if now.version >= article.version:
            article.version, article.etag = now.version, now.etag

    async def _list(self, client: httpx2.AsyncClient, request: Request) -> None:
        request.kind = Kind.LIST
        listed = await self._ask(client, request, "GET", "?limit=20&sort=-id")
        if listed is None:
            return
        keys = [each["id"] for each in listed.json()["items"]]
        if keys != sorted(set(keys), reverse=True):
            self._odd(request, f"the keys are {keys}")

    def _reachable(self) -> Sequence[Worker]:
        """The workers that took connections lately; all when none has."""
        now = time.monotonic()
        return [each for each in self._workers if self._away.get(each.name, 0.0) < now] or self._workers

    def _odd(self, request: Request, what: str) -> None:
        self._history.oddities.append(f"{what}: {request}")

    async def _ask(
        self,
        client: httpx2.AsyncClient,
        request: Request,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        table: str = "articles",
    ) -> httpx2.Response | None:
        """Send *request* to any worker, and again as its key lets it; its answer if it succeeded."""
        sent = {**(headers or {}), **({"Idempotency-Key": request.id} if request.has_key else {})}
        pause = 0.05
        while True:
            worker = self._chance.choice(self._reachable())
            url = f"{worker.url}/{request.store}_{table}{path}"
            answered, answer = await self._attempt(client, worker, method, url, body, sent)
            request.answers.append(answer)
            if answer.is_success:
                if request.kind not in {Kind.GET, Kind.LIST}:
                    self._history.done_at[request.store, worker.name] = self._history.now
                return answered
            if not request.has_key or not answer.asks_for_a_retry or time.monotonic() > self._settled_by:
                return None
            await asyncio.sleep(self._chance.uniform(0, pause))
            pause = min(1.0, 2 * pause)

    async def _attempt(
        self,
        client: httpx2.AsyncClient,
        worker: Worker,
        method: str,
        url: str,
        body: Any,
        headers: dict[str, str],
    ) -> tuple[httpx2.Response | None, Answer]:
        begun = time.monotonic()
        answered, status, code, detail, was_sent, retry = None, None, "", "", True, False
        try:
            answered = await client.request(method, url, json=body, headers=headers)
        except httpx2.HTTPError as error:
            was_sent = not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
            detail = type(error).__name__
            if not was_sent:
                self._away[worker.name] = time.monotonic() + AVOIDED
        else:
            status, retry = answered.status_code, "retry-after" in answered.headers
            if status >= 300:
                code, detail = _problem_in(answered)
        answer = Answer(
            at=self._history.now,
            seconds=time.monotonic() - begun,
            worker=worker.name,
            status=status,
            code=code,
            was_sent=was_sent,
            retry_after=retry,
            detail=detail,
        )
        return answered, answer


def _known_of(entity: Any, etag: str) -> Known:
    return Known(entity["id"], etag, entity["version"])


def _problem_in(answered: httpx2.Response) -> tuple[str, str]:
    """The code and the sentence of a problem; no code where it is none."""
    if answered.headers.get("content-type") != "application/problem+json":
        return "", answered.text[:200]
    problem = answered.json()
    return problem["code"], f"{problem['detail']} {problem.get('correlation_id', '')}"
