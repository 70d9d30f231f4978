"""A lexer for Swift that is exact enough for the gates: it never takes text or comments for code.

It knows nested comments, strings of every kind (raw, multi-line, with interpolated code), regex literals, and the
difference between a postfix `!` and the operators that contain one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

IDENTIFIER = "identifier"
NUMBER = "number"
OPERATOR = "operator"
POSTFIX = "postfix"  # `!` or `?` that is bound to what stands before it
PUNCTUATION = "punctuation"
STRING = "string"  # one token per literal piece between interpolations; text without delimiters
COMMENT = "comment"

_SPACE = re.compile(r"\s+")
_IDENTIFIER = re.compile(r"`[^`\n]+`|[#@$]?[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*|\$\d+")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f_]+(?:\.[0-9A-Fa-f_]+)?(?:[pP][+-]?\d+)?|0[bo][0-7_]+|"
                     r"\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?")
_STRING_START = re.compile(r'(#*)("""|")')
_REGEX_START = re.compile(r"(#+)/")
_OPERATOR = re.compile(r">+(?=[!?])|\.+[-+*/%=<>!&|^~?.]*|[-+*/%=<>!&|^~?]+")
_BARE_REGEX = re.compile(r"/(?![\s*/])(?:\\.|\[(?:\\.|[^\]\n\\])*\]|[^/\n\\])+(?<!\s)/")

_BEFORE_A_PREFIX = set(" \t\r\n([{,;:")
_BEFORE_A_REGEX = {"return", "case", "in", "where", "if", "guard", "while", "switch", "try", "await", "throw"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int
    start: int
    end: int


def tokens(source: str) -> list[Token]:
    """All tokens of a file in order, comments included, white space left out."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: str):
        self.source = source
        self.position = 0
        self.line = 1
        self.out: list[Token] = []

    def run(self) -> list[Token]:
        self._code(until_closing_parenthesis=False)
        return self.out

    def _emit(self, kind: str, end: int, text: str | None = None) -> None:
        start = self.position
        text = self.source[start:end] if text is None else text
        self.out.append(Token(kind, text, self.line, start, end))
        self._advance(end)

    def _advance(self, end: int) -> None:
        self.line += self.source.count("\n", self.position, end)
        self.position = end

    def _code(self, until_closing_parenthesis: bool) -> None:
        source, depth = self.source, 0
        while self.position < len(source):
            character = source[self.position]
            if match := _SPACE.match(source, self.position):
                self._advance(match.end())
            elif source.startswith("//", self.position):
                end = source.find("\n", self.position)
                self._emit(COMMENT, len(source) if end < 0 else end)
            elif source.startswith("/*", self.position):
                self._emit(COMMENT, self._end_of_block_comment())
            elif match := _STRING_START.match(source, self.position):
                self._string(hashes=match.group(1), quote=match.group(2), content=match.end())
            elif match := _REGEX_START.match(source, self.position):
                end = source.find("/" + match.group(1), match.end())
                self._emit(STRING, len(source) if end < 0 else end + 1 + len(match.group(1)))
            elif match := _IDENTIFIER.match(source, self.position):
                self._emit(IDENTIFIER, match.end())
            elif match := _NUMBER.match(source, self.position):
                self._emit(NUMBER, match.end())
            elif character in "!?" and self._is_bound_to_the_left() and not source.startswith("!=", self.position):
                self._emit(POSTFIX, self.position + 1)
            elif character == "/" and self._may_start_a_regex() and (match := _BARE_REGEX.match(source, self.position)):
                self._emit(STRING, match.end())
            elif match := _OPERATOR.match(source, self.position):
                self._emit(OPERATOR, self._before_a_comment(match))
            else:
                if until_closing_parenthesis and character == "(":
                    depth += 1
                elif until_closing_parenthesis and character == ")":
                    if depth == 0:
                        return
                    depth -= 1
                self._emit(PUNCTUATION, self.position + 1)

    def _before_a_comment(self, match: re.Match[str]) -> int:
        text = match.group()
        starts = [index for index in (text.find("//"), text.find("/*")) if index > 0]
        return match.start() + min(starts) if starts else match.end()

    def _is_bound_to_the_left(self) -> bool:
        if self.position == 0:
            return False
        before = self.source[self.position - 1]
        if before in _BEFORE_A_PREFIX:
            return False
        last = self.out[-1] if self.out else None
        if last is None or last.end != self.position:
            return False
        return last.kind != OPERATOR or last.text.startswith(">")

    def _may_start_a_regex(self) -> bool:
        last = next((token for token in reversed(self.out) if token.kind != COMMENT), None)
        if last is None or last.kind == OPERATOR:
            return True
        if last.kind == PUNCTUATION:
            return last.text in "([{,;:"
        return last.kind == IDENTIFIER and last.text in _BEFORE_A_REGEX

    def _end_of_block_comment(self) -> int:
        depth, position = 0, self.position
        while position < len(self.source):
            if self.source.startswith("/*", position):
                depth += 1
                position += 2
            elif self.source.startswith("*/", position):
                depth -= 1
                position += 2
                if depth == 0:
                    return position
            else:
                position += 1
        return position

    def _string(self, hashes: str, quote: str, content: int) -> None:
        """Emits the literal pieces as strings and lexes the interpolated code between them."""
        source, closing, escape = self.source, quote + hashes, "\\" + hashes
        self._advance(content)
        position = content
        while True:
            if position >= len(source) or (len(quote) == 1 and source[position] == "\n"):
                self._emit(STRING, position)
                return
            if source.startswith(closing, position):
                self._emit(STRING, position)
                self._extend_over_delimiter(position + len(closing))
                return
            if source.startswith(escape + "(", position):
                self._emit(STRING, position)
                self._advance(position + len(escape) + 1)
                self._code(until_closing_parenthesis=True)
                self._advance(min(self.position + 1, len(source)))
                position = self.position
            elif source.startswith(escape, position):
                position += len(escape) + 1
            else:
                position += 1

    def _extend_over_delimiter(self, end: int) -> None:
        last = self.out.pop()
        self.out.append(Token(last.kind, last.text, last.line, last.start, end))
        self._advance(end)
