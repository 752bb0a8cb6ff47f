"""One comparison as a parameter: its name, a sentence, and the schema of its value."""

from fastapi_easy.application.queries.allowed_comparisons import Parameter
from fastapi_easy.domain import Operator
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.queries.values import ComparedValues


def comparison_parameter(parameter: Parameter, values: ComparedValues) -> Document:
    """Return *parameter* as one of a query string; its value may be repeated where it takes a list."""
    described = _describe(parameter)
    return {
        "name": parameter.name,
        "in": "query",
        **({"description": described} if described else {}),
        "schema": values.in_text(parameter),
    }


def _describe(parameter: Parameter) -> str | None:
    if parameter.operator is Operator.EQUALS and not parameter.path:
        # Its name says the rest.
        return parameter.field.description
    if parameter.relation is None:
        described = _describe_operator(parameter.operator)
    else:
        described = "Has no related entity (true), or has one (false)."
    several = any(relation.many for relation in parameter.path)
    return f"{described.removesuffix('.')}, of at least one of them." if several else described


def _describe_operator(operator: Operator) -> str:  # noqa: C901, PLR0911, PLR0912 (a row per operator)
    match operator:
        case Operator.EQUALS:
            return "Equals this."
        case Operator.NOT_EQUALS:
            return "Differs from this, or is null."
        case Operator.IN:
            return "One of these."
        case Operator.NOT_IN:
            return "None of these, or null."
        case Operator.IS_NULL:
            return "Null (true) or not (false)."
        case Operator.GREATER:
            return "Greater than this."
        case Operator.GREATER_OR_EQUAL:
            return "This or greater."
        case Operator.LESS:
            return "Less than this."
        case Operator.LESS_OR_EQUAL:
            return "This or less."
        case Operator.BETWEEN:
            return "Between these two, or one of them."
        case Operator.EQUALS_ANY_CASE:
            return "Equals this, whatever the case."
        case Operator.CONTAINS:
            return "Contains this."
        case Operator.CONTAINS_ANY_CASE:
            return "Contains this, whatever the case."
        case Operator.STARTS_WITH:
            return "Starts with this."
        case Operator.STARTS_WITH_ANY_CASE:
            return "Starts with this, whatever the case."
        case Operator.ENDS_WITH:
            return "Ends with this."
        case Operator.ENDS_WITH_ANY_CASE:
            return "Ends with this, whatever the case."
        case Operator.HAS:
            return "Has this item."
        case Operator.HAS_ANY:
            return "Has one of these items."
        case Operator.HAS_ALL:
            return "Has all of these items."
