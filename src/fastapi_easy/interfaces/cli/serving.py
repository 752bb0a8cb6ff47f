"""A target behind uvicorn, in one process or several."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Awaitable, MutableMapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, NoReturn

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload, Multiprocess

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.cli.targets import load_app
from fastapi_easy.interfaces.cli.tasks import CommandError, Serving, Target

_WILDCARD_HOSTS: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared, not bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How a process ends when it is told to. Orchestrators kill after 30 seconds.

    Attributes:
        delay: Seconds for which requests are still taken after SIGTERM, while the process says it is not ready.

        grace: Seconds that requests under way have to end after that.
    """

    delay: float
    grace: int


def serve(serving: Serving, log_config: dict[str, Any], drain: Drain) -> int:
    """Serve until a signal says to stop, and return the exit code.

    Args:
        serving: What and how.

        log_config: For `logging.config.dictConfig`, in every process.

        drain: How each process ends.

    Raises:
        CommandError: There is no such app, or the port is taken.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        _ = signal.signal(each, _exit_on_signal)
    # Also where other processes will serve: a mistake is told once, here, before they start.
    app = load_app(serving.target)
    with _bind_socket(serving) as listener:
        config = _Config(
            app,
            serving.target,
            drain,
            host=serving.host,
            port=serving.port,
            log_config=log_config,
            access_log=serving.access_log,
            reload=serving.reload,
            reload_dirs=[str(serving.target.folder)] if serving.reload else None,
            workers=serving.workers,
            interface="asgi3",
            server_header=False,
            timeout_graceful_shutdown=drain.grace,
        )
        _announce(serving, app, listener.getsockname()[1])
        return _serve(config, listener)


def _serve(config: "_Config", listener: socket.socket) -> int:
    if config.should_reload:
        ChangeReload(config, target=uvicorn.Server(config).run, sockets=[listener]).run()
        return 0
    if config.workers > 1:
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
        failed = any(each.exitcode == STARTUP_FAILURE for each in supervisor.processes)
        return STARTUP_FAILURE if failed else 0
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else STARTUP_FAILURE


class _Config(uvicorn.Config):
    """Loads the target itself, in whichever process it finds itself."""

    def __init__(self, app: Any, target: Target, drain: Drain, **options: Any) -> None:
        self._target = target
        self._drain = drain
        in_other_processes = options["reload"] or options["workers"] > 1
        super().__init__(target.path if in_other_processes else app, **options)

    def load_app(self) -> Any:
        """The app, whose failure to start is worded for people."""
        if not isinstance(self.app, str):
            return _ReadableStartupErrors(self.app, self._drain)
        try:
            return _ReadableStartupErrors(load_app(self._target), self._drain)
        except CommandError as command_error:
            typer.echo(command_error.sentence, err=True)
            sys.exit(STARTUP_FAILURE)


class _ReadableStartupErrors:
    """An app that says in a sentence why it cannot start, where that is known, and not in a traceback.

    It says that it is not ready any more as soon as it is told to end.
    """

    __slots__ = ("_app", "_drain")

    def __init__(self, app: Any, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._run_lifespan(scope, receive, send)
        # Not awaited here: requests pay for one call, not for one more coroutine.
        answered: Awaitable[None] = self._app(scope, receive, send)
        return answered

    def _drain_on_sigterm(self) -> None:
        """Say so at once, and let the server stop listening later."""
        ends, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()
        health = getattr(getattr(self._app, "state", None), "health", None)
        if not callable(ends) or health is None:
            return

        def drain(number: int, frame: FrameType | None) -> None:
            health.draining()
            _ = loop.call_soon_threadsafe(loop.call_later, self._drain.delay, ends, number, frame)

        _ = signal.signal(signal.SIGTERM, drain)

    async def _run_lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        failed: list[MutableMapping[str, Any]] = []

        async def keep_failure(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._drain_on_sigterm()
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, keep_failure)
        except (DeclarationError, ConnectionError) as error:
            # A number comes from the system, through code that is not ours: then the traceback tells more.
            if not failed or getattr(error, "errno", None) is not None:
                raise
            failed[0]["message"] = str(error)
        finally:
            for message in failed:
                await send(message)


def _exit_on_signal(_: int, __: FrameType | None) -> NoReturn:
    # uvicorn ends gracefully and then raises the signal again: that is a good end.
    raise SystemExit(0)


def _bind_socket(serving: Serving) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in serving.host else socket.AF_INET)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((serving.host, serving.port))
    except OSError as error:
        listener.close()
        raise CommandError(_cannot_listen(serving, error), exit_code=1) from error
    listener.set_inheritable(True)
    return listener


def _cannot_listen(serving: Serving, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {serving.port} on {serving.host} is taken by another program: "
            "stop it, or choose another port with --port"
        )
    return f"cannot listen on {serving.host} port {serving.port}: {error.strerror}"


def _announce(serving: Serving, app: Any, port: int) -> None:
    host = _WILDCARD_HOSTS.get(serving.host, serving.host)
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    where = "" if host == serving.host else f", and every other address of port {port}"
    typer.echo(f"Serving {serving.target.path} at {base}{where} (press Ctrl-C to stop)")
    if docs := getattr(app, "docs_url", None):
        typer.echo(f"Docs at {base}{getattr(app, 'root_path', '')}{docs}")
