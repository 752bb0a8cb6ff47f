"""A bulk document → the changes it asks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from fastapi_easy.application import (
    Change,
    Create,
    Delete,
    DeleteWhere,
    Malformed,
    Update,
    UpdateWhere,
    Upsert,
)
from fastapi_easy.domain import (
    AnyOf,
    BadQuery,
    Error,
    Failure,
    Fault,
    Invalid,
    Json,
    JsonMergePatch,
    Key,
    Operation,
    Specification,
    TooLarge,
)
from fastapi_easy.domain.queries.specification import matches_everything
from fastapi_easy.domain.values.json import join_pointer
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import parse_value
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.requests.preconditions import read_tags

BULK_OPERATIONS: Final = (Operation.CREATE, Operation.UPSERT, Operation.UPDATE, Operation.DELETE)
"""The operations of items; each is the name of the one member of an item."""

Members: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A bulk document, parsed.

    Attributes:
        items: One for each item in it.

        atomic: All or none.
    """

    items: Sequence[Change]
    atomic: bool


class BulkDocumentReader:
    """Reads the bulk documents of one resource, each part as the endpoint for a single change does.

    Every pointer leads into the document. A key is what answers hold: the value, or a list of the values when the key
    has several fields.
    """

    def __init__(self, http_resource: HttpResource) -> None:
        self._resource = http_resource.resource
        self._queries = http_resource.use_cases.queries
        self._validator = http_resource.use_cases.validator
        self._limit = http_resource.options.bulk_limit
        self._max_affected = http_resource.options.max_affected
        self._changes = ("set", "merge") if http_resource.resource.mergeable else ("set",)
        every: Mapping[str, Callable[[object, str], Change]] = {
            Operation.CREATE: self._create,
            Operation.UPSERT: self._upsert,
            Operation.UPDATE: self._update,
            Operation.DELETE: self._delete,
        }
        self._offered = {
            kind: every[kind] for kind in BULK_OPERATIONS if kind in http_resource.resource.operations
        }

    def read(self, document: object) -> BulkRequest | Invalid | TooLarge:
        """Return the bulk that *document* asks for, or what is wrong with it as a whole."""
        if not isinstance(document, Mapping):
            return Invalid((Fault("", "Must be a JSON object", "object_type"),))
        faults = _Faults("")
        faults.add_unknown_members(document, ("items", "atomic"), "a bulk")
        items, atomic = document.get("items"), document.get("atomic", True)
        if "items" not in document:
            faults.add("/items", "Field required", "missing")
        elif not isinstance(items, list):
            faults.add("/items", "Must be a list", "list_type")
        if not isinstance(atomic, bool):
            faults.add("/atomic", "Must be true or false", "bool_type")
        if faults:
            return faults.invalid()
        if len(items or ()) > self._limit:
            # Before any of them is looked at.
            return TooLarge("The bulk", self._limit, "items")
        return BulkRequest([self._item(each, f"/items/{n}") for n, each in enumerate(items or ())], atomic)

    def _item(self, item: object, base_pointer: str) -> Change:
        if isinstance(item, dict) and len(item) == 1:
            ((name, content),) = item.items()
            read = self._offered.get(name)
            if read is not None:
                return read(content, f"{base_pointer}/{name}")
            message = "Must have one member of"
        else:
            message = "Must be an object with one member of"
        return Malformed(
            Invalid((Fault(base_pointer, f"{message} {', '.join(self._offered)}", "item_type"),))
        )

    def _create(self, content: object, base_pointer: str) -> Change:
        return Create(Json(content))

    def _upsert(self, content: object, base_pointer: str) -> Change:
        return Upsert(Json(content))

    def _update(self, content: object, base_pointer: str) -> Change:
        faults = _Faults(base_pointer)
        members = faults.members(content, "an update", self._changes)
        if faults:
            return faults.malformed()
        if "set" in members and "merge" in members:
            faults.add("/merge", "Must not be there together with set", "item_type")
        elif "set" not in members and "merge" not in members:
            faults.add("/set", "Field required", "missing")
        patch = JsonMergePatch(members["merge"]) if "merge" in members else Json(members.get("set"))
        if "where" in members:
            specification, max_affected = self._read_condition(members, faults)
            return (
                self._malformed_update(members, faults)
                if faults
                else UpdateWhere(specification, patch, max_affected)
            )
        key, version = self._read_key_and_version(members, faults)
        return self._malformed_update(members, faults) if faults else Update(key, patch, version)

    def _malformed_update(self, members: Members, faults: "_Faults") -> Malformed:
        """Return the failure of an update whose values were not reached, with the faults of the values too."""
        member = "merge" if "merge" in members else "set"
        read = JsonMergePatch if member == "merge" else Json
        values = self._validator().update(read(members[member])) if member in members else None
        if isinstance(values, Failure) and isinstance(error := values.failure(), Invalid):
            base_pointer = f"{faults.base_pointer}/{member}"
            faults[:0] = [replace(each, pointer=f"{base_pointer}{each.pointer}") for each in error.faults]
        return faults.malformed()

    def _delete(self, content: object, base_pointer: str) -> Change:
        faults = _Faults(base_pointer)
        members = faults.members(content, "a delete", ())
        if faults:
            return faults.malformed()
        if "where" in members:
            specification, max_affected = self._read_condition(members, faults)
            return faults.malformed() if faults else DeleteWhere(specification, max_affected)
        key, version = self._read_key_and_version(members, faults)
        return faults.malformed() if faults else Delete(key, version)

    def _read_key_and_version(self, members: Members, faults: "_Faults") -> tuple[Key, str | None]:
        """Return the key, and the version the change is based on."""
        key = self._key(members["key"], faults)
        if "if_match" not in members:
            return key, None
        given = members["if_match"]
        tags = read_tags(given.encode("ascii")) if isinstance(given, str) and given.isascii() else None
        if tags is None or len(tags.strong) != 1 or tags.weak:
            faults.add("/if_match", "Must be the ETag of one version", "etag")
            return key, None
        return key, tags.strong[0]

    def _key(self, given: object, faults: "_Faults") -> Key:
        names = [self._resource.naming.alias_of(name) for name in self._resource.key]
        parts = [given] if len(names) == 1 else given
        if not isinstance(parts, list) or len(parts) != len(names):
            faults.add("/key", f"Must be a list of {', '.join(names)}", "key_parts")
            return None
        values = []
        for number, (name, part) in enumerate(zip(self._resource.key, parts, strict=True)):
            try:
                values.append(parse_value(self._resource.fields[name], part))
            except ParseError as error:
                faults.add("/key" if len(names) == 1 else f"/key/{number}", str(error), error.code)
        return values[0] if len(values) == 1 else tuple(values)

    def _read_condition(self, members: Members, faults: "_Faults") -> tuple[Specification, int]:
        """Return the condition, and how many entities it may match."""
        largest = self._max_affected
        max_affected = members.get("max_affected", largest)
        if isinstance(max_affected, bool) or not isinstance(max_affected, int):
            faults.add("/max_affected", "Must be a whole number", "int_type")
        elif not 1 <= max_affected <= largest:
            faults.add("/max_affected", f"Must be between 1 and {largest}", "out_of_range")
        found = self._queries.condition(members["where"], f"{faults.base_pointer}/where")
        if isinstance(found, Failure):
            faults.condition(found.failure())
            return AnyOf(()), max_affected
        if matches_everything(found.unwrap()):
            faults.add("/where", "Must not match every entity", "unfiltered")
        return found.unwrap(), max_affected


class _Faults(list[Fault]):
    """The faults below *base_pointer*."""

    def __init__(self, base_pointer: str) -> None:
        super().__init__()
        self.base_pointer = base_pointer

    def add(self, pointer: str, message: str, code: str) -> None:
        self.append(Fault(f"{self.base_pointer}{pointer}", message, code))

    def invalid(self) -> Invalid:
        return Invalid(tuple(self))

    def malformed(self) -> Malformed:
        return Malformed(self.invalid())

    def add_unknown_members(self, members: Members, known: Sequence[str], what: str) -> None:
        """Add a fault for each of *members* that is not *known*."""
        for name in members:
            if name not in known:
                self.add(join_pointer("", name), f"Is not part of {what}", "extra_forbidden")

    def members(self, content: object, what: str, more: tuple[str, ...]) -> Members:
        """Return the members of an item that has either a key or a condition; *more* are allowed with both."""
        if not isinstance(content, Mapping):
            self.add("", "Must be a JSON object", "object_type")
            return {}
        if ("key" in content) == ("where" in content):
            self.add("", "Must have either key or where", "item_type")
            return {}
        own = ("key", "if_match") if "key" in content else ("where", "max_affected")
        self.add_unknown_members(content, (*own, *more), what)
        return content

    def condition(self, error: Error) -> None:
        """Add the faults of a condition; those of `Invalid` have full pointers already."""
        if isinstance(error, Invalid):
            self.extend(error.faults)
        elif isinstance(error, BadQuery):
            hint = f". Did you mean {error.suggestion!r}?" if error.suggestion else ""
            self.add("/where", f"{error.parameter}: {error.reason}{hint}", error.code)
