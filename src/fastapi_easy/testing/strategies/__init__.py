"""Hypothesis strategies: rows of a resource, and queries about them."""

from fastapi_easy.testing.strategies.queries import (
    ANY_CASE,
    aggregations,
    comparisons,
    orders,
    pages,
    projections,
    queries,
    specifications,
    with_stored_values,
)
from fastapi_easy.testing.strategies.rows import patches, rows, tables
from fastapi_easy.testing.strategies.values import CASED, CONFUSABLE, TRICKY, WILD, texts, values

__all__ = [
    "ANY_CASE",
    "CASED",
    "CONFUSABLE",
    "TRICKY",
    "WILD",
    "aggregations",
    "comparisons",
    "orders",
    "pages",
    "patches",
    "projections",
    "queries",
    "rows",
    "specifications",
    "tables",
    "texts",
    "values",
    "with_stored_values",
]
