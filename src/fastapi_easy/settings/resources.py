"""Resources that are declared in a file."""

import importlib
from collections.abc import Mapping
from typing import Any, cast

from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.declaring.action_names import name_actions
from fastapi_easy.domain.resources.options import (
    EVERY_OPERATION,
    Cache,
    Fields,
    FullText,
    QueryRules,
    Schemas,
    Version,
)
from fastapi_easy.domain.resources.recording import Audit, Events
from fastapi_easy.settings.policy import RuleSettings
from fastapi_easy.settings.section import Section


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
    query: dict[str, tuple[str, ...] | dict[str, tuple[str, ...] | str] | int | str] = {}
    database: str = "default"
    actions: tuple[str, ...] = ()
    relations: tuple[str, ...] | None = None
    version: str | dict[str, str | bool] = {}
    soft_delete: str | None = None
    tenant: str | None = None
    upsert: tuple[str, ...] = ()
    cache: dict[str, float] | None = None
    dependencies: tuple[str, ...] = ()
    idempotency: str = "optional"
    policy: tuple[RuleSettings, ...] | None = None
    events: bool | dict[str, tuple[str, ...] | bool] = False
    audit: bool | dict[str, tuple[str, ...] | str | bool] = False

    def declaration(self) -> Declaration[Any]:
        """Return the declaration that was written, with its classes imported.

        Raises:
            ImportError, AttributeError, TypeError, ValueError: A class cannot be found, or an option is unknown.
        """
        entity = _import_object(self.entity)
        actions, clashes = name_actions(map(_import_object, self.actions), entity)
        if clashes:
            raise ValueError("; ".join(clashes))
        return Declaration(
            entity=entity,
            operations=EVERY_OPERATION if self.operations is None else self.operations,
            fields=Fields(**self.fields),
            schemas=Schemas(**{name: _import_object(path) for name, path in self.schemas.items()}),
            query=_query_rules(self.query),
            actions=actions,
            stored_as=None if self.stored_as is None else _import_object(self.stored_as),
            version=self.version if isinstance(self.version, str) else Version(**cast("Any", self.version)),
            cache=None if self.cache is None else Cache(**self.cache),
            dependencies=tuple(_import_object(each, object) for each in self.dependencies),
            events=self.events if isinstance(self.events, bool) else Events(**cast("Any", self.events)),
            audit=self.audit if isinstance(self.audit, bool) else Audit(**cast("Any", self.audit)),
            policy=None if self.policy is None else tuple(each.rule() for each in self.policy),
            **self.model_dump(
                include={"database", "relations", "soft_delete", "tenant", "upsert", "idempotency"}
            ),
        )


def _query_rules(written: Mapping[str, Any]) -> QueryRules:
    rules = dict(written)
    if isinstance(search := rules.get("search"), dict):
        fields, others = search.get("fields", ()), {name: search[name] for name in search if name != "fields"}
        rules["search"] = FullText(*fields, **others)
    return QueryRules(**rules)


def _import_object(path: str, kind: type[Any] = type) -> Any:
    module, colon, name = path.partition(":")
    if not colon:
        raise ValueError(f"{path!r} is not an import path: write it as 'package.module:Name'")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, kind):
        raise TypeError(f"{path!r} is not a class")
    return found
