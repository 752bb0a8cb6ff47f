"""What is asked of an index of trigrams beforehand."""

import sys

from fastapi_easy.domain.queries.case_folding import fold_case
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.trigrams import (
    narrowing_pattern,
)


def test_lets_pass_every_character_that_is_meant_in_a_database_that_folds_ascii_only() -> None:
    # One character for another, or for any number of them.
    missed = [
        each
        for each in map(chr, range(sys.maxunicode + 1))
        if narrowing_pattern(fold_case(each))
        not in {"_", "%", each, each.swapcase() if each.isascii() else ""}
    ]

    assert missed == []


def test_keeps_what_can_be_found_by() -> None:
    assert narrowing_pattern("%bookshop!%straße%") == "%boo_shop!%stra%e%"
