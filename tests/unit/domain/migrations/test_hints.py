"""What a person says about a migration has to mean something."""

import pytest

from fastapi_easy.domain.migrations.hints import Hints


@pytest.mark.parametrize(
    "value",
    [
        "NULL",
        "null",
        " ( Null )",
        "((NULL))",
        "NULL::integer",
        "(null)::text",
        "CAST(NULL AS text)",
        "",
        "  ",
    ],
)
def test_a_fill_without_a_value_is_refused(value):
    with pytest.raises(ValueError, match=r"fills nothing in books\.isbn"):
        Hints(fill={"books.isbn": value})


@pytest.mark.parametrize(
    "value",
    ["''", "'NULL'", "nullif(a, 1)", "coalesce(null, 1)", "null_name", "(NULL IS NULL)", "cast(a AS text)"],
)
def test_other_fills_are_taken(value):
    assert Hints(fill={"books.isbn": value}).fill == {"books.isbn": value}


def test_batches_without_rows_are_refused():
    with pytest.raises(ValueError, match="batches of 0 rows"):
        Hints(batch_size=0)
