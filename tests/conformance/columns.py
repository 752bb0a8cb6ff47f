"""Which cases a column of the conformance suite runs: all of them, or those that a mapping can get wrong.

A column is an adapter on a server, through a driver, with classes of one kind. For each server, and for each adapter
on one of them, one column runs everything. A column that differs from another one only by its driver, or by the
server of an adapter that other columns show on it, subclasses `DriverCases`; one that differs only in how classes are
mapped subclasses `MappingCases` and `MappingCasesInUnitsOfWork`. The rest another column has shown already.

With `CONFORMANCE=full` in the environment (`make conformance-full`) there is no difference: every column runs
everything.
"""

import os
from typing import Any

import pytest

from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from fastapi_easy.testing.conformance.reads.aggregation import AggregationCases
from fastapi_easy.testing.conformance.reads.filter_operators import FilterOperatorCases
from fastapi_easy.testing.conformance.reads.pagination import PaginationCases
from fastapi_easy.testing.conformance.reads.reading import ReadCases
from fastapi_easy.testing.conformance.reads.related_filters import RelatedFilterCases
from fastapi_easy.testing.conformance.reads.related_orders import RelatedOrderCases
from fastapi_easy.testing.conformance.reads.related_selection import RelatedSelectionCases
from fastapi_easy.testing.conformance.reads.streaming import StreamCases
from fastapi_easy.testing.conformance.store import Suite
from fastapi_easy.testing.conformance.writes.bulk import BulkCases
from fastapi_easy.testing.conformance.writes.cancellation import CancellationCases
from fastapi_easy.testing.conformance.writes.foreign_keys import ForeignKeyCases
from fastapi_easy.testing.conformance.writes.optimistic_concurrency import OptimisticConcurrencyCases
from fastapi_easy.testing.conformance.writes.round_trips import RoundTripCases
from fastapi_easy.testing.conformance.writes.soft_deletion import SoftDeletionCases
from fastapi_easy.testing.conformance.writes.writing import WriteCases

VARIABLE = "CONFORMANCE"
"""The environment variable that says `full`, or nothing."""

match os.environ.get(VARIABLE, ""):
    case "":
        FULL = False
    case "full":
        FULL = True
    case other:
        raise pytest.UsageError(f"{VARIABLE} is {other!r}; it may be 'full', or not be set.")

only_when_full = pytest.mark.skipif(
    not FULL, reason="make conformance-full runs it: another column shows the same"
)


def drivers(first: str, *others: str) -> tuple[str, ...]:
    """Return the drivers through which the classes of a column go, where another column shows what drivers do."""
    return (first, *others) if FULL else (first,)


class KindCases(ReadCases, RoundTripCases, WriteCases):
    """Write and read every kind, nulls, keys and defaults, and compare and sort by kind."""

    test_texts_compare_character_by_character = FilterOperatorCases.test_texts_compare_character_by_character
    test_each_kind_compares_by_value = FilterOperatorCases.test_each_kind_compares_by_value
    test_times_compare_by_their_microseconds_also_where_none_are_kept = (
        FilterOperatorCases.test_times_compare_by_their_microseconds_also_where_none_are_kept
    )
    test_null_in_json_is_null = FilterOperatorCases.test_null_in_json_is_null
    test_lists_are_asked_for_their_items = FilterOperatorCases.test_lists_are_asked_for_their_items

    test_each_kind_has_one_order_on_every_store = PaginationCases.test_each_kind_has_one_order_on_every_store
    test_a_walk_goes_along_every_kind = PaginationCases.test_a_walk_goes_along_every_kind
    test_a_walk_goes_along_a_key_of_two_fields = PaginationCases.test_a_walk_goes_along_a_key_of_two_fields
    test_a_walk_gives_instances_too = PaginationCases.test_a_walk_gives_instances_too

    test_adds_several_and_returns_them_in_the_same_order = (
        BulkCases.test_adds_several_and_returns_them_in_the_same_order
    )
    test_each_of_several_takes_its_own_defaults = BulkCases.test_each_of_several_takes_its_own_defaults
    test_sets_null_where_the_patch_says_so = BulkCases.test_sets_null_where_the_patch_says_so

    test_numbers_are_exact_and_of_the_type_of_their_field = (
        AggregationCases.test_numbers_are_exact_and_of_the_type_of_their_field
    )
    test_members_of_an_enumeration_make_groups = AggregationCases.test_members_of_an_enumeration_make_groups

    test_streams_the_fields_asked_for_in_their_order = (
        StreamCases.test_streams_the_fields_asked_for_in_their_order
    )


class SelectedCases(KindCases, OptimisticConcurrencyCases, ForeignKeyCases, SoftDeletionCases):
    """Also versions, references, soft deletion, and where relations lead."""

    test_a_relation_by_two_fields_leads_only_where_both_are_equal = (
        RelatedFilterCases.test_a_relation_by_two_fields_leads_only_where_both_are_equal
    )
    test_a_path_over_two_fields_sorts_too = RelatedOrderCases.test_a_path_over_two_fields_sorts_too
    test_selects_many_for_each_source_in_their_order = (
        RelatedSelectionCases.test_selects_many_for_each_source_in_their_order
    )
    test_selects_at_most_one = RelatedSelectionCases.test_selects_at_most_one
    test_selects_through_a_self_reference = RelatedSelectionCases.test_selects_through_a_self_reference
    test_selects_by_a_composite_reference = RelatedSelectionCases.test_selects_by_a_composite_reference


class SelectedCasesInUnitsOfWork(Suite):
    """That a unit of work reads and writes the classes of its column too."""

    test_every_way_of_reading_sees_the_writes_before_it = (
        UnitOfWorkConformance.test_every_way_of_reading_sees_the_writes_before_it
    )
    test_commit_makes_every_write_durable = UnitOfWorkConformance.test_commit_makes_every_write_durable


class MappedCases(SelectedCases):
    """The same without what the store does with a value, however its class is mapped."""

    test_gives_back_what_was_changed: Any = None
    test_texts_compare_character_by_character: Any = None


class DriverOnlyCases(SelectedCases, BulkCases, CancellationCases):
    """What a driver can get wrong: values, errors, counts, and what a cancelled call leaves behind."""


DriverCases = RepositoryConformance if FULL else DriverOnlyCases
MappingCases = RepositoryConformance if FULL else MappedCases
MappingCasesInUnitsOfWork = UnitOfWorkConformance if FULL else SelectedCasesInUnitsOfWork
