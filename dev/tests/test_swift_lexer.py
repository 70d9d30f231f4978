"""The lexer never takes text or comments for code, nor code for text."""

import pytest
from swift_lexer import COMMENT, IDENTIFIER, OPERATOR, POSTFIX, STRING, tokens


def texts(source: str, kind: str) -> list[str]:
    return [token.text for token in tokens(source) if token.kind == kind]


def bangs(source: str) -> int:
    return sum(token.kind == POSTFIX and token.text == "!" for token in tokens(source))


@pytest.mark.parametrize("source", ["x!", "f()!", "a[1]!", "x!.y", "try! f()", "y as! T", "let s: String!", "Array<Int>!", "(x!)",
                                    "x?.y!", '"a"!', '"\\(x!)"', '#"\\#(x!)"#', '"""\n \\(f(")", x!))\n"""'])
def test_a_postfix_bang_is_found(source):
    assert bangs(source) == 1


@pytest.mark.parametrize("source", ["!x", "(!x)", "a != b", "a!=b", "a !== b", "[!x]", "{ !x }", '"x!"', "// x!", "/* x! /* y! */ z! */",
                                    '#"\\(x!)"#', '"""\n x! " y!\n"""', "let r = /x!/", "let r = #/x!/#", "a && !b", "f(a: !b)"])
def test_what_is_no_postfix_bang_is_not_found(source):
    assert bangs(source) == 0


def test_comments_nest_and_end():
    source = "a /* b /* c */ d */ e // f\ng"
    assert texts(source, IDENTIFIER) == ["a", "e", "g"]
    assert len(texts(source, COMMENT)) == 2


def test_an_address_in_a_string_is_no_comment():
    assert texts('let a = "https://x.org" + b', IDENTIFIER) == ["let", "a", "b"]


def test_interpolated_code_is_code():
    source = 'print("sum \\(a + b(c: "\\(d)")) end")'
    assert texts(source, IDENTIFIER) == ["print", "a", "b", "c", "d"]
    assert "sum " in texts(source, STRING) and " end" in texts(source, STRING)


def test_raw_strings_end_at_their_own_delimiter():
    assert texts('let a = ##"x " "# y"##; b', IDENTIFIER) == ["let", "a", "b"]


def test_an_escaped_quote_does_not_end_a_string():
    assert texts('let a = "x \\" y"; b', IDENTIFIER) == ["let", "a", "b"]


def test_a_division_is_no_regex():
    assert texts("let a = b / c / d", IDENTIFIER) == ["let", "a", "b", "c", "d"]


def test_operators_are_whole():
    assert texts("a &+ b &+= c ... d ..< e", OPERATOR) == ["&+", "&+=", "...", "..<"]


def test_lines_are_counted_through_all_literals():
    source = '"""\none\n\\(\n x)\n"""\n/* a\n b */\nlast'
    assert [token.line for token in tokens(source) if token.text == "last"] == [8]


def test_a_file_that_ends_in_the_middle_does_not_hang():
    for source in ['"abc', '"""abc', "/* abc", '"\\(a', '#"abc', "#/abc", "`a"]:
        tokens(source)
