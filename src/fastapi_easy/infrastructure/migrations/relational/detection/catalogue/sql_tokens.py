"""SQL texts → tokens: enough to take definitions apart and to tell spellings of one expression from others."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<string>[bBxXnNeE]?'(?:[^'\\]|''|\\.)*')
  | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|(?<![\w\])])\[[A-Za-z_][^\]\['"(),:]*\])
  | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<sign>::|<=|>=|<>|!=|\|\||->>|->|\#>>|\#>|@>|<@|~~\*|!~~\*|!~~|~~|!~\*|!~|~\*|&&|<<|>>|=>|==|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKEN_WITHOUT_ESCAPES: Final = re.compile(
    _TOKEN.pattern.replace(r"(?:[^'\\]|''|\\.)*", "(?:[^']|'')*"), re.VERBOSE | re.DOTALL
)
_VERSIONED: Final = re.compile(r"/\*M?!\d*(.*?)\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: `string`, `quoted`, `number`, `word` or `sign`.

        text: As it is written.

        start, end: Where it stands.
    """

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return a keyword in upper case; empty for what is none."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """Return the identifier that it stands for."""
        return unquote(self.text) if self.kind == "quoted" else self.text


def tokenize(text: str, *, escapes: bool = False) -> list[Token]:
    """Return the tokens of *text*, without white space and comments.

    Args:
        text: SQL.

        escapes: A backslash in a string escapes what follows, as on MySQL.
    """
    pattern = _TOKEN if escapes else _TOKEN_WITHOUT_ESCAPES
    return [
        Token(str(each.lastgroup), each.group(), each.start(), each.end())
        for each in pattern.finditer(text)
        if each.lastgroup != "space"
    ]


def unwrap_versioned(text: str) -> str:
    """Return *text* with what MySQL writes in comments for newer versions of itself."""
    return _VERSIONED.sub(r"\1", text)


def unquote(text: str) -> str:
    """Return the identifier or the text that *text* stands for, in any of the four ways to quote."""
    opening = text[:1]
    closing = "]" if opening == "[" else opening
    if opening and opening in "\"`['" and text.endswith(closing) and len(text) > 1:
        return text[1:-1].replace(closing * 2, closing)
    return text


def string_value(text: str) -> str:
    """Return the value of a string literal as MySQL writes it."""
    inner = text[1:-1].replace("''", "'")
    return re.sub(
        r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(found[1], found[1]), inner
    )


def split(tokens: Sequence[Token], separator: str = ",") -> Iterator[Sequence[Token]]:
    """Yield the parts of *tokens* between separators that stand in no parentheses."""
    depth, begun = 0, 0
    for place, token in enumerate(tokens):
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif token.text == separator and depth == 0:
            yield tokens[begun:place]
            begun = place + 1
    if tokens[begun:]:
        yield tokens[begun:]


def closing(tokens: Sequence[Token], opening: int) -> int:
    """Return the place of the parenthesis that closes the one at *opening*."""
    depth = 0
    for place in range(opening, len(tokens)):
        if tokens[place].text == "(":
            depth += 1
        elif tokens[place].text == ")":
            depth -= 1
            if depth == 0:
                return place
    return len(tokens) - 1


def source(text: str, tokens: Sequence[Token]) -> str:
    """Return the part of *text* that *tokens* cover, as it is written."""
    return text[tokens[0].start : tokens[-1].end] if tokens else ""
