"""The entities of one resource."""

from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol, TypeVar, runtime_checkable

from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome, Unavailable
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Specification
from fastapi_easy.domain.resources.resource import Relation

E = TypeVar("E")

EVERYTHING: Final = Everything()


@runtime_checkable
class Repository(Protocol[E]):
    """The entities of one resource.

    Inside a unit of work every method sees the writes made earlier in it, and nothing is visible outside
    before `UnitOfWork.commit`. On its own, each call stands alone: a read needs no transaction, and a write is
    durable when the call returns.

    Every method may fail with `Unavailable`: the store did not answer in time, and nothing was changed.
    Values given and returned are of the Python type of their field; times are aware and UTC.

    `scope` narrows a method that is given a key: an entity that it does not mean is not there. Where the resource
    has a `version` field the store sets it, to 1 and then one more with every change, whatever a caller gives.

    Comparisons and sorts may also name a key of `resource.paths`, a place inside of a JSON field. It counts as a
    nullable field, whose value is what `DocumentPath.value_in` says.

    Rows go in and out; `EntityRepository` offers the same entities as instances of the user's class. `update_where`
    and `remove_where` are here because a bulk by condition is one statement, whose limit only the store can enforce:
    between a count and a change by others come and go.
    """

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Return the row with *key*, holding *fields* in their order, or all fields of the entity.

        Fails with:
            NotFound: There is none.
        """
        ...

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Return a page of rows in the query's total order, nulls last.

        With `count=EXACT` the total is that of the specification; `next` is set exactly when more rows follow.
        A walk along `next` shows each row that was there all the time once, whatever is inserted meanwhile.
        """
        ...

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[object, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Return the rows that *relation* leads to, from each of *sources*, with one query to the store: no N+1.

        Args:
            relation: Leads to this resource.

            sources: Values of `relation.local`, each in the order of those fields; none of them null, none twice. Where
                that is a list, a tuple of its values.

            query: Which of the rows, in which order, with which fields; `page.limit` is how many at most from
                each source, and nothing else of the page is looked at.

        Returns:
            For each of *sources*, in their order, its rows.
        """
        ...

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Return the numbers that *aggregation* asks for, group by group, with one query to the store."""
        ...

    def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Yield every row of the query in its order, some at a time; `query.page` is ignored.

        Args:
            query: Which rows.

            chunk: Rows that are fetched and given together, at most; as many are in memory at a time.

        Raises:
            StreamBroken: The store stopped answering in the middle.
        """
        ...

    async def count(self, specification: Specification) -> Outcome[int]:
        """Return how many entities *specification* means."""
        ...

    async def add(self, values: Values) -> Outcome[Row]:
        """Store a new entity; fields left out take their default, or null.

        Returns:
            All its fields as stored, with what the store filled in.

        Fails with:
            AlreadyExists: The key, or values of other unique fields, are taken.

            ReferenceBroken, CheckFailed: The store's own rules refused it.
        """
        ...

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none, and return them in the same order.

        Fails with: as `add`.
        """
        ...

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none, and return them in the same order.

        Unlike with `add_all`, the version is stored as given, and so is what the store would otherwise generate. What
        it generates afterwards differs from every key stored here. Fields that it computes are not given.

        Fails with: as `add`.
        """
        ...

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*.

        Args:
            key: Which entity.

            patch: The fields to set; an empty one changes nothing and returns the row. `STORE_DEFAULT` stands for what
                the store gives a new entity, or sets anew with each change.

            expected_version: The version (`Resource.version_of`) the change is based on. Inside a unit of work what
                it changes of the entity later is based on it too, so that an empty *patch* holds the version: of
                several who do so one changes the entity, and the others fail with `Stale`, or with `Unavailable`.

            scope: The entity has to be one of these.

        Returns:
            All fields as they are now.

        Fails with:
            NotFound: There is none.

            Stale: It has another version than the expected one.

            AlreadyExists, ReferenceBroken, CheckFailed: as `add`.
        """
        ...

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*.

        Fails with:
            NotFound: There is none, or not any more.

            Stale: It has another version than the expected one.

            ReferenceBroken: Others refer to it.
        """
        ...

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means; returns how many those are.

        Fails with:
            TooLarge: They are more than *max_affected*; nothing was changed.

            AlreadyExists, ReferenceBroken, CheckFailed: as `add`.
        """
        ...

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means; returns how many those were.

        Fails with:
            TooLarge: They are more than *max_affected*; nothing was changed.

            ReferenceBroken: Others refer to one of them.
        """
        ...

    def entity_from(self, row: Row) -> E:
        """Return an instance of the user's class that no session holds, from a *row* of all fields."""
        ...

    def values_of(self, entity: E) -> Values:
        """Return the values that *entity* holds, without what was never set on it."""
        ...


class StreamBroken(Exception):
    """A stream ended before its end.

    Attributes:
        dependency: Which store.

        error: Why, when it is not that the store does not answer.
    """

    def __init__(self, dependency: str, error: Error | None = None) -> None:
        self.dependency = dependency
        self.error: Error = Unavailable(dependency) if error is None else error
        super().__init__(f"{dependency} stopped answering in the middle of a stream: {self.error.code}")
