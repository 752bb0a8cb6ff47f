"""The statement for the rows that lists of keys name, in any number of entities."""

from sqlalchemy import Executable, any_, bindparam, select
from sqlalchemy.dialects import postgresql

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.order import order_by_clauses
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    ConditionTemplate,
    build_condition,
)


def listed_rows(
    plan: Plan,
    relation: Relation,
    fields: tuple[str, ...],
    order: tuple[Sort, ...],
    form: ConditionTemplate,
) -> Executable:
    """Build the statement for the rows at the end of *relation*, by a list, whose values are among `fe_sources`.

    Args:
        plan: Of the related resource.

        relation: From a list to one value of the related resource.

        fields: The first columns; the value that is listed follows them.

        order: Of all rows, from whatever source.

        form: Which of the rows.
    """

    def build() -> Executable:
        terms, [remote] = plan.terms, relation.remote
        paths = Paths(terms, order)
        # One parameter, however many there are.
        items = bindparam("fe_sources", type_=postgresql.ARRAY(terms.type_of(remote)))
        columns = [*(terms.plain(name) for name in fields), terms.plain(remote).label("fe_source_0")]
        return (
            select(*columns)
            .select_from(paths.table)
            .where(terms.exact(remote) == any_(items), build_condition(form, terms))
            .order_by(*order_by_clauses(order, paths))
        )

    return plan.statement(("select_listed", relation, fields, order, form), build)
