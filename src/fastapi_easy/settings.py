"""Everything the environment may decide, in one tree with one prefix."""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from fastapi_easy.application.resources.perform_action import action_name
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.options import EVERY_OPERATION, Fields, QueryRules, Schemas, Version

__all__ = [
    "BreakerSettings",
    "CorsSettings",
    "DatabaseSettings",
    "HttpSettings",
    "LockSettings",
    "LogSettings",
    "QuerySettings",
    "ResourceSettings",
    "RetrySettings",
    "Settings",
    "read_settings",
]

PREFIX: Final = "FASTAPI_EASY_"
DEFAULT_DATABASE_URL: Final = "sqlite:///app.sqlite3"
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BreakerSettings(Section):
    """When a database that has gone silent is not asked any more; none around SQLite and memory.

    Attributes:
        ratio: The share of calls that has to stay unanswered.

        calls: How many there have to have been in the window; so many in a row are enough whatever was before.

        window: Seconds that are looked back upon.

        pause: Seconds without a call; twice as many each time that the next one stays unanswered too.

        longest_pause: But no more than these.

        slow_after, slow_ratio: Seconds after which an answer to a single statement is slow, and the share of calls that
            has to be answered so, or not at all. Unset, it does not matter how long one takes.

        probes: Calls that then have to be answered.
    """

    ratio: Annotated[float, Field(gt=0, le=1)] = 0.5
    calls: Annotated[int, Field(ge=1)] = 20
    window: Seconds = 10.0
    pause: Seconds = 2.0
    longest_pause: Seconds = 30.0
    slow_after: Seconds | None = None
    slow_ratio: Annotated[float, Field(gt=0, le=1)] = 0.9
    probes: Annotated[int, Field(ge=1)] = 1


class RetrySettings(Section):
    """When and how often a failed call is retried.

    Attributes:
        attempts: Of one call, the first among them; with 1 nothing is made again.

        share: Retries per call, over all calls to a database (the retry budget).

        floor: Retries per second that are always allowed, in addition to the ratio.

        burst: Retries that can accumulate in the budget.
    """

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    share: Annotated[float, Field(ge=0, le=1)] = 0.1
    floor: Annotated[float, Field(ge=0)] = 1.0
    burst: Annotated[int, Field(ge=1)] = 20


class DatabaseSettings(Section):
    """One database.

    Attributes:
        url: Where it is, like `postgresql+asyncpg://user:password@host/name`; `memory://` keeps nothing.

        schema_mode: What happens to its schema at start; unset means `create` on SQLite, elsewhere `fresh`.

        pool_size: Connections at most per process.

        pool_timeout: Seconds a call waits for a connection.

        queue_time: Calls that would wait longer than so many seconds for one are sent away at once.

        connect_timeout: Seconds a new connection may take.

        statement_timeout: Seconds one statement may take.

        lock_timeout: Seconds one statement waits for another's lock.

        transaction_timeout: Seconds one transaction may take, 0 for any number; only on PostgreSQL, from 17 on.

        recycle: Seconds after which a connection is made anew.

        breaker: When it is not asked any more.
    """

    url: SecretStr = SecretStr(DEFAULT_DATABASE_URL)
    schema_mode: SchemaMode | None = None
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    pool_timeout: Seconds = 2.0
    queue_time: Seconds = 0.5
    connect_timeout: Seconds = 3.0
    statement_timeout: Seconds = 10.0
    lock_timeout: Seconds = 3.0
    transaction_timeout: Annotated[float, Field(ge=0)] = 30.0
    recycle: Annotated[int, Field(ge=1)] = 1800
    breaker: BreakerSettings = BreakerSettings()


class CorsSettings(Section):
    """Which pages of other origins a browser lets call; none unless origins are named.

    Attributes:
        origins: Like `https://shop.example`; `*` for any.

        methods, headers: What those pages may use; the interface's own lists unless set.

        credentials: Cookies and authorization may be sent along; not together with the origin `*`.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] | None = None
    headers: tuple[str, ...] | None = None
    credentials: bool = False


class HttpSettings(Section):
    """The HTTP interface.

    Attributes:
        title, version, description: Of the OpenAPI document.

        prefix: Path in front of every resource, like `/api`.

        docs: Serve `/docs` and `/openapi.json`.

        body_limit: Bytes of a request body at most.

        query_limit: Bytes of a query string at most.

        body_idle_timeout, body_timeout: Seconds to wait for the next part of a body, and for all of it.

        bulk_limit: Items of one bulk at most.

        max_affected: Entities that one item of a bulk may change by a condition at most.

        import_limit: Bytes of the body of an import at most; unset, there is no limit.

        import_line_limit: Bytes of one line, or one CSV record, of an import at most.

        export_idle_timeout: Seconds a caller may take for the next part of an export.

        security_headers: Send the headers that keep browsers careful.

        drain_delay: Seconds for which requests are still taken after SIGTERM, while `/health/ready` says 503.

        grace: Seconds that requests under way have to end after that.

        ready_requires: Databases without which `/health/ready` answers 503.

        metrics: Count calls, and serve `/metrics` in the text format of Prometheus.
    """

    title: str = "fastapi_easy"
    version: str = "0.1.0"
    description: str = ""
    prefix: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    docs: bool = True
    body_limit: Annotated[int, Field(ge=1)] = 1_048_576
    query_limit: Annotated[int, Field(ge=1)] = 8_192
    body_idle_timeout: Seconds = 10.0
    body_timeout: Seconds = 30.0
    bulk_limit: Annotated[int, Field(ge=1, le=100_000)] = 1000
    max_affected: Annotated[int, Field(ge=1, le=100_000)] = 1000
    import_limit: Annotated[int, Field(ge=1)] | None = None
    import_line_limit: Annotated[int, Field(ge=1)] = 1_048_576
    export_idle_timeout: Seconds = 30.0
    security_headers: bool = True
    cors: CorsSettings = CorsSettings()
    drain_delay: Annotated[float, Field(ge=0)] = 0.0
    grace: Annotated[int, Field(ge=1)] = 25
    ready_requires: tuple[str, ...] = ()
    metrics: bool = False


class QuerySettings(Section):
    """The limits of a query."""

    depth: Annotated[int, Field(ge=1, le=20)] = 3
    leaves: Annotated[int, Field(ge=1, le=1000)] = 50
    items: Annotated[int, Field(ge=1, le=10_000)] = 200
    text: Annotated[int, Field(ge=1, le=100_000)] = 256
    offset: Annotated[int, Field(ge=0)] = 1_000_000_000
    relations: Annotated[int, Field(ge=0, le=5)] = 2
    includes: Annotated[int, Field(ge=0, le=100)] = 10
    groups: Annotated[int, Field(ge=1, le=100_000)] = 1000


class LogSettings(Section):
    """The log.

    Attributes:
        level: Of the `fastapi_easy` loggers.

        json_lines: One JSON object per line instead of text for people.

        slow_call: Seconds after which a call is logged as slow.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json_lines: bool = False
    slow_call: Seconds = 1.0


class LockSettings(Section):
    """The store of locks.

    Attributes:
        url: Like `redis://host/0`, `postgresql://…`, `mongodb://…`, `sqlite:///locks.sqlite3`, `file:///var/lock/shop`
            or `memory://`; unset, in the default database.

        requires: What the store has to be able to do.

        breaker: When the store is not asked for new locks any more; none around memory, files and SQLite.
    """

    url: SecretStr | None = None
    requires: tuple[LockCapability, ...] = ()
    # Few calls, each with its own limit; and a store that is back should not be left alone for long.
    breaker: BreakerSettings = BreakerSettings(calls=10, longest_pause=5.0)


class ResourceSettings(Section):
    """A resource declared in `fastapi-easy.toml`, with the option names of `resource()`.

    Attributes:
        entity: The class, as `package.module:Class`; so are the members of *schemas*, *actions* and *dependencies*.
    """

    entity: str
    stored_as: str | None = None
    operations: tuple[str, ...] | None = None
    fields: dict[str, tuple[str, ...]] = {}
    schemas: dict[str, str] = {}
    query: dict[str, tuple[str, ...] | int] = {}
    database: str = "default"
    actions: tuple[str, ...] = ()
    relations: tuple[str, ...] | None = None
    version: str | dict[str, str | bool] = {}
    soft_delete: str | None = None
    upsert: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()

    def declaration(self) -> Declaration[Any]:
        """Return the declaration that was written, with its classes imported.

        Raises:
            ImportError, AttributeError, TypeError, ValueError: A class cannot be found, or an option is unknown.
        """
        return Declaration(
            entity=_import_object(self.entity),
            operations=EVERY_OPERATION if self.operations is None else self.operations,
            fields=Fields(**self.fields),
            schemas=Schemas(**{name: _import_object(path) for name, path in self.schemas.items()}),
            query=QueryRules(**cast("dict[str, Any]", self.query)),
            actions={action_name(each): each for each in map(_import_object, self.actions)},
            stored_as=None if self.stored_as is None else _import_object(self.stored_as),
            version=self.version if isinstance(self.version, str) else Version(**cast("Any", self.version)),
            dependencies=tuple(_import_object(each, object) for each in self.dependencies),
            **self.model_dump(include={"database", "relations", "soft_delete", "upsert"}),
        )


def _import_object(path: str, kind: type[Any] = type) -> Any:
    module, colon, name = path.partition(":")
    if not colon:
        raise ValueError(f"{path!r} is not an import path: write it as 'package.module:Name'")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, kind):
        raise TypeError(f"{path!r} is not a class")
    return found


class Settings(BaseSettings):
    """Everything the environment may decide.

    Read from, the first winning: arguments, environment variables (`FASTAPI_EASY_DATABASES__DEFAULT__URL`), the
    file `fastapi-easy.toml` in the working directory.

    Attributes:
        databases: By name; `default` is an SQLite file unless said otherwise.

        secret: Signs cursors. Unset, each process makes its own, and a cursor ends with its process.

        deadline: Seconds a call may take whose context does not say; exports and imports take their time.

        retry: How often a call is made again.

        control: The folder, private, through which `fastapi-easy breakers` reaches processes; unset, it does not.

        telemetry: Record calls and statements through OpenTelemetry; `auto`: when it is configured by then.

        resources: Resources declared in the file, by name.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        toml_file="fastapi-easy.toml",
        nested_model_default_partial_update=True,
    )

    databases: dict[str, DatabaseSettings] = {}
    secret: SecretStr | None = None
    deadline: Annotated[float, Field(ge=0.25)] = 30.0
    retry: RetrySettings = RetrySettings()
    control: Path | None = None
    http: HttpSettings = HttpSettings()
    query: QuerySettings = QuerySettings()
    log: LogSettings = LogSettings()
    locks: LockSettings = LockSettings()
    telemetry: Literal["auto", "on", "off"] = "auto"
    resources: dict[str, ResourceSettings] = {}

    @model_validator(mode="before")
    @classmethod
    def _has_default_database(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {**values, "databases": {"default": {}, **(values.get("databases") or {})}}
        return values

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order: arguments, the environment, the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings() -> Settings:
    """Read the settings of this process.

    Raises:
        DeclarationError: A variable or an entry of the file is unknown or has a wrong value; names each, never
            its value.
    """
    known = set(Settings.model_fields)
    mistakes = [
        f"{name} is not a setting: the part after {PREFIX} must start with one of {', '.join(sorted(known))}"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower().split("__")[0] not in known
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        places = {
            "__".join(str(part) for part in each["loc"]): each["msg"]
            for each in error.errors(include_input=False, include_url=False)
        }
        file = " or in fastapi-easy.toml" if Path("fastapi-easy.toml").exists() else ""
        mistakes += [f"{PREFIX}{place.upper()}{file}: {message}" for place, message in places.items()]
        raise DeclarationError(mistakes) from None
    if mistakes:
        raise DeclarationError(mistakes)
    return settings
