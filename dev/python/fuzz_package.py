"""Makes a Swift package of the fuzz entries and just those sources of ours that they need.

The manifest of the checkout says which target has which folder, dependencies and settings; the entries' imports say what
is needed. A folder Fuzz/<Name> may hold a file `sources` with one path a line: then only those files and folders of the
modules that they belong to are built, so that an entry for one decoder does not build all of GatewayKit.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import swift_lexer
from swift_lexer import IDENTIFIER

_KINDS_OF_IMPORT = {"struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor"}
_SETTINGS = ("enableUpcomingFeature", "enableExperimentalFeature", "define")


MANIFEST = """\
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "switchboard-fuzz",
    platforms: [.macOS(.v15)],
    products: [{products}],
    dependencies: [{packages}],
    targets: [{targets}],
    swiftLanguageModes: [.v6]
)
"""


@dataclass(frozen=True)
class Entry:
    name: str
    folder: str

    @property
    def target(self) -> str:
        return f"Fuzz{self.name}"


def entries(root: Path) -> list[Entry]:
    """All folders Fuzz/<Name> that hold Swift code."""
    folders = sorted({path.parent for path in (root / "Fuzz").glob("*/*.swift")})
    return [Entry(folder.name, folder.relative_to(root).as_posix()) for folder in folders]


def write_package(root: Path, folder: Path) -> None:
    """Writes the manifest for all entries, and links to the folders of the checkout, into the given folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Sources", "Fuzz"):
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(root / name, folder), target_is_directory=True)
    text = _Manifest(root).text()
    manifest = folder / "Package.swift"
    if not manifest.exists() or manifest.read_text() != text:
        manifest.write_text(text)


def _list(items: list[str]) -> str:
    return "\n        " + ",\n        ".join(items) + "\n    "


class _Manifest:
    def __init__(self, root: Path):
        dumped = subprocess.run(["swift", "package", "dump-package"], cwd=root, capture_output=True, check=True, text=True)
        self.root = root
        self.manifest = json.loads(dumped.stdout)
        self.ours = {target["name"]: target for target in self.manifest["targets"] if target["type"] != "test"}
        self.entries = entries(root)
        self.restricted = self._restrictions()

    def text(self) -> str:
        needed = self._needed_modules()
        targets = [self._system(name) if self.ours[name]["type"] == "system" else self._module(name) for name in sorted(needed)]
        targets += [self._entry(entry) for entry in self.entries]
        used = {package.lower() for name in needed for _, package in self._products(name)}
        packages = [self._package(package) for package in self.manifest["dependencies"]
                    if package["sourceControl"][0]["identity"].lower() in used]
        products = [f'.library(name: "{entry.target}", type: .static, targets: ["{entry.target}"])' for entry in self.entries]
        return MANIFEST.format(products=_list(products), packages=_list(packages), targets=_list(targets))

    def _restrictions(self) -> dict[str, list[str]]:
        """Module name to the paths inside its folder that are built; a module that is not in here is built whole."""
        found: dict[str, list[str]] = {}
        for entry in self.entries:
            listing = self.root / entry.folder / "sources"
            for line in listing.read_text().splitlines() if listing.exists() else []:
                path = line.split("#")[0].strip()
                for name, target in self.ours.items():
                    base = self._folder(target) + "/"
                    if path.startswith(base):
                        found.setdefault(name, []).append(path.removeprefix(base))
        return {name: sorted(set(paths)) for name, paths in found.items()}

    def _needed_modules(self) -> set[str]:
        needed, waiting = set(), set()
        for entry in self.entries:
            waiting |= self._imports([self.root / entry.folder]) & self.ours.keys()
        while waiting:
            name = waiting.pop()
            needed.add(name)
            waiting |= set(self._local_dependencies(name)) - needed
        return needed

    def _local_dependencies(self, name: str) -> list[str]:
        declared = [next(iter(dependency.values()))[0] for dependency in self.ours[name]["dependencies"]
                    if "byName" in dependency or "target" in dependency]
        return [module for module in declared if module in self.ours and self._is_imported(name, module)]

    def _products(self, name: str) -> list[tuple[str, str]]:
        declared = [dependency["product"][:2] for dependency in self.ours[name]["dependencies"] if "product" in dependency]
        return [(product, package) for product, package in declared if self._is_imported(name, product)]

    def _is_imported(self, name: str, module: str) -> bool:
        if name not in self.restricted:
            return True
        base = self.root / self._folder(self.ours[name])
        return module in self._imports([base / path for path in self.restricted[name]])

    def _imports(self, paths: list[Path]) -> set[str]:
        files = [file for path in paths for file in (path.rglob("*.swift") if path.is_dir() else [path])]
        found = set()
        for file in files:
            code = [token for token in swift_lexer.tokens(file.read_text()) if token.kind == IDENTIFIER]
            for index, token in enumerate(code[:-1]):
                if token.text == "import":
                    after = code[index + 1].text
                    found.add(code[index + 2].text if after in _KINDS_OF_IMPORT else after)
        return found

    @staticmethod
    def _folder(target: dict) -> str:
        return target.get("path") or f"Sources/{target['name']}"

    def _package(self, package: dict) -> str:
        source = package["sourceControl"][0]
        url = source["location"]["remote"][0]["urlString"]
        return f'.package(url: "{url}", exact: "{source["requirement"]["exact"][0]}")'

    def _system(self, name: str) -> str:
        return f'.systemLibrary(name: "{name}", path: "{self._folder(self.ours[name])}")'

    def _module(self, name: str) -> str:
        target = self.ours[name]
        dependencies = [f'"{module}"' for module in self._local_dependencies(name)]
        dependencies += [f'.product(name: "{product}", package: "{package}")' for product, package in self._products(name)]
        sources = f", sources: {json.dumps(self.restricted[name])}" if name in self.restricted else ""
        return (f'.target(name: "{name}", dependencies: [{", ".join(dependencies)}], path: "{self._folder(target)}"{sources}, '
                f"swiftSettings: [{', '.join(self._settings(target))}])")

    def _settings(self, target: dict) -> list[str]:
        kinds = (setting["kind"] for setting in target["settings"] if setting["tool"] == "swift")
        return [f'.{name}("{kind[name]["_0"]}")' for kind in kinds for name in kind if name in _SETTINGS]

    def _entry(self, entry: Entry) -> str:
        folder = self.root / entry.folder
        imported = self._imports([folder])
        dependencies = [f'"{module}"' for module in sorted(imported & self.ours.keys())]
        products = {product for name in self._needed_modules() for product in self._products(name)}
        dependencies += [f'.product(name: "{product}", package: "{package}")' for product, package in sorted(products)
                         if product in imported]
        others = sorted(path.name for path in folder.iterdir() if path.suffix != ".swift")
        return (f'.target(name: "{entry.target}", dependencies: [{", ".join(dependencies)}], path: "{entry.folder}", '
                f"exclude: {json.dumps(others)})")
