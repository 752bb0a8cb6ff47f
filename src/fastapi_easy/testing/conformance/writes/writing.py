"""Cases about writing one entity: `add`, `update`, `remove`, `save`."""

import decimal
import uuid
from typing import Any, Final

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import AlreadyExists, Invalid, NotFound, Stale
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.sample_shapes import NOTES, Colour
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, add_rows, value_of

UNIQUE: Final = [
    pytest.param({"code": "a"}, ("code",), id="one field"),
    pytest.param({"shelf": "s", "place": 1}, ("shelf", "place"), id="two fields"),
]

NOT_THE_SAME: Final = [
    pytest.param({"code": None}, {"code": None}, id="nulls"),
    pytest.param({"code": "a"}, {"code": "A"}, id="another case"),
    pytest.param({"code": "a"}, {"code": "a "}, id="a space at the end"),
    pytest.param({"code": "e"}, {"code": "é"}, id="an accent"),
    pytest.param({"code": "😀"}, {"code": "😁"}, id="another emoji"),
    pytest.param({"shelf": "s", "place": 1}, {"shelf": "s", "place": 2}, id="one of two differs"),
    pytest.param({"shelf": "s", "place": None}, {"shelf": "s", "place": None}, id="one of two is null"),
]


class WriteCases(Suite):
    """Cases about writing one entity."""

    async def test_adding_returns_all_fields_as_stored(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", rank=3)

        assert type(added) is Row
        assert list(added) == [field.name for field in NOTES.fields]
        assert (added.title, added.rank) == ("a", 3)
        assert type(added.id) is int
        assert added == value_of(await store.notes.read(added.id))

    async def test_generated_keys_differ(self, store: Store) -> None:
        keys = [(await add_one(store.notes, title="a")).id for _ in range(3)]

        assert keys == sorted(set(keys))

    async def test_a_key_made_by_the_application_is_kept(self, store: Store) -> None:
        key = uuid.uuid4()

        added = await add_one(store.tokens, id=key, label="a")
        made = await add_one(store.tokens, label="b")

        assert added.id == key
        assert type(made.id) is uuid.UUID
        assert value_of(await store.tokens.read(made.id)).label == "b"

    @pytest.mark.parametrize(
        "values", [pytest.param({"body": "b"}, id="left out"), pytest.param({"title": None}, id="null")]
    )
    async def test_a_null_where_none_may_be_is_invalid(self, store: Store, values: dict[str, object]) -> None:
        refused = await store.notes.add(values)

        assert _pointers(refused) == ["/title"]
        assert await store.notes.count(Everything()) == Success(0)

    async def test_a_patch_with_a_null_where_none_may_be_is_invalid(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")

        refused = await store.notes.update(added.id, Patch({"title": None, "rank": 1}))

        assert _pointers(refused) == ["/title"]
        assert value_of(await store.notes.read(added.id)) == added

    @pytest.mark.parametrize(("values", "fields"), UNIQUE)
    async def test_adding_values_that_are_taken_names_the_fields(
        self, store: Store, values: dict[str, object], fields: tuple[str, ...]
    ) -> None:
        await add_rows(store.notes, [{"title": "a", **values}])

        refused = await store.notes.add({"title": "b", **values})

        assert refused == Failure(AlreadyExists("notes", fields))
        assert await store.notes.count(Everything()) == Success(1)

    @pytest.mark.parametrize(("values", "fields"), UNIQUE)
    async def test_updating_to_values_that_are_taken_names_the_fields(
        self, store: Store, values: dict[str, object], fields: tuple[str, ...]
    ) -> None:
        await add_rows(store.notes, [{"title": "a", **values}])
        other = await add_one(store.notes, title="b")

        refused = await store.notes.update(other.id, Patch(values))

        assert refused == Failure(AlreadyExists("notes", fields))
        assert value_of(await store.notes.read(other.id)) == other

    @pytest.mark.parametrize(("values", "fields"), UNIQUE)
    async def test_unique_values_are_free_again_once_given_up(
        self, store: Store, values: dict[str, object], fields: tuple[str, ...]
    ) -> None:
        first = await add_one(store.notes, title="a", **values)
        _ = value_of(await store.notes.update(first.id, Patch(dict.fromkeys(fields))))
        second = await add_one(store.notes, title="b", **values)
        _ = value_of(await store.notes.remove(second.id))

        assert type(await store.notes.add({"title": "c", **values})) is Success

    @pytest.mark.parametrize(("first", "second"), NOT_THE_SAME)
    async def test_unique_values_collide_only_when_they_are_equal(
        self, store: Store, first: dict[str, object], second: dict[str, object]
    ) -> None:
        await add_rows(store.notes, [{"title": "a", **first}])

        assert type(await store.notes.add({"title": "b", **second})) is Success

    async def test_adding_a_key_that_is_taken_names_the_key(self, store: Store) -> None:
        key = uuid.uuid4()
        await add_rows(store.tokens, [{"id": key, "label": "a"}])

        token = await store.tokens.add({"id": key, "label": "b"})

        assert token == Failure(AlreadyExists("tokens", ("id",)))
        assert value_of(await store.tokens.read(key)).label == "a"

    async def test_adding_a_key_of_two_fields_that_is_taken_names_them(self, store: Store) -> None:
        await add_rows(store.seats, [{"hall": "a", "number": 1, "guest": "g"}])

        seat = await store.seats.add({"hall": "a", "number": 1})

        assert seat == Failure(AlreadyExists("seats", ("hall", "number")))
        assert value_of(await store.seats.read(("a", 1))).guest == "g"

    async def test_a_key_of_two_fields_is_one_key(self, store: Store) -> None:
        await add_rows(store.seats, ({"hall": hall, "number": number} for hall in "ab" for number in (1, 2)))

        updated = value_of(await store.seats.update(("a", 2), Patch({"guest": "g"})))
        removed = await store.seats.remove(("b", 1))

        assert updated == {"hall": "a", "number": 2, "guest": "g"}
        assert removed == Success(None)
        assert await store.seats.read(("b", 1)) == Failure(NotFound("seats", ("b", 1)))
        assert await store.seats.read(("A", 1)) == Failure(NotFound("seats", ("A", 1)))
        assert value_of(await store.seats.read(("a", 1))).guest is None
        assert value_of(await store.entities("seats").find_by_id(("a", 2))).guest == "g"
        assert await store.seats.count(Everything()) == Success(3)

    async def test_updating_sets_what_is_named_and_nothing_else(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", remark="r", rank=1, extra={"a": 1})

        updated = value_of(await store.notes.update(added.id, Patch({"remark": None, "colour": Colour.BLUE})))

        assert updated == {**added, "remark": None, "colour": Colour.BLUE}
        assert list(updated) == list(added)
        assert value_of(await store.notes.read(added.id)) == updated

    async def test_updating_touches_no_other_entity(self, store: Store) -> None:
        first, second = await add_one(store.notes, title="a"), await add_one(store.notes, title="b")

        _ = value_of(await store.notes.update(first.id, Patch({"title": "c"})))

        assert value_of(await store.notes.read(second.id)) == second

    async def test_updating_to_what_is_there_already_succeeds(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", rank=1, code="c")

        assert await store.notes.update(added.id, Patch({"title": "a", "rank": 1, "code": "c"})) == Success(
            added
        )

    async def test_an_empty_patch_changes_nothing_and_returns_the_row(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")

        assert await store.notes.update(added.id, Patch({})) == Success(added)
        assert await store.notes.update(4711, Patch({})) == Failure(NotFound("notes", 4711))

    async def test_updating_what_is_not_there_is_not_found(self, store: Store) -> None:
        expected = Failure(NotFound("notes", 4711))

        assert await store.notes.update(4711, Patch({"title": "b"})) == expected
        assert await store.notes.update(4711, Patch({"title": "b"}), expected_version="0" * 24) == expected
        assert await store.notes.count(Everything()) == Success(0)

    async def test_updating_the_expected_version_succeeds(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", price=decimal.Decimal(1), extra={"b": 1, "a": 2})
        version = _version(store, value_of(await store.notes.read(added.id)))

        updated = value_of(
            await store.notes.update(added.id, Patch({"title": "b"}), expected_version=version)
        )

        assert updated.title == "b"
        assert _version(store, added) == version

    @pytest.mark.parametrize("patch", [Patch({"title": "c"}), Patch({})], ids=["a patch", "an empty patch"])
    async def test_updating_another_version_is_stale_and_names_the_current_one(
        self, store: Store, patch: Patch
    ) -> None:
        added = await add_one(store.notes, title="a")
        updated = value_of(await store.notes.update(added.id, Patch({"title": "b"})))

        refused = await store.notes.update(added.id, patch, expected_version=_version(store, added))

        assert refused == Failure(Stale("notes", added.id, _version(store, updated)))
        assert value_of(await store.notes.read(added.id)) == updated

    async def test_removing_takes_the_entity_away_once(self, store: Store) -> None:
        first, second = await add_one(store.notes, title="a"), await add_one(store.notes, title="b")

        assert await store.notes.remove(first.id) == Success(None)
        assert await store.notes.remove(first.id) == Failure(NotFound("notes", first.id))
        assert await store.notes.read(first.id) == Failure(NotFound("notes", first.id))
        assert value_of(await store.notes.read(second.id)) == second

    async def test_removing_another_version_is_stale_and_names_the_current_one(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")
        updated = value_of(await store.notes.update(added.id, Patch({"title": "b"})))

        refused = await store.notes.remove(added.id, expected_version=_version(store, added))

        assert refused == Failure(Stale("notes", added.id, _version(store, updated)))
        assert await store.notes.remove(added.id, expected_version=_version(store, updated)) == Success(None)
        assert await store.notes.remove(added.id, expected_version="0" * 24) == Failure(
            NotFound("notes", added.id)
        )

    async def test_saving_inserts_what_has_no_key(self, store: Store) -> None:
        entity = store.resources["notes"].entity(title="a", rank=1, extra={"a": [1]})

        saved = value_of(await store.entities("notes").save(entity))

        assert type(saved) is type(entity)
        assert saved is not entity
        read = value_of(await store.notes.read(saved.id))
        assert {name: getattr(saved, name) for name in read} == read
        assert (read.title, read.rank, read.extra, read.colour) == ("a", 1, {"a": [1]}, Colour.GREEN)

    async def test_saving_inserts_what_has_an_unknown_key(self, store: Store) -> None:
        key = uuid.uuid4()

        token = value_of(
            await store.entities("tokens").save(store.resources["tokens"].entity(id=key, label="a"))
        )

        assert (token.id, token.label) == (key, "a")
        assert await store.tokens.count(Everything()) == Success(1)

    async def test_saving_inserts_and_replaces_by_a_key_of_two_fields(self, store: Store) -> None:
        store.require(Capability.COMPOSITE_KEYS)
        seats, entity = store.entities("seats"), store.resources["seats"].entity

        inserted = value_of(await seats.save(entity(hall="a", number=1, guest="g")))
        replaced = value_of(await seats.save(entity(hall="a", number=1, guest=None)))

        assert (inserted.hall, inserted.number, inserted.guest) == ("a", 1, "g")
        assert (replaced.hall, replaced.number, replaced.guest) == ("a", 1, None)
        assert await store.seats.count(Everything()) == Success(1)

    async def test_saving_replaces_all_values_of_a_known_key(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", remark="r", rank=1, code="c")
        values = {**added, "title": "b", "remark": None, "rank": 2}

        note = value_of(await store.entities("notes").save(store.resources["notes"].entity(**values)))

        assert {name: getattr(note, name) for name in added} == values
        assert value_of(await store.notes.read(added.id)) == values
        assert await store.notes.count(Everything()) == Success(1)

    async def test_saving_what_was_found_changes_nothing(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", extra={"a": 1}, code="c")
        found = value_of(await store.entities("notes").find_by_id(added.id))

        _ = value_of(await store.entities("notes").save(found))

        assert value_of(await store.notes.read(added.id)) == added

    async def test_saving_values_that_are_taken_names_the_fields(self, store: Store) -> None:
        await add_rows(store.notes, [{"title": "a", "code": "a"}])
        other = await add_one(store.notes, title="b", code="b")
        note = store.resources["notes"].entity

        inserted = await store.entities("notes").save(note(title="c", code="a"))
        replaced = await store.entities("notes").save(note(**{**other, "code": "a"}))

        assert inserted == Failure(AlreadyExists("notes", ("code",)))
        assert replaced == Failure(AlreadyExists("notes", ("code",)))
        assert value_of(await store.notes.read(other.id)) == other


def _version(store: Store, row: Row) -> str:
    return version_of(row, store.resources["notes"].readable)


def _pointers(outcome: Any) -> list[str]:
    assert type(outcome) is Failure
    error = outcome.failure()
    assert type(error) is Invalid
    return [fault.pointer for fault in error.faults]
