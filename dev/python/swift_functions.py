"""Where the functions of a Swift file begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from swift_lexer import IDENTIFIER, PUNCTUATION, Token

_NEXT_DECLARATION = {"func", "init", "var", "let", "case", "static", "package", "private", "subscript", "associatedtype"}


@dataclass(frozen=True)
class Function:
    name: str
    first_line: int
    last_line: int


def functions(code: list[Token]) -> Iterator[Function]:
    """Every function and initialiser that has a body, nested ones too; `code` is without comments."""
    for index, token in enumerate(code[:-1]):
        if token.kind != IDENTIFIER or token.text not in ("func", "init") or (index and code[index - 1].text in (".", "(")):
            continue
        if token.text == "init" and code[index + 1].text not in ("(", "?", "<"):
            continue
        name = code[index + 1].text if token.text == "func" else "init"
        opening = _body(code, index + (2 if token.text == "func" else 1))
        if opening is not None:
            yield Function(name, token.line, _last_line(code, opening))


def _body(code: list[Token], index: int) -> int | None:
    depth = 0
    for position in range(index, len(code)):
        token = code[position]
        if token.kind == PUNCTUATION and token.text in "([":
            depth += 1
        elif token.kind == PUNCTUATION and token.text in ")]":
            depth -= 1
        elif depth == 0 and token.text == "{":
            return position
        elif depth < 0 or (depth == 0 and (token.text == "}" or token.text in _NEXT_DECLARATION)):
            return None
    return None


def _last_line(code: list[Token], opening: int) -> int:
    depth = 0
    for token in code[opening:]:
        if token.kind == PUNCTUATION and token.text == "{":
            depth += 1
        elif token.kind == PUNCTUATION and token.text == "}":
            depth -= 1
            if depth == 0:
                return token.line
    return code[-1].line
