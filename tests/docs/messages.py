"""Every message that a user can see, as the second half of `docs/reference/messages.md`.

`make tables` writes it there; `test_reference` compares. The messages are read from the source: the texts that are
given to what refuses, warns or fails. What stands for a value in them is shown in braces.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi_easy.interfaces.http.pages import MEANINGS
from fastapi_easy.interfaces.http.problems import TITLES
from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "reference" / "messages.md"
HEADING = "## The messages"
SOURCE = ROOT / "src" / "fastapi_easy"

INPUT = "Wrong input"
DETAILS = "Details of problems"
DECLARATIONS = "Declarations"
SETTINGS = "Settings"
COMMANDS = "The command line"
MIGRATIONS = "Migrations"
PYTHON = "Calls from Python"
MESSAGES = "Messages, tokens and audit trails"
LOG = "Warnings and errors in the log"

KINDS: Mapping[str, str] = {
    DETAILS: "The `detail` of the body, with the status and the code where they are said in the same place.",
    INPUT: "The `message` of an entry of `errors`, and the `detail` of a query that is not understood.",
    DECLARATIONS: "`DeclarationError`, raised at start with every mistake; `run` prints them and ends with 2, `doctor` "
    "with 1.",
    SETTINGS: "The same, under the heading `… mistakes in the settings`.",
    COMMANDS: "On the standard error; the exit code is 2 where no other one is given.",
    MIGRATIONS: "Why a migration stops, or a script is refused. Rules have [a page of their own](migration-rules.md).",
    PYTHON: "Exceptions that say that a call is wrong, or that something is lost.",
    MESSAGES: "Why a message is parked or a token refused, for operators only; what a verification finds.",
    LOG: "With `%s` for values. What each of them is about is in the same line.",
}

_CALLS: Mapping[str, str] = {
    **dict.fromkeys(("Problem", "malformed_body", "TooLarge", "Unsupported"), DETAILS),
    **dict.fromkeys(
        (
            "Fault",
            "BadQuery",
            "bad_query",
            "ParseError",
            "Unstorable",
            "invalid_value",
            "limit_exceeded",
            "refuse_idempotency_key",
            "Malformed",
            "_not_json",
            "_validation_error",
            "_parameter_fault",
            "_refuse",
            "_too_many",
            "_field_faults",
            "SpellingCheck",
            "PydanticCustomError",
        ),
        INPUT,
    ),
    **dict.fromkeys(
        ("DeclarationError", "OmittedColumn", "ConditionError", "find_dependency_mistakes"), DECLARATIONS
    ),
    **dict.fromkeys(
        ("CommandError", "BadParameter", "Check", "_failed_check", "_ReadableErrors", "end"), COMMANDS
    ),
    **dict.fromkeys(
        (
            "MigrationStopped",
            "ScriptRefusal",
            "SqliteRefusal",
            "CannotDraft",
            "BackupFailed",
            "BrokenReferences",
            "NotWritable",
            "UnreadableError",
            "_stop",
            "_changed",
            "fail",
            "note",
        ),
        MIGRATIONS,
    ),
    **dict.fromkeys(
        (
            "TypeError",
            "ValueError",
            "LookupError",
            "KeyError",
            "AttributeError",
            "RuntimeError",
            "ConnectionError",
            "LockMisuse",
            "LeaseLost",
            "UnitOfWorkMisuse",
            "TransactionManagementError",
            "WebhookVerificationError",
            "StatementError",
            "unknown_name_message",
            "mark_lost",
            "__init__",
        ),
        PYTHON,
    ),
    **dict.fromkeys(
        (
            "Park",
            "TokenRefused",
            "KeysNotFetched",
            "UnreadableNote",
            "Finding",
            "_finding",
            "PostResult",
            "NotPublic",
        ),
        MESSAGES,
    ),
    **dict.fromkeys(("warning", "error", "critical", "exception", "warn"), LOG),
}
"""The kind of a message by the function, or the class, that it is given to."""

_PLACES: tuple[tuple[str, str], ...] = (
    ("settings/", SETTINGS),
    ("interfaces/cli/", COMMANDS),
    ("command_line/", COMMANDS),
    ("__main__.py", COMMANDS),
    ("application/migrations/", MIGRATIONS),
    ("domain/migrations/", MIGRATIONS),
    ("infrastructure/migrations/", MIGRATIONS),
    ("interfaces/http/problems.py", DETAILS),
    ("interfaces/http/request_problems.py", DETAILS),
    ("infrastructure/authentication/jwt/claims.py", MESSAGES),
    ("interfaces/messaging/", MESSAGES),
    ("application/messaging/", MESSAGES),
    ("application/audit/", MESSAGES),
    ("domain/audit/", MESSAGES),
    ("interfaces/http/operations/", INPUT),
    ("interfaces/http/requests/", INPUT),
    ("interfaces/formats/", INPUT),
    ("application/queries/", INPUT),
    ("application/changes/", INPUT),
    ("application/history/", INPUT),
    ("domain/values/", INPUT),
    ("domain/webhooks/destination.py", INPUT),
    ("infrastructure/relational/errors.py", INPUT),
    ("infrastructure/entities/rules.py", INPUT),
)
"""The kind of a message that is given to nothing that tells, by where it is made; else a declaration is meant."""

_COLLECTED = frozenset({"append", "add"})
"""What gathers messages."""

_PASSING = frozenset({"join", "tuple", "list", "partial", "Failure"})
"""What a message may pass through on its way."""

_FRAMES: Mapping[str, str] = {
    "TooLarge": "{} is larger than {{limit}} {{unit}}.",
    "Unsupported": "The store of {{resource}} does not support {}.",
}
"""What is said of a text that is given to an error."""

_NAMES = re.compile(
    r"^(detail|message|reason|sentence|complaint|mistakes?|refused|wrong|said|weaknesses|differences|unsupported"
    r"|(?!TITLES|MEANINGS|HEADERS)_?[A-Z][A-Z_]+)$"
)
"""The names of what holds a message until it is given to something."""

_SPOKEN = re.compile(r"[a-z]{2,}[,;:]? [a-z'`{(]")
_CODE = re.compile(r"[a-z]+(_[a-z]+)+|invalid|missing")
_NO_MESSAGE = re.compile(
    r"SELECT |INSERT |CREATE |ALTER |UPDATE |DELETE |DROP |LANGUAGE |redis\.call|\nExit codes|\nExamples|NEW\.|Enabled"
    r"|lambda |isinstance|type\(kept\)|^local |revision:|^(not|by|character|time|double|initially) [a-z]+$"
)
_ELSEWHERE = (
    "testing/",
    "domain/migrations/rules/",
    "domain/migrations/statements/",
    "interfaces/http/openapi/",
    "interfaces/http/pages.py",
    "interfaces/messaging/asyncapi/",
    "interfaces/cli/migrate/reports/",
    "interfaces/cli/policy/reports.py",
    "interfaces/cli/audit/reports.py",
    "infrastructure/relational/driver/error_classification.py",
    "infrastructure/relational/sqlalchemy_internals.py",
    "infrastructure/persistence/mongo/documents/document_reader.py",
    "infrastructure/security/argon2.py",
    "interfaces/http/sessions/route_documents.py",
    "infrastructure/observation/",
    "infrastructure/migrations/relational/detection/",
    "infrastructure/migrations/relational/compiling/",
    "infrastructure/locks/redis.py",
)
"""What has no messages of its own: suites, rules and reports, documents, generated code, words of libraries."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        kind: What it is about.

        text: It, with what stands for a value in braces.

        code: The HTTP status and the code, or the exit code, where they are said in the same place.

        module: Where it is made.
    """

    kind: str
    text: str
    code: str
    module: str


def messages() -> list[Message]:
    """Every message, in the order of the source, each once in a module."""
    found: dict[Message, None] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE).as_posix()
        if not module.startswith(_ELSEWHERE):
            found |= dict.fromkeys(_messages_in(path, module))
    return list(found)


def _messages_in(path: Path, module: str) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)) or _is_part(node, parents):
            continue
        text = _shown(node)
        if text is None or not _SPOKEN.search(text) or _NO_MESSAGE.search(text):
            continue
        kind, call = _kind_of(node, parents, module)
        if kind is not None:
            frame = _FRAMES.get(ast.unparse(call.func) if call else "", "{}")
            yield Message(kind, frame.format(" ".join(text.split())), _code_of(call, kind), module)


def _is_part(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether *node* is part of another text, or documents something."""
    parent = parents.get(node)
    while isinstance(parent, (ast.IfExp, ast.BoolOp)):
        parent = parents.get(parent)
    return isinstance(parent, (ast.JoinedStr, ast.FormattedValue, ast.Expr)) or (
        isinstance(parent, ast.BinOp) and _shown(parent) is not None
    )


def _kind_of(
    node: ast.AST, parents: Mapping[ast.AST, ast.AST], module: str
) -> tuple[str | None, ast.Call | None]:
    """The kind of the message *node*, or `None` if it is none; and the call that it is given to."""
    place = next((kind for start, kind in _PLACES if module.startswith(start)), DECLARATIONS)
    for known in _around(node, parents):
        match known:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name not in _PASSING:
                return _kind_of_call(name, place), known
            case ast.Yield():
                return place, None
            case ast.Return():
                return (place if _answers_messages(known, parents) else None), None
            case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
                return (place if _NAMES.match(name) else None), None
            case ast.AugAssign() | ast.NamedExpr() | ast.FunctionDef() | ast.ClassDef() | ast.Compare():
                return None, None
    return None, None


def _kind_of_call(name: str, place: str) -> str | None:
    if name in _COLLECTED:
        return place
    is_general = name in {"ValueError", "TypeError", "LookupError", "error"}
    return place if is_general and place in {SETTINGS, MIGRATIONS} else _CALLS.get(name)


def _around(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    known = parents.get(node)
    while known is not None:
        yield known
        known = parents.get(known)


_ANSWERING = re.compile(
    r"mistake|find|refus|wrong|fault|remed|why|check|worded?|sentence|message|said|because|lack"
)


def _answers_messages(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    function = next(
        each for each in _around(node, parents) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    return _ANSWERING.search(function.name) is not None


def _code_of(call: ast.Call | None, kind: str) -> str:
    if call is None:
        return ""
    given = [*call.args, *(each.value for each in call.keywords)]
    constants = [each.value for each in given if isinstance(each, ast.Constant)]
    if kind == COMMANDS:
        codes = [each.value for each in call.keywords if each.arg == "exit_code"]
        return str(codes[0].value) if codes and isinstance(codes[0], ast.Constant) else ""
    if kind not in {DETAILS, INPUT}:
        return ""
    status = next((str(each) for each in constants if type(each) is int and 400 <= each < 600), "")
    code = next((each for each in constants if isinstance(each, str) and _CODE.fullmatch(each)), "")
    return f"{status} {code}".strip()


def _shown(node: ast.AST) -> str | None:
    """The text of *node*, with values in braces; `None` where it is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_shown(each) or "" for each in values)
        case ast.FormattedValue(value=value, conversion=conversion):
            return _placeholder(value, quoted=conversion == ord("r"))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = _shown(left), _shown(right)
            return None if parts[0] is None or parts[1] is None else "".join(map(str, parts))
    return None


def _placeholder(value: ast.expr, *, quoted: bool) -> str:
    """What is shown in the place of *value*: its name, or the words that it chooses from."""
    match value:
        case ast.IfExp(body=one, orelse=other) if _shown(one) is not None and _shown(other) is not None:
            words = [each for each in (_shown(one), _shown(other)) if each]
            return f"[{'|'.join(words)}]"
    shown = f"{{{_name_of(value)}}}"
    return f"'{shown}'" if quoted else shown


def _name_of(value: ast.expr) -> str:
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_")
        case ast.Call(args=[first, *_]):
            return _name_of(first)
        case (
            ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.Starred(value=inner)
        ):
            return _name_of(inner)
        case ast.Call(func=ast.Name(id=name)):
            return name.strip("_")
        case ast.GeneratorExp(generators=[each, *_]) | ast.ListComp(generators=[each, *_]):
            return _name_of(each.iter)
        case ast.BoolOp(values=[first, *_]) | ast.BinOp(left=first) | ast.IfExp(body=first):
            return _name_of(first)
        case ast.Await(value=inner) | ast.NamedExpr(value=inner):
            return _name_of(inner)
    return "…"


def written() -> str:
    """What stands below the heading, in Markdown."""
    found = messages()
    parts = [_titles()]
    for kind, about in KINDS.items():
        made_in: dict[tuple[str, str], list[str]] = {}
        for each in found:
            if each.kind == kind:
                made_in.setdefault((each.text, each.code), []).append(f"`{each.module}`")
        has_codes = any(code for _, code in made_in)
        columns = ["message", *(["code"] if has_codes else []), "made in"]
        lines = [columns, ["---"] * len(columns)]
        lines += [
            [_cell(text), *([code] if has_codes else []), ", ".join(modules)]
            for (text, code), modules in made_in.items()
        ]
        parts.append(f"\n### {kind}\n\n{about}\n\n{_table(lines)}")
    return "".join(parts)


def _titles() -> str:
    rows = [[code, TITLES[code], _cell(MEANINGS[code])] for code in sorted(TITLES)]
    about = "The `title` of each code, and what the page at its `type` says. Statuses are in [the errors](errors.md)."
    return f"\n### Problems\n\n{about}\n\n{_table([['code', 'title', 'meaning'], ['---'] * 3, *rows])}"


def _table(lines: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines).replace(" --- ", "---")


def _cell(text: str) -> str:
    # Braces, angles and underscores are no Markdown here.
    plain = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return re.sub(r"([*_`\[\]])", r"\\\1", plain) if "`" not in text else plain


def shown() -> str:
    """What the page shows below the heading."""
    return PAGE.read_text(encoding="utf-8").partition(f"\n{HEADING}\n")[2]


def write() -> None:
    """Put the messages into the page, below their heading."""
    before, heading, _ = PAGE.read_text(encoding="utf-8").partition(f"\n{HEADING}\n")
    PAGE.write_text(before + heading + written(), encoding="utf-8")


if __name__ == "__main__":
    write()
