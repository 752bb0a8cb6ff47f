"""Links become relations, and foreign keys references, once every resource is known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.resources.declaration import Declaration, is_reserved
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.reference import Reference
from fastapi_easy.domain.resources.relation import Link, Side, Through
from fastapi_easy.domain.resources.resource import Association, LinkedReference, Relation, Resource, Shape


def link(
    resources: Mapping[str, Resource[Any]],
    declarations: Mapping[str, Declaration[Any]],
    shapes: Mapping[str, Shape],
) -> list[str]:
    """Connect *resources*, all of one application, by relations and references; return every mistake with its mend.

    A link that the class has and whose other end is no resource of the same database is left out, unless the
    declaration names it; so is every reference whose other end is none.
    """
    found: list[str] = []
    for name, resource in resources.items():
        mistakes = Mistakes(name)
        requested = declarations[name].relations
        links = _links(requested, shapes[name].links, mistakes)
        for relation, each in links.items():
            target = _target(each.target, resource, resources.values())
            if requested is None and not relation.isidentifier():
                # Named after a table that others have named: nobody could ask for it, and nobody has.
                continue
            if target is not None:
                association = _association(each.through, resource, resources, shapes)
                _connect(resource, target, relation, each, association, mistakes)
            elif requested is not None:
                mistakes.add(
                    f"relation {relation!r} refers to {_describe_target(each.target)}, which is not a resource of "
                    "database "
                    f"{resource.database!r}: declare it there, or leave the relation out"
                )
        found += mistakes
        resource.references.extend(_references(resource, shapes[name].references, resources, shapes))
    return found


def _links(requested: Any, own: Mapping[str, Link], mistakes: Mistakes) -> Mapping[str, Link]:
    if requested is None:
        return own
    if isinstance(requested, Mapping):
        return requested
    return {
        name: own[name]
        for name in mistakes.names("relations", requested, own, "which the entity does not have")
    }


def _target(
    target: type[Any] | str, source: Resource[Any], resources: Iterable[Resource[Any]]
) -> Resource[Any] | None:
    for each in resources:
        if each.database == source.database and target in (each.name, each.stored, each.entity):
            return each
    return None


def _association(
    through: Through | None,
    source: Resource[Any],
    resources: Mapping[str, Resource[Any]],
    shapes: Mapping[str, Shape],
) -> Association | None:
    """Return the resource that is stored in *through* and has a field for each of its columns, if there is one."""
    if through is None or through.name is None:
        return None
    for name, each in resources.items():
        shape = shapes[name]
        if each.database != source.database or shape.table != through.name:
            continue
        local, remote = (
            tuple(shape.columns.get(column, column) for column in columns)
            for columns in (through.local, through.remote)
        )
        if each.fields.keys() >= {*local, *remote}:
            columns = {field: column for column, field in shape.columns.items()}
            deleted = None if each.soft_delete is None else columns.get(each.soft_delete, each.soft_delete)
            return Association(resource=each, local=local, remote=remote, deleted_column=deleted)
    return None


def _connect(
    source: Resource[Any],
    target: Resource[Any],
    name: str,
    link_: Link,
    association: Association | None,
    mistakes: Mistakes,
) -> None:
    local, remote = link_.local or source.key, link_.remote or target.key
    if not name.isidentifier():
        mistakes.add(f"relation {name!r} must be called by a Python identifier: rename it")
        return
    if is_reserved(name):
        mistakes.add(
            f"a relation cannot be called {name!r}, which is reserved in queries: rename it, or leave it "
            "out of relations"
        )
        return
    if name in source.fields or name in source.naming.name_by_alias:
        mistakes.add(f"relation {name!r} has the name of a field: rename one of them")
        return
    ends = ((source, local), (target, remote))
    for resource, fields in ends:
        for field in fields:
            if field not in resource.fields:
                mistakes.add(
                    f"relation {name!r} compares {resource.name}.{field}, which is not a field: name one"
                )
                return
    compared = [[resource.fields[field] for field in fields] for resource, fields in ends]
    listed_by = None if link_.through is not None else _listed_by(compared[0], compared[1])
    if link_.through is None and listed_by is None and not _are_alike(compared[0], compared[1]):
        mistakes.add(
            f"relation {name!r} compares {', '.join(local)} with {', '.join(remote)} of {target.name}, which differ in "
            "number or kind: name the fields that hold the same values"
        )
        return
    if listed_by is not None and not link_.many:
        listing = f"{source.name}.{local[0]}" if listed_by is Side.SOURCE else f"{target.name}.{remote[0]}"
        mistakes.add(
            f"relation {name!r} leads to one of {target.name} at most, but {listing} holds a list: declare it with "
            f"{'to_listed' if listed_by is Side.SOURCE else 'to_many'}"
        )
        return
    source.relations[name] = Relation(
        name=name,
        source=source,
        target=target,
        many=link_.many,
        local=tuple(local),
        remote=tuple(remote),
        through=link_.through,
        association=association,
        listed_by=listed_by,
        order=_order(link_, target),
    )


def _listed_by(local: Sequence[Field], remote: Sequence[Field]) -> Side | None:
    """Return the side whose only field holds lists of what the only field of the other one holds."""
    if len(local) != 1 or len(remote) != 1:
        return None
    here, there = local[0], remote[0]
    if here.kind is Kind.ARRAY and here.item is there.kind:
        return Side.SOURCE
    return Side.TARGET if there.kind is Kind.ARRAY and there.item is here.kind else None


def _are_alike(local: Sequence[Field], remote: Sequence[Field]) -> bool:
    """Return whether the fields of both sides hold single values of the same kinds, pairwise."""
    kinds = [each.kind for each in local]
    return kinds == [each.kind for each in remote] and Kind.ARRAY not in kinds


def _order(link_: Link, target: Resource[Any]) -> tuple[Sort, ...]:
    """Return the order of the class's own, as far as callers may sort by it; else that of *target*."""
    named = {each.removeprefix("-"): each.startswith("-") for each in link_.order}
    if not named or not set(target.sortable).issuperset(named):
        return target.default_order
    down, up = Direction.DESCENDING, Direction.ASCENDING
    return tuple(Sort(name, down if is_down else up) for name, is_down in named.items())


def _references(
    source: Resource[Any],
    own: Iterable[Reference],
    resources: Mapping[str, Resource[Any]],
    shapes: Mapping[str, Shape],
) -> Iterator[LinkedReference]:
    for each in own:
        targets = {
            other: shapes[name].columns
            for name, other in resources.items()
            if other.database == source.database and shapes[name].table == each.target
        }
        if not targets:
            continue
        target = source if source in targets else next(iter(targets))
        remote = tuple(targets[target].get(column, column) for column in each.remote)
        if target.fields.keys() >= set(remote):
            yield LinkedReference(
                source=source,
                target=target,
                fields=each.fields,
                remote=remote,
                on_delete=each.on_delete,
                on_update=each.on_update,
                deferred=each.deferred,
            )


def _describe_target(target: type[Any] | str) -> str:
    return repr(target) if isinstance(target, str) else target.__name__
