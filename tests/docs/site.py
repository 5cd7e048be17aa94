#!/usr/bin/env python3
"""The documentation as a web site: it builds, every page is in the menu, every link leads somewhere, nothing is fetched from
outside; and a page that breaks one of these is noticed."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checks  # noqa: E402


def build(tree):
    return subprocess.run([sys.executable, tree / "scripts" / "site.py", "--check"], capture_output=True, text=True, check=False, timeout=300)


def main():
    c = checks.Checks()
    with tempfile.TemporaryDirectory(prefix="wflks-site-") as name:
        tree = pathlib.Path(name)
        for part in ("docs", "include", "examples", "scripts"):
            shutil.copytree(checks.source() / part, tree / part)
        for part in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "mkdocs.yml"):
            shutil.copy(checks.source() / part, tree / part)
        done = build(tree)
        c.check("the site is built and every link leads somewhere", done.returncode == 0, done.stdout + done.stderr)
        c.check("it has a page for each document", len(list((tree / "build/site/html").rglob("*.html"))) > 35)
        page = tree / "build/site/html/docs/kvb.html"
        c.check("code blocks are shown as code", page.exists() and 'class="highlight"' in page.read_text(encoding="utf-8"))
        c.check("nothing of the tests' comments is left", "test: skip" not in page.read_text(encoding="utf-8"))
        original = (tree / "docs/kvb.md").read_text(encoding="utf-8")
        (tree / "docs/lonely.md").write_text("# Lonely\n", encoding="utf-8")
        broken = original + "\n[There](wfl.md#no-such-place)\n\n![A picture](https://example.org/a.png)\n"
        (tree / "docs/kvb.md").write_text(broken, encoding="utf-8")
        done = build(tree)
        for title, said in (("a dead anchor", "there is no #no-such-place"), ("a picture from outside", "fetches https://example.org/a.png"),
                            ("a page that is in no menu", "docs/lonely.md is not in the list")):
            c.check(f"{title} is noticed", done.returncode == 1 and said in done.stdout, done.stdout + done.stderr)
        (tree / "docs/kvb.md").write_text(original + "\n[There](nowhere.md)\n", encoding="utf-8")
        done = build(tree)
        c.check("a dead link is noticed", done.returncode != 0 and "nowhere.md" in done.stdout + done.stderr, done.stdout + done.stderr)
    os.chdir("/")
    c.finish()


if __name__ == "__main__":
    main()
