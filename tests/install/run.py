#!/usr/bin/env python3
"""Looks at an install tree as a stranger would: builds programs outside the project against it and runs them.

The tree is copied to another place first, so that a path of the build that is left in it shows.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402

EXPECTED = "fruit:apple = apple\nfruit:pear = pear\ncount = 3\n"
FILES = ["bin/wfl", "bin/kvb", "include/kvb/bucket.h", "include/kvb/kvb.h", "include/kvb/error.h", "include/kvb/error_codes.def",
         "include/kvb/activity.h", "include/kvb/activity.def",
         "lib/libkvb.a", "lib/libkvb.so", "lib/pkgconfig/kvb.pc", "lib/cmake/kvb/kvbConfig.cmake",
         "share/man/man1/kvb.1", "share/man/man1/wfl.1", "share/bash-completion/completions/kvb", "share/zsh/site-functions/_kvb",
         "share/fish/vendor_completions.d/kvb.fish"]
PROBES = {"journal_fsync": 2, "segment_seal": 2, "rehash_start": 1, "rehash_stop": 2, "checkpoint": 2, "compaction": 3}
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def check_files(c, tree):
    for file in FILES:
        c.check(f"{file} is installed", (tree / file).exists())
    wanted = {p.name for p in (checks.source() / "include" / "kvb").iterdir()}
    found = {p.name for p in (tree / "include" / "kvb").iterdir()}
    c.check("the public headers are all there, and no others", wanted == found, f"{wanted ^ found}")
    for file in sorted(tree.rglob("*")):
        if file.suffix in (".pc", ".cmake", ".h", ".def"):
            text = file.read_text(encoding="utf-8")
            c.check(f"{file.relative_to(tree)} names no folder of the build",
                    str(checks.source()) not in text and str(checks.prefix()) not in text)


def check_versions(c, tree, env):
    """One version everywhere: CMake's, the C header's, pkg-config's and what the programs say."""
    cmake = re.search(r"project\(wfl-keystore VERSION (\S+)", (checks.source() / "CMakeLists.txt").read_text()).group(1)
    header = re.search(r'KVB_VERSION_STRING "(.*)"', (tree / "include/kvb/kvb.h").read_text()).group(1)
    c.check("the C header's version is the project's", header == cmake, f"{header} and {cmake}")
    c.command("pkg-config knows the version", ["pkg-config", "--modversion", "kvb"], cmake + "\n", env=env)
    for program in ("kvb", "wfl"):
        c.command(f"{program} --version says {cmake}", [tree / "bin" / program, "--version"], contains=cmake)


def check_manuals(c, tree, env):
    for name in ("kvb", "wfl"):
        page = tree / f"share/man/man1/{name}.1"
        shown = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, check=False,
                               env={**env, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
        c.check(f"{name}(1) is shown without a warning", shown.returncode == 0 and not shown.stderr, shown.stderr)
    said = subprocess.run([tree / "bin/wfl", "--help"], capture_output=True, text=True, check=False).stdout
    page = (tree / "share/man/man1/wfl.1").read_text(encoding="utf-8").replace("\\-", "-")
    options = set(re.findall(r"--[A-Za-z][A-Za-z-]+", said))
    missing = {option for option in options if option not in page and option != "--year"}
    c.check("every option of wfl is in its manual", len(options) > 15 and not missing, missing)
    made = subprocess.run([tree / "bin/kvb", "completions", "bash"], capture_output=True, text=True, check=False).stdout
    c.check("the completion for bash is that of this kvb",
            made != "" and made == (tree / "share/bash-completion/completions/kvb").read_text(encoding="utf-8"))


def check_probes(c, tree):
    """The static probes stand in a note of the library and of the program, with as many arguments as the documentation says."""
    for file in ("lib/libkvb.so", "bin/kvb"):
        notes = subprocess.run(["readelf", "--wide", "-n", tree / file], capture_output=True, text=True, check=False).stdout
        found = {}
        for name, arguments in re.findall(r"Provider: kvb\n\s+Name: (\w+)\n.*\n\s+Arguments: ?(.*)", notes):
            found[name] = len(arguments.split())
        c.check(f"{file} has the probes", found == PROBES, f"{found}\n{notes[:2000]}")


def check_symbols(c, tree, folder):
    """Everything that the public headers declare can be linked from the shared library, and nothing else is in it."""
    listed = subprocess.run(["nm", "-DC", "--defined-only", tree / "lib/libkvb.so"], capture_output=True, text=True, check=False).stdout
    symbols = [line.split(" ", 2)[2] for line in listed.splitlines()]
    strange = [s for s in symbols if not re.match(r"(kvb_\w+$|kvb::(error_\w+|repair|Error|Batch|Bucket|Snapshot|Watch)\b)", s)]
    c.check("the shared library shows nothing that is not in its headers", symbols and not strange, "\n".join(strange))
    for name in ("kvb::Bucket::activity", "kvb::Bucket::writer_activity", "kvb::Watch::next", "kvb::Watch::seqno", "kvb::Snapshot::scan",
                 "kvb::Bucket::compact", "kvb::repair"):
        c.check(f"{name} is in it", any(s.startswith(name) for s in symbols))
    source = folder / "watch.cpp"
    source.write_text("""#include <kvb/bucket.h>
#include <cstdio>
int main(int, char** argv) {
  auto bucket = kvb::Bucket::create(argv[1], {});
  if (!bucket) return 1;
  auto watch = bucket->watch({.from_seqno = 0});
  if (!watch || !bucket->put("a", "1")) return 2;
  auto changes = watch->next();
  if (!changes || changes->size() != 1) return 3;
  std::printf("%llu put, %s\\n", static_cast<unsigned long long>(bucket->activity().puts), (*changes)[0].key.c_str());
}
""", encoding="utf-8")
    if c.command("a program that watches builds with the shared library",
                 ["g++", "-std=c++23", f"-I{tree}/include", source, f"-L{tree}/lib", "-lkvb", f"-Wl,-rpath,{tree}/lib", "-o", folder / "watch"]):
        c.command("it runs", [folder / "watch", folder / "watched.kvb"], "1 put, a\n")


def check_headers(c, tree, folder):
    for header in sorted((tree / "include" / "kvb").glob("*.h")):
        include = f"#include <kvb/{header.name}>\n#include <kvb/{header.name}>\n"
        for compiler in ("g++", "clang++-19"):
            file = folder / "alone.cpp"
            file.write_text(include, encoding="utf-8")
            c.command(f"{header.name} can be included alone, {compiler}",
                      [compiler, "-std=c++23", *STRICT, "-fsyntax-only", f"-I{tree}/include", file])
    for standard in ("c11", "c17"):
        for compiler in ("gcc", "clang-19"):
            file = folder / "alone.c"
            file.write_text("#include <kvb/kvb.h>\n#include <kvb/kvb.h>\nint unused_here;\n", encoding="utf-8")
            c.command(f"kvb.h is {standard} to {compiler}",
                      [compiler, f"-std={standard}", *STRICT, "-fsyntax-only", f"-I{tree}/include", file])


def check_cmake(c, tree, folder):
    for kind in ("static", "shared", "kvb"):
        build = folder / f"cmake-{kind}"
        configured = c.command(f"CMake finds kvb::{kind}",
                               ["cmake", "-G", "Ninja", "-S", pathlib.Path(__file__).parent / "outside", "-B", build,
                                f"-DCMAKE_PREFIX_PATH={tree}", f"-DKIND={kind}"])
        if configured and c.command(f"programs build with kvb::{kind}", ["cmake", "--build", build]):
            for program in ("cpp_program", "c_program"):
                c.command(f"{program} with kvb::{kind} runs", [build / program, folder / f"{kind}-{program}.kvb"], EXPECTED)


def check_pkg_config(c, tree, folder, env):
    outside = pathlib.Path(__file__).parent / "outside"

    def flags(*options):
        result = subprocess.run(["pkg-config", *options, "kvb"], capture_output=True, text=True, env=env, check=False)
        c.check(f"pkg-config {' '.join(options)}", result.returncode == 0, result.stderr)
        return result.stdout.split()

    for name, compiler, source in (("C++", ["g++", "-std=c++23"], "main.cpp"), ("C", ["gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L"], "main.c")):
        shared = folder / f"pkg-shared-{source}.out"
        if c.command(f"a {name} program builds with pkg-config, shared",
                     [*compiler, outside / source, *flags("--cflags", "--libs"), f"-Wl,-rpath,{tree}/lib", "-o", shared]):
            c.command(f"the {name} program runs", [shared, folder / f"pkg-shared-{source}.kvb"], EXPECTED)
            needed = subprocess.run(["readelf", "-d", shared], capture_output=True, text=True, check=False).stdout
            c.check("it uses the shared library by its versioned name", re.search(r"\[libkvb\.so\.\d+\]", needed), needed)
        static = folder / f"pkg-static-{source}.out"
        if c.command(f"a {name} program builds with pkg-config, static",
                     [*compiler, "-static", outside / source, *flags("--static", "--cflags", "--libs"), "-o", static]):
            c.command(f"the static {name} program runs", [static, folder / f"pkg-static-{source}.kvb"], EXPECTED)


def main():
    c = checks.Checks()
    with tempfile.TemporaryDirectory(prefix="wflks-install-") as name:
        folder = pathlib.Path(name)
        tree = folder / "moved"
        shutil.copytree(checks.prefix(), tree, symlinks=True)
        env = {**os.environ, "PKG_CONFIG_PATH": str(tree / "lib" / "pkgconfig")}
        check_files(c, tree)
        check_versions(c, tree, env)
        check_manuals(c, tree, env)
        check_probes(c, tree)
        check_symbols(c, tree, folder)
        check_headers(c, tree, folder)
        check_cmake(c, tree, folder)
        check_pkg_config(c, tree, folder, env)
    c.finish()


if __name__ == "__main__":
    main()
