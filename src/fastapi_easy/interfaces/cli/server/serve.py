"""Serve a target with uvicorn, in one process or several."""

import asyncio
import errno
import importlib.util
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, Final, NoReturn

import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload, Multiprocess

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.cli.server.ending import Ending
from fastapi_easy.interfaces.cli.server.last_call_server import LastCallServer
from fastapi_easy.interfaces.cli.server.refusals import ServerRefusals
from fastapi_easy.interfaces.cli.server.shedding import Shedding
from fastapi_easy.interfaces.cli.targets import load_app
from fastapi_easy.interfaces.cli.tasks import CommandError, Serving

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingOptions:
    """What the settings of an application say about serving it.

    Attributes:
        log_config: For `logging.config.dictConfig`, in every process.

        drain: The limits of the graceful shutdown of each process.

        refusals: What is answered without the application.

        header_bytes: Bytes of a request line and its headers at most.

        header_timeout: Seconds for all of them.

        keep_alive_timeout: Seconds that a connection may be idle between two requests.
    """

    log_config: dict[str, Any]
    drain: Drain
    refusals: ServerRefusals
    header_bytes: int
    header_timeout: float
    keep_alive_timeout: int


def serve(serving: Serving, options_of: Callable[[ASGIApp], ServingOptions]) -> int:
    """Serve until a signal says to stop, and return the exit code.

    Args:
        serving: The application, the address and the processes.

        options_of: Returns what the settings of the application say, which may be of a class of its own.

    Raises:
        CommandError: There is no such app, or the port is in use.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        _ = signal.signal(each, _exit_on_signal)
    # The parent loads the app even if only workers will serve it: a mistake is then reported once, before they start.
    app = load_app(serving.target)
    options = options_of(app)
    with _bind_socket(serving) as listener:
        config = _Config(
            app,
            serving,
            options,
            _Announcement(serving, app, listener.getsockname()[1]),
            host=serving.host,
            port=serving.port,
            log_config=options.log_config,
            access_log=serving.access_log,
            reload=serving.reload,
            reload_dirs=[str(serving.target.folder)] if serving.reload else None,
            workers=serving.workers,
            interface="asgi3",
            server_header=False,
            proxy_headers=False,  # the application itself believes the proxies that its settings name
            timeout_graceful_shutdown=options.drain.grace,
            timeout_keep_alive=options.keep_alive_timeout,
        )
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
    server = LastCallServer(config)
    server.run(sockets=[listener])
    return 0 if server.started else STARTUP_FAILURE


class _Config(uvicorn.Config):
    """A uvicorn configuration that loads the target in the process that serves it."""

    def __init__(
        self,
        app: ASGIApp,
        serving: Serving,
        limits: ServingOptions,
        announcement: "_Announcement",
        **options: Any,
    ) -> None:
        self._target = serving.target
        self._drain = limits.drain
        self._announcement = announcement
        # Goes to a worker together with the protocol that it tells of the end: both are one object there too.
        self._ending = Ending()
        self._shedding = Shedding()
        in_other_processes = options["reload"] or options["workers"] > 1
        # An app cannot be pickled: another process gets the target only, and loads it.
        self._loaded = None if in_other_processes else app
        super().__init__(
            serving.target.path if in_other_processes else app,
            http=_protocol(limits, self._ending, self._shedding),
            **options,
        )

    def load_app(self) -> ASGIApp:
        """Return the app, which reports a failed start without a traceback."""
        logging.getLogger("uvicorn.error").addFilter(_tell_cancelled_briefly)
        if self._loaded is not None:
            return self._wrap(self._loaded)
        try:
            return self._wrap(load_app(self._target))
        except CommandError as command_error:
            typer.echo(command_error.message, err=True)
            sys.exit(STARTUP_FAILURE)

    def _wrap(self, app: ASGIApp) -> ASGIApp:
        return _ReadableStartupErrors(app, self._drain, self._ending, self._announcement, self._shedding)


def _protocol(limits: ServingOptions, ending: Ending, shedding: Shedding) -> Any:
    """Return what speaks HTTP: with limits of ours where there is httptools, else as uvicorn finds it."""
    if importlib.util.find_spec("httptools") is None:
        return "auto"
    from fastapi_easy.interfaces.cli.server.http_protocol import HeadLimits, LimitedHttpProtocol

    head = HeadLimits(bytes=limits.header_bytes, timeout=limits.header_timeout)
    return partial(
        LimitedHttpProtocol, limits=head, refusals=limits.refusals, ending=ending, shedding=shedding
    )


def _is_told_to_end() -> bool:
    """Return whether the exception that is being handled comes from a signal."""
    return isinstance(sys.exception(), asyncio.CancelledError | KeyboardInterrupt | SystemExit)


def _tell_cancelled_briefly(record: logging.LogRecord) -> bool:
    """Take the traceback from what is logged of requests that a second Ctrl-C has cancelled."""
    kind = record.exc_info[0] if record.exc_info else None
    if kind is not None and issubclass(kind, asyncio.CancelledError):
        record.msg, record.args, record.exc_info = (
            "A request was cancelled, because the server ended",
            (),
            None,
        )
    return True


class _ReadableStartupErrors:
    """An ASGI app that reports a known cause of a failed start as a message instead of a traceback.

    On SIGTERM its readiness check fails at once.
    """

    __slots__ = ("_announcement", "_app", "_drain", "_ending", "_shedding")

    def __init__(
        self,
        app: ASGIApp,
        drain: Drain,
        ending: Ending,
        announcement: "_Announcement",
        shedding: Shedding,
    ) -> None:
        self._app = app
        self._drain = drain
        self._ending = ending
        self._announcement = announcement
        self._shedding = shedding

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
            _ = loop.call_soon_threadsafe(self._ending.begin)
            _ = loop.call_soon_threadsafe(loop.call_later, self._drain.delay, ends, number, frame)

        _ = signal.signal(signal.SIGTERM, drain)

    async def _run_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        failed: list[Message] = []
        is_complete = False

        async def keep_failure(message: Message) -> None:
            nonlocal is_complete
            if message["type"] == "lifespan.startup.complete":
                is_complete = True
                self._drain_on_sigterm()
                self._announcement.print_once()
            if message["type"] == "lifespan.startup.failed":
                failed.append(message)
            elif message["type"] == "lifespan.shutdown.failed" and _is_told_to_end():
                # A second Ctrl-C does not wait for the end, which is no mistake of the app.
                await send({**message, "message": ""})
            else:
                await send(message)

        door = getattr(getattr(self._app, "state", None), "door", None)
        try:
            with self._shedding.watch(door, asyncio.get_running_loop()):
                await self._app(scope, receive, keep_failure)
        except (DeclarationError, ConnectionError) as error:
            # An errno comes from the operating system, through a library: then the traceback is needed.
            if not failed or getattr(error, "errno", None) is not None:
                raise
            failed[0]["message"] = str(error)
        finally:
            for message in failed:
                await send(message)
            if not failed and not is_complete:
                # An app that knows of no lifespan is served from here on.
                self._announcement.print_once()


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


class _Announcement:
    """Says where the application is served, once it is, and by the first of several processes only."""

    def __init__(self, serving: Serving, app: ASGIApp, port: int) -> None:
        host = _WILDCARD_HOSTS.get(serving.host, serving.host)
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        where = "" if host == serving.host else f", and every other address of port {port}"
        self._lines = [f"Serving {serving.target.path} at {base}{where} (press Ctrl-C to stop)"]
        if docs := getattr(app, "docs_url", None):
            self._lines.append(f"Docs at {base}{getattr(app, 'root_path', '')}{docs}")
        # Shared with the processes that this one starts.
        self._is_said = (
            multiprocessing.get_context("spawn").Value("b", 0) if _has_processes(serving) else None
        )

    def print_once(self) -> None:
        """Print it, unless another process has."""
        if self._is_said is not None:
            with self._is_said.get_lock():
                said, self._is_said.value = self._is_said.value, 1
            if said:
                return
        for each in self._lines:
            typer.echo(each)


def _has_processes(serving: Serving) -> bool:
    return serving.reload or serving.workers > 1
