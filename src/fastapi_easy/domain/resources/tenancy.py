"""Resources whose entities belong to tenants: what the field of the tenant says."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.principal import Tenant
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import can_hold, read_text


@lru_cache(maxsize=4096)
def read_tenant(resource: Resource[Any], tenant: Tenant | None) -> Any:
    """Return *tenant* as the value that the entities of *resource* have in their field; `None` when there is none.

    An empty text is nobody's tenant, and neither is one that the field cannot hold.
    """
    if not tenant or resource.tenant is None:
        return None
    field = resource.fields[resource.tenant]
    try:
        value = read_text(field, tenant)
    except ParseError:
        return None
    return value if can_hold(field, value) else None


@lru_cache(maxsize=1024)
def within_tenant(relation: Relation) -> Relation | None:
    """Return *relation*, to one entity, as leading to entities of the source's own tenant only.

    `None` where the fields of its two ends do not say that.
    """
    here, there = relation.source.tenant, relation.target.tenant
    if here is None or there is None or relation.many or relation.through is not None:
        return None
    if relation.source.fields[here].kind is not relation.target.fields[there].kind:
        return None
    if (here, there) in zip(relation.local, relation.remote, strict=True):
        return relation
    return replace(relation, local=(*relation.local, here), remote=(*relation.remote, there))


def find_disclosures(resources: Iterable[Resource[Any]]) -> Iterator[str]:
    """Yield what tells callers of *resources* something about other tenants, each a sentence with its mend."""
    for resource in resources:
        if resource.tenant is None:
            belonging = sorted(
                {each.target.name for each in resource.references if each.target.tenant is not None}
            )
            if belonging:
                yield (
                    f"{resource.name}: refers to {', '.join(belonging)}, whose entities belong to tenants, and belongs "
                    "to none itself: every caller sees all of its entities, unless a policy limits them: declare its "
                    "tenant"
                )
            continue
        for rule in _unique_rules(resource):
            if resource.tenant not in rule:
                fields = ", ".join(rule)
                yield (
                    f"{resource.name}: unique {fields} is so among all tenants: who is refused a value learns that "
                    f"another tenant has it: make {resource.tenant}, {fields} unique together instead"
                )


def _unique_rules(resource: Resource[Any]) -> Iterator[tuple[str, ...]]:
    """Yield the fields that must differ between entities and whose values callers choose and could guess."""
    rules = [(name,) for name, field in resource.fields.items() if field.unique]
    for rule in dict.fromkeys((resource.key, *rules, *resource.unique)):
        chosen = [resource.fields[name] for name in rule if name in resource.writable]
        if any(each.kind is not Kind.UUID for each in chosen):
            yield rule
