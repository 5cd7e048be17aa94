#!/usr/bin/env python3
"""Rejects an #include that points up the layers, around them, or to a library that the layer must not know.

    scripts/check_layers.py               check the tree
    scripts/check_layers.py --self-test   plant violations in a scratch tree and see that each is found

The rules are in scripts/layers.toml. The last line is `N passed, N failed`; the exit code is 1 if something failed.
"""

import argparse
import fnmatch
import pathlib
import re
import sys
import tempfile
import tomllib

INCLUDE = re.compile(r'^\s*#\s*(?:include|include_next)\s*(?:<([^>]+)>|"([^"]+)")')
COMPUTED = re.compile(r"^\s*#\s*include\s+[A-Za-z_]")
SOURCES = {".h", ".hpp", ".cpp", ".c", ".cc", ".def", ".inc"}


class Rules:
    """layers.toml, checked for mistakes of its own and with `uses` closed over what the used layers use."""

    def __init__(self, path):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        self.public = table["public"]
        self.layers = table["layers"]
        self.libraries = table["libraries"]
        for name, layer in self.layers.items():
            for used in layer["uses"]:
                if used not in self.layers:
                    raise SystemExit(f"layers.toml: layer {name} uses {used}, which is not a layer")
            for library in layer["libraries"]:
                if library not in self.libraries:
                    raise SystemExit(f"layers.toml: layer {name} names library {library}, which is not listed")
        self.reach = {name: self._closure(name, ()) for name in self.layers}

    def _closure(self, name, above):
        if name in above:
            raise SystemExit("layers.toml: the layers go in a circle: " + " > ".join([*above, name]))
        reached = {name}
        for used in self.layers[name]["uses"]:
            reached |= self._closure(used, (*above, name))
        return reached

    def layer_of(self, path):
        for name, layer in self.layers.items():
            if path.startswith(layer["root"] + "/"):
                return name
        return None

    def library_of(self, header):
        return [n for n, patterns in self.libraries.items() if any(fnmatch.fnmatch(header, p) for p in patterns)]


def is_standard(header):
    """C++ headers have no suffix and no folder; the C ones that C++ keeps are listed."""
    c_headers = {"assert", "ctype", "errno", "fenv", "float", "inttypes", "limits", "locale", "math", "setjmp", "stdarg",
                 "stddef", "stdint", "stdio", "stdlib", "string", "time", "wchar", "wctype", "stdbool", "stdatomic"}
    if header.endswith(".h"):
        return header[:-2] in c_headers
    return re.fullmatch(r"[a-z_0-9]+", header) is not None


def judge(rules, root, path, header, quoted):
    """None if this include is fine, else what is wrong with it."""
    in_public = path.startswith(rules.public["root"] + "/")
    name = None if in_public else rules.layer_of(path)
    layer = None if in_public else rules.layers[name]

    # A header of the project: written from src/ or include/, or standing beside the file.
    target = None
    if quoted and "/" not in header and (root / path).parent.joinpath(header).exists():
        if name is not None and layer["root"].startswith("apps/"):
            return None  # A program is one folder, whose files stand beside each other.
        return f'is written from the file\'s own folder; write it from src/, as in "kvb/os/file.h"'
    if (root / "src" / header).exists():
        target = "src/" + header
    elif (root / "include" / header).exists():
        target = "include/" + header
    elif (root / header).exists() and rules.layer_of(header):
        target = header

    if target is None:
        if is_standard(header):
            return None
        libraries = rules.library_of(header)
        if not libraries:
            return "is no header of the project, of the standard library or of a library that layers.toml knows"
        if in_public:
            return f"brings {libraries[0]} into a public header"
        if not set(libraries) & set(layer["libraries"]):
            return f"is of {libraries[0]}, which layer {name} must not know"
        return None

    if target.startswith(rules.public["root"] + "/"):
        if in_public:
            return None
        allowed = layer.get("public", "none")
        file = target[len(rules.public["root"]) + 1:]
        if allowed == "all" or (allowed == "vocabulary" and file in rules.public["vocabulary"]):
            return None
        return f"is a public header of the engine's top, which layer {name} must not know"

    if in_public:
        return "brings an inside header of the engine into a public one"
    other = rules.layer_of(target)
    if other is None:
        return "stands in no layer that layers.toml knows"
    if other not in rules.reach[name]:
        return f"goes from layer {name} to layer {other}; {name} may use: " + (", ".join(sorted(rules.reach[name] - {name})) or "nothing")
    return None


def check(rules, root):
    """Returns (number of includes looked at, list of problems, list of files outside every layer)."""
    problems = []
    count = 0
    for top in ("src", "include", "apps"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in SOURCES or not file.is_file():
                continue
            path = file.relative_to(root).as_posix()
            if not path.startswith(rules.public["root"] + "/") and rules.layer_of(path) is None:
                problems.append(f"{path}: error: this file stands in no layer that scripts/layers.toml knows")
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    if COMPUTED.match(line):
                        problems.append(f"{path}:{number}: error: an include through a macro cannot be checked; write the name")
                    continue
                count += 1
                header = match.group(1) or match.group(2)
                complaint = judge(rules, root, path, header, match.group(2) is not None)
                if complaint:
                    problems.append(f"{path}:{number}: error: the include of {header} {complaint}")
    return count, problems


def self_test(rules_path):
    """Each case is a small tree and what must be said about it; an empty expectation means that it is fine."""
    cases = [
        ("an upward include in the engine", "src/kvb/os/a.cpp", '#include "kvb/store/b.h"', "from layer os to layer store"),
        ("a downward include in the engine", "src/kvb/store/a.cpp", '#include "kvb/os/b.h"', ""),
        ("an include two layers down", "src/kvb/api/a.cpp", "#include <kvb/os/b.h>", ""),
        ("a neighbour's header, in the same layer", "src/kvb/os/a.cpp", '#include "kvb/os/b.h"', ""),
        ("a neighbour's header, written without its folder", "src/kvb/os/a.cpp", '#include "b.h"', "own folder"),
        ("the engine including the language", "src/kvb/api/a.cpp", '#include "wfl/vm/b.h"', "to layer vm"),
        ("fmt in the engine", "src/kvb/log/a.cpp", "#include <fmt/core.h>", "must not know"),
        ("nlohmann in the engine", "src/kvb/api/a.cpp", "#include <nlohmann/json.hpp>", "must not know"),
        ("CLI11 in the engine", "src/kvb/api/a.cpp", "  #  include <CLI/CLI.hpp>", "must not know"),
        ("the system's headers above the os layer", "src/kvb/log/a.cpp", "#include <sys/mman.h>", "must not know"),
        ("the system's headers in the os layer", "src/kvb/os/a.cpp", "#include <sys/mman.h>", ""),
        ("the standard library", "src/kvb/log/a.cpp", "#include <vector>", ""),
        ("the public API from a low layer", "src/kvb/os/a.cpp", "#include <kvb/bucket.h>", "engine's top"),
        ("the engine's vocabulary from a low layer", "src/kvb/os/a.cpp", "#include <kvb/error.h>", ""),
        ("an inside header in a public one", "include/kvb/a.h", '#include "kvb/os/b.h"', "public one"),
        ("a library in a public header", "include/kvb/a.h", "#include <zstd.h>", "public header"),
        ("the language reaching inside the engine", "src/wfl/keystore/a.cpp", '#include "kvb/store/b.h"', "to layer store"),
        ("the language using the engine's API", "src/wfl/keystore/a.cpp", "#include <kvb/bucket.h>", ""),
        ("the virtual machine knowing the engine", "src/wfl/vm/a.cpp", "#include <kvb/bucket.h>", "must not know"),
        ("the virtual machine knowing syntax", "src/wfl/vm/a.cpp", '#include "wfl/syntax/b.h"', "to layer syntax"),
        ("the built-ins knowing the compiler", "src/wfl/stdlib/a.cpp", '#include "wfl/compile/b.h"', "to layer compile"),
        ("the compiler knowing the virtual machine", "src/wfl/compile/a.cpp", '#include "wfl/vm/b.h"', ""),
        ("the kvb program reaching inside", "apps/kvb/a.cpp", '#include "kvb/store/b.h"', "to layer store"),
        ("the kvb program's own headers", "apps/kvb/a.cpp", '#include "b.h"', ""),
        ("the kvb program using the API", "apps/kvb/a.cpp", "#include <kvb/bucket.h>", ""),
        ("the wfl program reaching past the driver's layers", "apps/wfl/a.cpp", "#include <kvb/bucket.h>", "must not know"),
        ("an unknown header", "src/kvb/os/a.cpp", "#include <boost/asio.hpp>", "no header of the project"),
        ("an include through a macro", "src/kvb/os/a.cpp", "#include SOMETHING", "through a macro"),
        ("a file outside every layer", "src/kvb/odd/a.cpp", "#include <vector>", "in no layer"),
        ("the word include in a comment", "src/kvb/os/a.cpp", "// #include <fmt/core.h>", ""),
    ]
    rules = Rules(rules_path)
    failures = []
    for title, path, line, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for other in ("src/kvb/os/b.h", "src/kvb/store/b.h", "src/wfl/vm/b.h", "src/wfl/syntax/b.h", "src/wfl/compile/b.h", "apps/kvb/b.h",
                          "include/kvb/bucket.h", "include/kvb/error.h", path):
                (root / other).parent.mkdir(parents=True, exist_ok=True)
                (root / other).write_text("", encoding="utf-8")
            (root / path).write_text(line + "\n", encoding="utf-8")
            problems = "\n".join(check(rules, root)[1])
            if (expected == "") != (problems == "") or expected not in problems:
                failures.append(f"self-test: {title}: expected {expected or 'no complaint'!r}, got {problems or 'no complaint'!r}")
    return len(cases), failures


def main():
    parser = argparse.ArgumentParser(description="Checks the direction of includes between the layers.")
    parser.add_argument("--self-test", action="store_true", help="plant violations and see that they are found, too")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    rules_path = arguments.root / "scripts" / "layers.toml"

    count, problems = check(Rules(rules_path), arguments.root)
    failed = 1 if problems else 0
    total = 1
    if arguments.self_test:
        cases, failures = self_test(rules_path)
        total += cases
        failed += len(failures)
        problems += failures
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{count} includes checked against scripts/layers.toml, {len(problems)} problems")
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
