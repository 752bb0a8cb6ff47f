"""The parser of `where` trees in JSON or Python."""

from collections.abc import Mapping, Sequence

from fastapi_easy.application.queries.allowed_comparisons import CONNECTIVES, AllowedComparisons
from fastapi_easy.application.queries.comparisons import ComparisonParser, QueryError
from fastapi_easy.application.queries.field_check import check_fields
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Not, Specification
from fastapi_easy.domain.resources.named_paths import bind_paths


class WhereTree:
    """Reads the trees of one resource: `{"or": [{"total__gt": 500}, {"not": {"note__isnull": true}}]}`.

    Several names in one object must all hold. A relation with an object asks for one related entity of which all
    in it holds: `{"reviews": {"stars": 5, "text__contains": "dull"}}`.
    """

    def __init__(self, comparisons: AllowedComparisons, limits: QueryLimits) -> None:
        self._allowed = comparisons
        self._parser = ComparisonParser(comparisons, limits)
        self._limits = limits

    def read(self, tree: object, pointer: str = "", depth: int = 0) -> Specification:
        """Parse *tree* into a specification.

        Raises:
            QueryError: It is not a tree of this grammar, or larger than the limits.
        """
        if isinstance(tree, Specification):
            check_fields(tree, self._allowed.resource)
            return bind_paths(tree, self._allowed.resource)
        if not isinstance(tree, Mapping):
            raise QueryError.bad_query("where", 'Must be a JSON object like {"price__gte": 5}')
        if depth > self._limits.depth:
            raise QueryError.limit_exceeded(pointer, f"Must not be nested deeper than {self._limits.depth}")
        parts = tuple(self._member(name, value, pointer, depth) for name, value in tree.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _member(self, name: str, value: object, pointer: str, depth: int) -> Specification:
        """Parse one member of an object: a connective, a relation with an object, or a comparison."""
        # Escaped as a JSON pointer wants it (RFC 6901).
        at = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in self._allowed.relations and isinstance(value, Mapping | Specification):
            inner = WhereTree(self._allowed.for_relation(name), self._limits)
            return self._allowed.relations[name].exists(inner.read(value, at, depth + 1))
        if name not in CONNECTIVES:
            return self._parser.from_value(name, value, at)
        if name == "not":
            return Not(self.read(value, at, depth + 1))
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise QueryError.bad_query("where", f'"{name}" takes a list of objects')
        if len(value) > self._limits.leaves:
            raise QueryError.limit_exceeded(at, f"Must not have more than {self._limits.leaves} members")
        parts = tuple(self.read(each, f"{at}/{n}", depth + 1) for n, each in enumerate(value))
        return AllOf(parts) if name == "and" else AnyOf(parts)
