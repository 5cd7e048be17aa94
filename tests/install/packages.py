#!/usr/bin/env python3
"""The Debian packages: `make deb` makes them, they hold what they should, install into an empty root, work there, and leave
nothing behind when they are removed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402

WANTED = {
    "libkvb0": [r"usr/lib/[^/]+/libkvb\.so\.0", r"usr/share/doc/libkvb0/copyright", r"usr/share/doc/libkvb0/changelog\.gz"],
    "libkvb-dev": [r"usr/include/kvb/bucket\.h", r"usr/include/kvb/kvb\.h", r"usr/lib/[^/]+/libkvb\.a", r"usr/lib/[^/]+/libkvb\.so",
                   r"usr/lib/[^/]+/pkgconfig/kvb\.pc", r"usr/lib/[^/]+/cmake/kvb/kvbConfig\.cmake"],
    "kvb": [r"usr/bin/kvb", r"usr/share/man/man1/kvb\.1\.gz", r"usr/share/bash-completion/completions/kvb",
            r"usr/share/zsh/vendor-completions/_kvb", r"usr/share/fish/vendor_completions\.d/kvb\.fish"],
    "wfl": [r"usr/bin/wfl", r"usr/share/man/man1/wfl\.1\.gz"],
}

# What only an upload to Debian itself would need, or what CPack cannot do.
LEFT_TO_DEBIAN = ",".join(["bogus-mail-host", "initial-upload-closes-no-bugs", "no-symbols-control-file", "maintscript-calls-ldconfig"])


def output(*command, **arguments):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **arguments)
    return done.returncode, done.stdout + done.stderr


def check_contents(c, packages):
    for name, wanted in WANTED.items():
        _, listing = output("dpkg-deb", "--contents", packages[name])
        files = [re.sub(r" -> .*", "", line.split(None, 5)[5]).removeprefix("./") for line in listing.splitlines()]
        for pattern in wanted:
            c.check(f"{name} has {pattern}", any(re.fullmatch(pattern, file) for file in files), listing)
        c.check(f"{name}: everything belongs to root", all(" root/root " in line for line in listing.splitlines()), listing)
        _, fields = output("dpkg-deb", "--field", packages[name])
        c.check(f"{name} is described", re.search(r"(?m)^Description: \S.*\n \S", fields), fields)
        c.check(f"{name} is of this version", re.search(r"(?m)^Version: " + re.escape(version()) + "-1$", fields), fields)
    for name, needs in {"libkvb0": "libzstd1", "kvb": "libc6", "libkvb-dev": f"libkvb0 (= {version()}-1)"}.items():
        _, depends = output("dpkg-deb", "--field", packages[name], "Depends")
        c.check(f"{name} depends on {needs}", needs in depends, depends)


def version():
    return re.search(r"project\(wfl-keystore VERSION (\S+)", (checks.source() / "CMakeLists.txt").read_text()).group(1)


def check_installing(c, packages, folder):
    root = folder / "root"
    for part in ("info", "updates", "triggers"):
        (root / "var/lib/dpkg" / part).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    # What the packages depend on is outside of this root.
    dpkg = [*([] if os.geteuid() == 0 else ["fakeroot"]), "dpkg", f"--root={root}", "--force-depends", "--force-not-root",
            "--force-script-chrootless", "--log=/dev/null",
            # Small images leave these out, whoever installs what.
            "--path-include=/usr/share/man/*", "--path-include=/usr/share/doc/*"]
    code, said = output(*dpkg, "--install", *packages.values())
    c.check("all packages install", code == 0, said)
    kvb, wfl = root / "usr/bin/kvb", root / "usr/bin/wfl"
    for program in (kvb, wfl):
        code, said = output(program, "--version")
        c.check(f"{program.name} runs and says its version", code == 0 and version() in said, said)
    script = folder / "hello.wfl"
    script.write_text('display "Hello from a package"\n', encoding="utf-8")
    c.check("wfl runs a program", output(wfl, script) == (0, "Hello from a package\n"))
    bucket = str(folder / "p.kvb")
    c.check("kvb makes a bucket", output(kvb, "put", bucket, "a", "1", "--create")[0] == 0)
    c.check("kvb reads it", output(kvb, "get", bucket, "a") == (0, "1"))
    for page in ("kvb", "wfl"):
        shown = subprocess.run(["man", "--warnings", "-l", root / f"usr/share/man/man1/{page}.1.gz"], capture_output=True, text=True,
                               check=False, timeout=60, env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
        c.check(f"{page}(1) is shown without a warning", shown.returncode == 0 and not shown.stderr and "NAME" in shown.stdout, shown.stderr)
    code, said = output("bash", "-c", f"set -e; source {root}/usr/share/bash-completion/completions/kvb; complete -p kvb")
    c.check("the completion for bash registers itself", code == 0 and "_kvb" in said, said)
    library = next(iter(root.glob("usr/lib/*/libkvb.so.0")), None)
    c.check("the library is there by its soname", library is not None)
    source = folder / "outside.c"
    source.write_text('#include <kvb/kvb.h>\n#include <stdio.h>\nint main(void) { puts(kvb_version()); return 0; }\n', encoding="utf-8")
    if library:
        _, flags = output("pkg-config", "--cflags", "--libs", "kvb", env={**os.environ, "PKG_CONFIG_PATH": str(library.parent / "pkgconfig")})
        built, said = output("gcc", source, *flags.split(), f"-Wl,-rpath,{library.parent}", "-o", folder / "outside")
        c.check("a program builds with the flags of the installed pkg-config file", built == 0, flags + said)
        c.check("and runs", output(folder / "outside") == (0, version() + "\n"))
    code, said = output(*dpkg, "--purge", *WANTED)
    c.check("all packages are removed", code == 0, said)
    left = [str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir() and "var/lib/dpkg" not in str(p)]
    c.check("nothing is left behind", not left, "\n".join(left))


def main():
    c = checks.Checks()
    tree = checks.source()
    code, said = output("make", "--no-print-directory", "-C", tree, "deb", env={**os.environ, "MAKEFLAGS": ""}) if not os.environ.get("WFLKS_PACKAGES") else (0, "")
    where = pathlib.Path(os.environ.get("WFLKS_PACKAGES") or tree / "build/deb/packages")
    if c.check("make deb", code == 0, said[-3000:]):
        packages = {}
        for file in where.glob("*.deb"):
            packages[output("dpkg-deb", "--field", file, "Package")[1].strip()] = file
        c.check("there are four packages", set(packages) == set(WANTED), list(packages))
        if set(packages) == set(WANTED):
            check_contents(c, packages)
            with tempfile.TemporaryDirectory(prefix="wflks-packages-") as name:
                check_installing(c, packages, pathlib.Path(name))
            if shutil.which("lintian"):
                code, said = output("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", LEFT_TO_DEBIAN, *packages.values())
                c.check("lintian finds nothing", code == 0, said)
    c.finish()


if __name__ == "__main__":
    main()
