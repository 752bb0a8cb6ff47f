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
from fastapi_easy.domain.declaration import Declaration
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.options import EVERY_OPERATION, Fields, QueryRules, Schemas, Version
from fastapi_easy.domain.ports.database import SchemaMode

__all__ = [
    "CorsSettings",
    "DatabaseSettings",
    "HttpSettings",
    "LogSettings",
    "QuerySettings",
    "ResourceSettings",
    "Settings",
    "read_settings",
]

PREFIX: Final = "FASTAPI_EASY_"
EMBEDDED: Final = "sqlite:///app.sqlite3"
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Section):
    """One database.

    Attributes:
        url: Where it is, like `postgresql+asyncpg://user:password@host/name`; `memory://` keeps nothing.

        schema_mode: What happens to its schema at start; unset means `create` on SQLite, elsewhere `fresh`.

        pool_size: Connections at most per process.

        pool_timeout: Seconds a call waits for a connection.

        connect_timeout: Seconds a new connection may take.

        statement_timeout: Seconds one statement may take.

        lock_timeout: Seconds one statement waits for another's lock.

        recycle: Seconds after which a connection is made anew.
    """

    url: SecretStr = SecretStr(EMBEDDED)
    schema_mode: SchemaMode | None = None
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    pool_timeout: Seconds = 2.0
    connect_timeout: Seconds = 3.0
    statement_timeout: Seconds = 10.0
    lock_timeout: Seconds = 3.0
    recycle: Annotated[int, Field(ge=1)] = 1800


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

        body_idle_timeout: Seconds to wait for the next part of a body.

        body_timeout: Seconds to wait for a whole body.

        bulk_limit: Items of one bulk at most.

        max_affected: Entities that one item of a bulk may change by a condition at most.

        import_limit: Bytes of the body of an import at most; unset, there is no limit.

        import_line_limit: Bytes of one line, or one CSV record, of an import at most.

        export_patience: Seconds a caller may take for the next part of an export.

        security_headers: Send the headers that keep browsers careful.

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
    export_patience: Seconds = 30.0
    security_headers: bool = True
    cors: CorsSettings = CorsSettings()
    ready_requires: tuple[str, ...] = ()
    metrics: bool = False


class QuerySettings(Section):
    """How large a query may be."""

    depth: Annotated[int, Field(ge=1, le=20)] = 3
    leaves: Annotated[int, Field(ge=1, le=1000)] = 50
    items: Annotated[int, Field(ge=1, le=10_000)] = 200
    text: Annotated[int, Field(ge=1, le=100_000)] = 256
    offset: Annotated[int, Field(ge=0)] = 1_000_000_000
    relations: Annotated[int, Field(ge=0, le=5)] = 2
    includes: Annotated[int, Field(ge=0, le=100)] = 10
    groups: Annotated[int, Field(ge=1, le=100_000)] = 1000


class LogSettings(Section):
    """What is logged.

    Attributes:
        level: Of the `fastapi_easy` loggers.

        json_lines: One JSON object per line instead of text for people.

        slow_call: Seconds after which a call is logged as slow.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json_lines: bool = False
    slow_call: Seconds = 1.0


class ResourceSettings(Section):
    """A resource declared in `fastapi-easy.toml`, with the option names of `resource()`.

    Attributes:
        entity: The class, as `package.module:Class`; so are the members of *schemas* and *actions*.
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

    def declaration(self) -> Declaration[Any]:
        """The declaration that was written, with its classes imported.

        Raises:
            ImportError, AttributeError, TypeError, ValueError: A class cannot be found, or an option is unknown.
        """
        actions = [_class_at(each) for each in self.actions]
        return Declaration(
            entity=_class_at(self.entity),
            operations=EVERY_OPERATION if self.operations is None else self.operations,
            fields=Fields(**self.fields),
            schemas=Schemas(**{name: _class_at(path) for name, path in self.schemas.items()}),
            query=QueryRules(**cast("dict[str, Any]", self.query)),
            database=self.database,
            actions={action_name(each): each for each in actions},
            stored_as=None if self.stored_as is None else _class_at(self.stored_as),
            relations=self.relations,
            version=self.version if isinstance(self.version, str) else _version(self.version),
            soft_delete=self.soft_delete,
            upsert=self.upsert,
        )


def _version(given: Mapping[str, Any]) -> Version:
    return Version(**given)


def _class_at(path: str) -> type[Any]:
    module, colon, name = path.partition(":")
    if not colon:
        raise ValueError(f"{path!r} does not name a class: write it as 'package.module:Class'")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, type):
        raise TypeError(f"{path!r} is not a class")
    return found


class Settings(BaseSettings):
    """Everything the environment may decide.

    Read from, the first winning: arguments, environment variables (`FASTAPI_EASY_DATABASES__DEFAULT__URL`), the
    file `fastapi-easy.toml` in the working directory.

    Attributes:
        databases: By name; `default` is an SQLite file unless said otherwise.

        secret: Signs cursors. Unset, each process makes its own, and a cursor ends with its process.

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
    http: HttpSettings = HttpSettings()
    query: QuerySettings = QuerySettings()
    log: LogSettings = LogSettings()
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
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        DeclarationError: A variable or an entry of the file is unknown or has a wrong value; names each, never
            its value.
    """
    known = set(Settings.model_fields)
    mistakes = [
        f"{name} is not a setting: the first word after {PREFIX} must be one of {', '.join(sorted(known))}"
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
