"""What the gates share: finding files, reading excuses, printing findings, and the exit status."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import swift_functions
import swift_lexer
from swift_lexer import COMMENT, Token

_NEVER_VISITED = {".git", ".build", "node_modules", "__pycache__", ".pytest_cache", "switchboard-data", "findings"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    text: str
    warns_only: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'note: ' if self.warns_only else ''}{self.text}"


@dataclass
class SwiftFile:
    path: str
    text: str
    excuses_used: set[int] = field(default_factory=set)

    @cached_property
    def tokens(self) -> list[Token]:
        return swift_lexer.tokens(self.text)

    @cached_property
    def code(self) -> list[Token]:
        return [token for token in self.tokens if token.kind != COMMENT]

    @cached_property
    def comments(self) -> dict[int, str]:
        """Line number to the text of the comments on it."""
        found: dict[int, str] = {}
        for token in self.tokens:
            if token.kind == COMMENT:
                for offset, text in enumerate(token.text.split("\n")):
                    found[token.line + offset] = found.get(token.line + offset, "") + text
        return found

    @cached_property
    def lines_with_code(self) -> set[int]:
        return {token.line for token in self.code}

    @cached_property
    def functions(self) -> list[swift_functions.Function]:
        return list(swift_functions.functions(self.code))

    def is_excused(self, line: int, tag: str) -> bool:
        """True if `// TAG: reason` stands on the line or in the comment lines right above it.

        `// TAG-function: reason` right above a function excuses the whole function.
        """
        if self._excuse_on(line, tag) or self._excuse_above(line, tag):
            return True
        around = (function for function in self.functions if function.first_line <= line <= function.last_line)
        return any(self._excuse_above(function.first_line, f"{tag}-function") for function in around)

    def _excuse_above(self, line: int, tag: str) -> bool:
        above = line - 1
        while above > 0 and (above in self.comments or self._is_attribute(above)):
            if above in self.comments and above not in self.lines_with_code and self._excuse_on(above, tag):
                return True
            if above in self.lines_with_code and not self._is_attribute(above):
                return False
            above -= 1
        return False

    def _is_attribute(self, line: int) -> bool:
        return self.lines[line - 1].lstrip().startswith("@")

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def _excuse_on(self, line: int, tag: str) -> bool:
        found = re.search(rf"{tag}:\s*\S{{3,}}", self.comments.get(line, ""))
        if found:
            self.excuses_used.add(line)
        return bool(found)

    def stale_excuses(self, tag: str) -> Iterator[Finding]:
        """Excuses that excuse nothing; to be asked after all checks of the file."""
        for line, text in self.comments.items():
            if re.search(rf"{tag}(-function)?:", text) and line not in self.excuses_used:
                yield Finding(self.path, line, f"this `{tag}:` excuses nothing (any more); remove it, or give a reason")


class SourceTree:
    def __init__(self, root: Path):
        self.root = root

    @cached_property
    def files(self) -> list[str]:
        """Paths, relative to the root, of all files that are or could be committed."""
        if (self.root / ".git").exists():
            command = ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
            return sorted(path for path in set(listed) if path and (self.root / path).is_file())
        return sorted(self._walk(self.root))

    def _walk(self, folder: Path) -> Iterator[str]:
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                if entry.name not in _NEVER_VISITED and not entry.name.startswith((".build-", ".build_")):
                    yield from self._walk(entry)
            elif entry.is_file():
                yield entry.relative_to(self.root).as_posix()

    def swift_files(self, *folders: str) -> Iterator[SwiftFile]:
        prefixes = tuple(folder.rstrip("/") + "/" for folder in folders)
        for path in self.files:
            if path.endswith(".swift") and (not folders or path.startswith(prefixes) or path in folders):
                yield self.swift_file(path)

    def swift_file(self, path: str) -> SwiftFile:
        return SwiftFile(path, (self.root / path).read_text(encoding="utf-8", errors="replace"))


def run_gate(description: str, check: Callable[[SourceTree], Iterable[Finding]]) -> None:
    """Parses `--root`, runs the check, prints what it found and ends the process: 1 on findings, else 0."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="the checkout to look at")
    root = parser.parse_args().root
    findings = sorted(set(check(SourceTree(root.resolve()))))
    for finding in findings:
        print(finding)
    faults = sum(not finding.warns_only for finding in findings)
    name = Path(sys.argv[0]).name
    print(f"{name}: {faults} to mend" if faults else f"{name}: ok")
    sys.exit(1 if faults else 0)
