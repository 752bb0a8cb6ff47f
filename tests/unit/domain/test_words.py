"""Words of texts, and what is asked about them without a store."""

import pytest

from fastapi_easy.domain.policies.row_conditions import ConditionError, conditions_in, read_tree
from fastapi_easy.domain.policies.wording import describe_rows
from fastapi_easy.domain.queries.known_values import compared_names, tell
from fastapi_easy.domain.queries.specification import AllOf, Not, is_satisfied_by, leaves
from fastapi_easy.domain.queries.words import HoldsWords, words_of

ASKED = HoldsWords(("title", "body"), ("cat", "mat"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Cat, the  mat", ("the", "cat", "mat")),
        ("snake_case 3.14 x@example.com", ("snake_case", "3", "14", "x", "example", "com")),
        ("don't\x00stop—“now”", ("don", "t", "stop", "now")),
        ("ÉTÉ Straße 漢字", ("été", "straße", "漢字")),
        ("cafe\u0301", ("cafe\u0301",)),
        ("ΣΊΣΥΦΟΣ Σίσυφος", ("σίσυφοσ",)),
        ("\u0130", ("\u0130",)),
        ("+-*/ (\"'", ()),
        ("", ()),
    ],
)
def test_a_word_is_a_run_of_letters_digits_and_underscores(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("title", "body", "holds"),
    [
        ("The cat", "on the MAT", True),
        ("cat mat", None, True),
        ("The cat", None, False),
        ("concat", "mat", False),
        (None, None, False),
    ],
)
def test_all_words_have_to_be_in_the_fields_together(title: str, body: str, holds: bool) -> None:
    row = {"title": title, "body": body}

    assert is_satisfied_by(ASKED, row) is holds
    assert is_satisfied_by(Not(ASKED), row) is not holds
    assert tell(ASKED, row) is holds


def test_what_is_not_known_is_not_told() -> None:
    assert tell(ASKED, {"title": "cat mat"}) is None
    assert tell(ASKED, {"title": "cat mat", "body": 5}) is None


def test_a_search_counts_names_and_is_put_into_words() -> None:
    assert len(list(leaves(AllOf((ASKED,))))) == 2
    assert compared_names(ASKED) == ("title", "body")
    assert list(conditions_in(ASKED)) == []
    assert describe_rows(ASKED) == "title or body holds 'cat' and 'mat'"
    with pytest.raises(ConditionError):
        _ = read_tree({"title__holds": "cat"})
