"""The comparisons that a resource allows, by the names callers write."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeAlias

from fastapi_easy.application.queries.shown_values import ShownValues
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.queries.path_where import PathWhere
from fastapi_easy.domain.queries.shown_where import ShownWhere
from fastapi_easy.domain.queries.specification import (
    LIST_OPERATORS,
    Not,
    Operator,
    Specification,
    Where,
    operators_for,
)
from fastapi_easy.domain.resources.naming import NO_ALIASES, FieldAliases
from fastapi_easy.domain.resources.resource import Relation, Resource

CONNECTIVES: Final = frozenset({"and", "or", "not"})
"""The connectives of a `where` tree."""

RESERVED: Final = frozenset({"where", "q", "sort", "fields", "include", "limit", "offset", "cursor", "count"})
"""The parameters that are not comparisons."""

_EQUALITIES: Final = frozenset({Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN})
_NEGATIVE: Final = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})

AliasLookup: TypeAlias = Callable[[Resource[object]], FieldAliases]
"""Returns the aliases of the fields of a resource: the names that callers use."""


def external_aliases(resource: Resource[object]) -> FieldAliases:
    """Return the aliases by which callers name the fields of *resource*."""
    return resource.naming


def no_aliases(resource: Resource[object]) -> FieldAliases:
    """Return no aliases: Python code uses the names of the fields."""
    return NO_ALIASES


@dataclass(frozen=True, slots=True)
class Parameter:
    """One comparison that callers may ask for.

    Attributes:
        name: The name that callers write: the relations that lead to it, the field, and `__` and the operator, as in
            `author.born__gte`.

        field: The compared field.

        operator: The operator.

        value: The field a single value is read as; differs from *field* for IS_NULL and for items of arrays.

        path: The relations that lead to the entity it is a field of.

        relation: The relation that IS_NULL tests in place of a field: whether there is a related entity.

        other_types: `Field.other_types` where the operator compares for equality; otherwise `None`.

        inside: The place inside of a JSON field that *field* stands for, if it does.
    """

    name: str
    field: Field
    operator: Operator
    value: Field
    path: tuple[Relation, ...] = ()
    relation: Relation | None = None
    other_types: re.Pattern[str] | None = None
    inside: DocumentPath | None = None

    @property
    def takes_list(self) -> bool:
        """Whether the operator takes a list of values."""
        return self.operator in LIST_OPERATORS

    @property
    def splits_commas(self) -> bool:
        """Whether a comma separates values in text, because no value can contain one."""
        return self.value.kind not in {Kind.TEXT, Kind.ENUM, Kind.JSON, Kind.BINARY}

    def condition(self, value: object) -> Specification:
        """Return the specification with *value*; along a path it asks for at least one related entity that matches."""
        condition: Specification
        if self.relation is None:
            condition = (
                Where(self.field.name, self.operator, value)
                if self.inside is None
                else PathWhere(self.field.name, self.operator, value, self.inside)
            )
            if self.other_types is not None:
                condition = _with_other_types(condition)
        else:
            condition = Not(self.relation.exists()) if value else self.relation.exists()
        for relation in reversed(self.path):
            condition = relation.exists(condition)
        return condition


class AllowedComparisons(Mapping[str, Parameter]):
    """Every allowed comparison of *resource* by name.

    Iterates over its own fields, in their order, and those one relation away; holds those up to *depth* relations
    away, which are too many to list.

    Args:
        resource: The resource whose entities are compared.

        depth: Relations from one to the next at most.

        names: Returns the aliases of the fields.

        keywords: Whether the names are keyword arguments in Python, which cannot hold a dot: `author__country__in`
            then means `author.country__in`. No name of a field or a relation holds `__`.

    Attributes:
        resource: The resource whose entities are compared.
    """

    def __init__(
        self,
        resource: Resource[object],
        depth: int,
        names: AliasLookup = external_aliases,
        *,
        keywords: bool = False,
    ) -> None:
        self.resource = resource
        self._depth = depth
        self._names = names
        self._keywords = keywords
        self._separators = (".", "__") if keywords else (".",)
        self._related: dict[str, AllowedComparisons] = {}

    @cached_property
    def own(self) -> dict[str, Parameter]:
        """The comparisons of its own fields and relations."""
        # Made when somebody compares for the first time: there are a hundred of them for each resource.
        own = _own_comparisons(self.resource, self._names(self.resource))
        if self._keywords:
            inside = [name for name, each in own.items() if each.inside is not None]
            own.update({name.replace(".", "__"): own[name] for name in inside})
        return own

    @cached_property
    def _resolved(self) -> dict[str, Parameter]:
        return dict(self.own)

    def __getitem__(self, name: str) -> Parameter:
        found = self._resolved.get(name)
        if found is not None:
            return found
        head, _, rest = name.partition(".")
        if head not in self.relations and self._keywords:
            head, _, rest = name.partition("__")
        if not rest or head not in self.relations:
            raise KeyError(name)
        inner = self.for_relation(head)[rest]
        relation = self.relations[head]
        found = self._resolved[name] = replace(inner, name=name, path=(relation, *inner.path))
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        for head in self.relations:
            for separator in self._separators:
                yield from (f"{head}{separator}{name}" for name in self.for_relation(head).own)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        # Without counting what is there.
        return any(True for _ in self)

    @property
    def relations(self) -> Mapping[str, Relation]:
        """The relations that may be followed from here."""
        return self.resource.relations if self._depth else {}

    def for_relation(self, relation: str) -> "AllowedComparisons":
        """Return the comparisons of the entities that *relation* leads to."""
        if relation not in self._related:
            target = self.resource.relations[relation].target
            self._related[relation] = AllowedComparisons(
                target, self._depth - 1, self._names, keywords=self._keywords
            )
        return self._related[relation]


def _own_comparisons(resource: Resource[object], naming: FieldAliases) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for field_name in resource.filterable:
        field, alias = resource.comparable[field_name], naming.alias_of(field_name)
        for operator in operators_for(field):
            name = alias if operator is Operator.EQUALS else f"{alias}__{operator}"
            found[name] = Parameter(
                name,
                field,
                operator,
                _value_field(field, operator),
                other_types=_other_types(field, operator),
                inside=resource.paths.get(field_name),
            )
    for relation in resource.relations.values():
        # The only comparison of a relation itself: whether there is a related entity.
        name, boolean = f"{relation.name}__{Operator.IS_NULL}", Field(name=relation.name, kind=Kind.BOOLEAN)
        found[name] = Parameter(name, boolean, Operator.IS_NULL, boolean, relation=relation)
    return found


def _value_field(field: Field, operator: Operator) -> Field:
    if operator is Operator.IS_NULL:
        return Field(name=field.name, kind=Kind.BOOLEAN)
    if field.check is not None and operator not in _EQUALITIES and field.kind is Kind.TEXT:
        # What is looked for in a text, or before it in the order, need be no value of the field.
        field = replace(field, check=None)
    if field.kind is Kind.ARRAY:
        return Field(name=field.name, kind=field.item or Kind.TEXT)
    return replace(field, nullable=False) if field.nullable else field


def _other_types(field: Field, operator: Operator) -> re.Pattern[str] | None:
    if field.other_types is None or operator not in _EQUALITIES:
        return None
    return re.compile(field.other_types)


def _with_other_types(where: Where) -> Where:
    """Return *where* with all that its values may mean in place of each `ShownValues`; as it is if there is none."""
    given = where.value if where.operator in LIST_OPERATORS else (where.value,)
    shown = [each for each in given if isinstance(each, ShownValues)]
    if not shown:
        return where
    meant = [every for each in given for every in (each.values if isinstance(each, ShownValues) else (each,))]
    return ShownWhere(
        where.field,
        Operator.NOT_IN if where.operator in _NEGATIVE else Operator.IN,
        tuple(dict.fromkeys(meant)),
        tuple(every for each in shown if each.fault is not None for every in each.others),
        next((each.fault for each in shown if each.fault is not None), None),
    )


def offered(known: Iterable[str]) -> str:
    """Return which of *known* there are, as part of a sentence; of many only the first ones."""
    names = list(known)
    if not names:
        return "there is none here"
    more = ", …" if len(names) > _LISTED else ""
    return f"there are {', '.join(names[:_LISTED])}{more}"


_LISTED: Final = 20
"""Names that a message lists at most."""


def undeclared_path(resource: Resource[object], name: str) -> str | None:
    """Return what is wrong with *name*, if it is a place inside of a JSON field that is not declared."""
    head, dot, rest = name.partition("__")[0].partition(".")
    if dot and head in resource.relations:
        return undeclared_path(resource.relations[head].target, rest)
    document = resource.naming.resolve(head)
    if not dot or document not in resource.readable or resource.fields[document].kind is not Kind.JSON:
        return None
    path = f"{document}.{rest}"[:64]
    return f"Is not declared as a place inside of {head}: name it in QueryRules(json_paths={{{path!r}: str}})"


def closest_match(name: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* most similar to *name*, or `None` when none is similar."""
    near = difflib.get_close_matches(name[:64], list(known), n=1, cutoff=0.6)
    return near[0] if near else None
