"""The values of one entity, by field name, and of many."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, overload


class Row(dict[str, Any]):
    """The values of one entity: a dictionary whose items can also be read as attributes.

    Holds the fields that were asked for and nothing else. It belongs to the caller: no session stands behind
    it, and changing it changes nothing in the store.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """Return the value of field *name*.

        Raises:
            AttributeError: The row does not hold that field.
        """
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this row has no field {name!r}; it has {', '.join(self)}") from None


class PartialRow(Row):
    """A row without some of the readable fields, which its caller may not see.

    Attributes:
        full_version: The version of the whole row, which cannot be told from what is left of it.
    """

    __slots__ = ("full_version",)

    def __init__(self, values: Mapping[str, Any], full_version: str) -> None:
        super().__init__(values)
        self.full_version = full_version


class Rows(Sequence[Row]):
    """Rows that are made when they are first looked at, so that passing them on costs nothing.

    Args:
        fields: What each row holds.

        records: The values of each row in the order of *fields*; values after those are ignored.

        texts: The fields whose values are still as the store spells them, or null, and what reads each.

    Attributes:
        fields: What each row holds.

        records: The values, as long as nobody has looked at a row; from then on `None`, since rows can be changed.

        texts: The fields whose values are texts in `records`, and what reads each.
    """

    __slots__ = ("_made", "fields", "records", "texts")

    def __init__(
        self,
        fields: Sequence[str],
        records: Sequence[Sequence[Any]],
        texts: Mapping[str, Callable[[str], Any]] = MappingProxyType({}),
    ) -> None:
        self.fields = tuple(fields)
        self.records: Sequence[Sequence[Any]] | None = records
        self.texts = texts
        self._made: list[Row] = []

    def __len__(self) -> int:
        return len(self._made if self.records is None else self.records)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return self._rows()[place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._rows() == list(other)

    __hash__: Final = None  # type: ignore[assignment] # rows can be changed

    def __repr__(self) -> str:
        return repr(self._rows())

    def only(self, fields: Sequence[str]) -> Sequence[Row]:
        """Return the same rows with *fields* and no others, in that order."""
        if tuple(fields) == self.fields:
            return self
        if self.records is None:
            return [Row({name: row[name] for name in fields}) for row in self._made]
        places = [self.fields.index(name) for name in fields]
        records = [[record[place] for place in places] for record in self.records]
        return Rows(fields, records, {name: read for name, read in self.texts.items() if name in fields})

    def _rows(self) -> list[Row]:
        if self.records is not None:
            fields = self.fields
            self._made = [Row(zip(fields, record, strict=False)) for record in self.records]
            self.records = None
            for name, read in self.texts.items():
                for row in self._made:
                    if row[name] is not None:
                        row[name] = read(row[name])
        return self._made
