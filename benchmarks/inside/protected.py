"""What protection costs: an access token, a policy and a tenant beside the same without them, in one run.

`python -m benchmarks.inside.protected [--quick] [URL]` on SQLite, or on the empty database at the URL. Prints medians
of the ratios within each round, so that a slow minute for everybody changes none; ends with 1 when a target is missed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

import jwt
import orjson
import uvloop
from fastapi import FastAPI
from sqlmodel import Field, SQLModel

from benchmarks.findings import Finding, Target
from benchmarks.inside.calling import call
from fastapi_easy.authentication import ClaimNames, JwtAuthenticator, SharedSecret
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.policies import allow
from fastapi_easy.settings import Settings

ROUNDS: Final = 25
CALLS: Final = 100
CALLERS: Final = 20
"""People whose tokens take turns."""

ROWS: Final = 1_000
ISSUER: Final = "https://id.example/realms/bench"
SECRET: Final = "signs the tokens of a benchmark, and nothing else"  # noqa: S105 (as it says)
TARGETS: Final[Mapping[str, Target]] = {
    "get by key": Target(at_most=1.2),
    "list of 20": Target(at_most=1.2),
    "create": Target(at_most=1.1),
}


class Reading(SQLModel, table=True):
    """Something that was measured, with whose it is."""

    __tablename__ = "bench_protected"
    id: int | None = Field(default=None, primary_key=True)
    org_id: str = Field(default="north", max_length=40, index=True)
    sensor: int
    note: str = Field(max_length=40)


class Plain(Container):
    """Open for everybody."""

    readings = resource(Reading)


class Protected(Container):
    """Of tenants, with two roles."""

    readings = resource(
        Reading, tenant="org_id", policy=[allow("read", to="reader"), allow("*", to=["writer", "admin"])]
    )


def authenticator() -> JwtAuthenticator:
    """Return what verifies the tokens."""
    names = ClaimNames(roles="roles", tenant="org")
    return JwtAuthenticator(issuer=ISSUER, audience="bench", keys=SharedSecret(SECRET), claims=names)


def token(number: int) -> bytes:
    """Return the access token of one caller, as a header has it."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "bench", "sub": f"user-{number}", "iat": now, "exp": now + 3600}
    members = {**claims, "roles": ["writer"], "org": "north"}
    return f"Bearer {jwt.encode(members, SECRET, algorithm='HS256')}".encode()


async def _seconds(app: FastAPI, what: str, calls: int, tokens: list[bytes]) -> float:
    """CPU seconds of one call; without *tokens* nobody says who they are."""
    body = orjson.dumps({"sensor": 1, "note": "a reading"})
    begun = time.process_time()
    for number in range(calls):
        sent = tokens[number % len(tokens)] if tokens else b""
        match what:
            case "create":
                status, _ = await call(app, "POST", "/readings", body, authorization=sent)
            case "get by key":
                status, _ = await call(app, "GET", f"/readings/{number % ROWS + 1}", authorization=sent)
            case _:
                # Both ask the database for the rows of one tenant: what differs is who says so.
                path = "/readings?limit=20" if tokens else "/readings?limit=20&org_id=north"
                status, _ = await call(app, "GET", path, authorization=sent)
        if status not in {200, 201}:
            raise RuntimeError(f"{what} answered {status}")
    return (time.process_time() - begun) / calls


async def measure(url: str, rounds: int) -> list[Finding]:
    """Print a line for each endpoint, and return the ratios beside their targets."""
    settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
    plain: Any = Plain(settings=settings)
    protected: Any = Protected(settings=settings, authenticators=[authenticator()])
    without, with_it = create_app(plain), create_app(protected)
    tokens = [token(number) for number in range(CALLERS)]
    findings: list[Finding] = []
    async with without.router.lifespan_context(without), with_it.router.lifespan_context(with_it):
        _ = await _seconds(without, "create", ROWS, [])
        print("| | plain, µs of CPU | protected, µs of CPU | protected ÷ plain |\n|---|--:|--:|--:|")
        for what, target in TARGETS.items():
            kept: list[tuple[float, float]] = []
            for number in range(rounds + 1):
                # The first is a warm-up. Who is first takes turns.
                turns = [(without, []), (with_it, tokens)][:: -1 if number % 2 else 1]
                taken = {id(app): await _seconds(app, what, CALLS, sent) for app, sent in turns}
                kept.append((taken[id(without)], taken[id(with_it)]))
            before, after = (median(each) * 1e6 for each in zip(*kept[1:], strict=True))
            finding = Finding(what, median(two / one for one, two in kept[1:]), target)
            findings.append(finding)
            print(f"| {what} | {before:,.0f} | {after:,.0f} | {finding} |", flush=True)
    return findings


def main() -> int:
    """Measure at the URL that was given, or in a file that is gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside.protected", description=__doc__)
    _ = parser.add_argument("url", nargs="?", help="of an empty database; SQLite in a file unless given")
    _ = parser.add_argument("--quick", action="store_true", help="two rounds, to see that it works")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own = f"sqlite:///{Path(folder) / 'readings.sqlite3'}"
        findings = uvloop.run(measure(chosen.url or own, 2 if chosen.quick else ROUNDS))
    return 0 if all(each.is_met for each in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
