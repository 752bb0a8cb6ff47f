"""Serve a target with uvicorn, in one process or several."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, NoReturn

import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload, Multiprocess

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.cli.targets import load_app
from fastapi_easy.interfaces.cli.tasks import CommandError, Serving, Target

_WILDCARD_HOSTS: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared, not bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The limits of a graceful shutdown. Orchestrators kill a process after 30 seconds.

    Attributes:
        delay: Seconds for which new requests are still accepted after SIGTERM, while the process is not ready.

        grace: Seconds that running requests have to finish after that.
    """

    delay: float
    grace: int


def serve(serving: Serving, log_config: dict[str, Any], drain: Drain) -> int:
    """Serve until a signal says to stop, and return the exit code.

    Args:
        serving: The application, the address and the processes.

        log_config: For `logging.config.dictConfig`, in every process.

        drain: The limits of the graceful shutdown of each process.

    Raises:
        CommandError: There is no such app, or the port is in use.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        _ = signal.signal(each, _exit_on_signal)
    # The parent loads the app even if only workers will serve it: a mistake is then reported once, before they start.
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
            proxy_headers=False,  # the application itself believes the proxies that its settings name
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
    """A uvicorn configuration that loads the target in the process that serves it."""

    def __init__(self, app: ASGIApp, target: Target, drain: Drain, **options: Any) -> None:
        self._target = target
        self._drain = drain
        in_other_processes = options["reload"] or options["workers"] > 1
        # An app cannot be pickled: another process gets the target only, and loads it.
        self._loaded = None if in_other_processes else app
        super().__init__(target.path if in_other_processes else app, **options)

    def load_app(self) -> ASGIApp:
        """Return the app, which reports a failed start without a traceback."""
        if self._loaded is not None:
            return _ReadableStartupErrors(self._loaded, self._drain)
        try:
            return _ReadableStartupErrors(load_app(self._target), self._drain)
        except CommandError as command_error:
            typer.echo(command_error.message, err=True)
            sys.exit(STARTUP_FAILURE)


class _ReadableStartupErrors:
    """An ASGI app that reports a known cause of a failed start as a message instead of a traceback.

    On SIGTERM its readiness check fails at once.
    """

    __slots__ = ("_app", "_drain")

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._run_lifespan(scope, receive, send)
        # The awaitable is returned, not awaited: that saves one coroutine per request.
        return self._app(scope, receive, send)

    def _drain_on_sigterm(self) -> None:
        """Make SIGTERM fail the readiness check at once, and stop the server after the delay."""
        ends, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()
        health = getattr(getattr(self._app, "state", None), "health", None)
        if not callable(ends) or health is None:
            return

        def drain(number: int, frame: FrameType | None) -> None:
            health.draining()
            _ = loop.call_soon_threadsafe(loop.call_later, self._drain.delay, ends, number, frame)

        _ = signal.signal(signal.SIGTERM, drain)

    async def _run_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        failed: list[Message] = []

        async def keep_failure(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._drain_on_sigterm()
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, keep_failure)
        except (DeclarationError, ConnectionError) as error:
            # An errno comes from the operating system, through a library: then the traceback is needed.
            if not failed or getattr(error, "errno", None) is not None:
                raise
            failed[0]["message"] = str(error)
        finally:
            for message in failed:
                await send(message)


def _exit_on_signal(_: int, __: FrameType | None) -> NoReturn:
    # uvicorn shuts down gracefully and then raises the signal again: that is success.
    raise SystemExit(0)


def _bind_socket(serving: Serving) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in serving.host else socket.AF_INET)
    # On POSIX this only allows a restart while old connections are in TIME_WAIT; on Windows it would allow two
    # programs to listen on one port.
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((serving.host, serving.port))
    except OSError as error:
        listener.close()
        raise CommandError(_cannot_listen(serving, error), exit_code=1) from error
    # Workers and the reloader are other processes.
    listener.set_inheritable(True)
    return listener


def _cannot_listen(serving: Serving, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {serving.port} on {serving.host} is taken by another program: "
            "stop it, or choose another port with --port"
        )
    return f"cannot listen on {serving.host} port {serving.port}: {error.strerror}"


def _announce(serving: Serving, app: ASGIApp, port: int) -> None:
    host = _WILDCARD_HOSTS.get(serving.host, serving.host)
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    where = "" if host == serving.host else f", and every other address of port {port}"
    typer.echo(f"Serving {serving.target.path} at {base}{where} (press Ctrl-C to stop)")
    if docs := getattr(app, "docs_url", None):
        typer.echo(f"Docs at {base}{getattr(app, 'root_path', '')}{docs}")
