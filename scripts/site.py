#!/usr/bin/env python3
"""Builds the documentation as a web site in build/site/html: this is `make site`.

mkdocs wants all pages below one folder, so they are copied to build/site/source as they lie in the repository, and links go on
being right. On the way, what only the tests read is taken out (the words behind a code block's language, `<!-- test: … -->`), and
what is no page, the headers and the examples, gets a page that shows it.

    scripts/site.py [--check]     --check: also looks whether every link of the site leads somewhere, and nothing is fetched from outside
"""

import argparse
import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "site"
SOURCE, HTML = SITE / "source", SITE / "html"
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
# Folders that pages link to: what is shown of them.
SHOWN = {"include/kvb": ("Headers", ["*.h", "*.def"], "cpp"), "examples": ("Examples", ["*.wfl", "*.py", "*.c", "*.cpp"], "text")}
FENCE = re.compile(r"^(\s*```)([\w+-]+)[^\n`]*$", re.MULTILINE)
COMMENT = re.compile(r"^<!-- test:.*?-->\n", re.MULTILINE)
LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def links_to_pages(text, folder):
    """Links to what has no page of its own: a folder that is shown, and its files, lead to that page."""

    def one(match):
        target, _, anchor = match[2].partition("#")
        if not target or "://" in target:
            return match[0]
        path = os.path.normpath(folder / target)
        for shown in SHOWN:
            if path == shown or os.path.dirname(path) == shown:
                name = os.path.basename(path).replace(".", "").lower()
                where = os.path.relpath(f"{shown}/index.md", folder)
                return match[1] + where + ("" if path == shown else f"#{name}") + match[3]
        if path == "LICENSE" or (ROOT / path).is_file():
            return match[1] + target + (f"#{anchor}" if anchor else "") + match[3]
        return match[0]

    return LINK.sub(one, text)


def copy_page(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    text = COMMENT.sub("", text)
    text = FENCE.sub(r"\1\2", text)
    text = links_to_pages(text, pathlib.Path(name).parent)
    target = SOURCE / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def gather():
    shutil.rmtree(SITE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    for name in PAGES:
        copy_page(name)
    for file in sorted((ROOT / "docs").rglob("*")):
        name = file.relative_to(ROOT)
        if file.suffix == ".md":
            copy_page(name)
        elif file.suffix in (".svg", ".png", ".json"):
            (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, SOURCE / name)
    shutil.copy(ROOT / "LICENSE", SOURCE / "LICENSE")
    for folder, (title, patterns, language) in SHOWN.items():
        files = [file for pattern in patterns for file in sorted((ROOT / folder).glob(pattern))]
        parts = [f"# {title}\n"]
        for file in files:
            parts.append(f"## {file.name}\n\n````{language}\n{file.read_text(encoding='utf-8').rstrip()}\n````\n")
        (SOURCE / folder).mkdir(parents=True)
        (SOURCE / folder / "index.md").write_text("\n".join(parts), encoding="utf-8")


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.names = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if values.get("id"):
            self.names.add(values["id"])
        if tag == "a" and values.get("name"):
            self.names.add(values["name"])
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag == "link" and values.get("href") and values.get("rel") != "canonical":
            self.fetched.append(values["href"])
        if tag in ("script", "img", "iframe", "source") and values.get("src"):
            self.fetched.append(values["src"])


def check():
    """What is wrong with the site, one line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in HTML.rglob("*.html")}
    problems = []
    links = 0
    named = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    for page in sorted(str(file.relative_to(SOURCE)) for file in SOURCE.rglob("*.md")):
        if page not in named:
            problems.append(f"{page} is not in the list of pages (nav in mkdocs.yml)")
    for path, page in pages.items():
        shown = path.relative_to(HTML)
        if shown.name == "404.html":  # Its links begin with the server's root.
            continue
        for link in page.links + page.fetched:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.fetched:
                    problems.append(f"{shown}: fetches {link}")
                continue
            links += 1
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file():
                problems.append(f"{shown}: {link} leads nowhere")
            elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].names:
                problems.append(f"{shown}: there is no #{parts.fragment} in {target.relative_to(HTML)}")
    return links, problems


def main():
    parser = argparse.ArgumentParser(description="Builds the documentation as a web site.")
    parser.add_argument("--check", action="store_true", help="look whether every link leads somewhere")
    arguments = parser.parse_args()
    program = "/usr/bin/mkdocs" if os.access("/usr/bin/mkdocs", os.X_OK) else shutil.which("mkdocs")
    if not program:
        sys.exit("mkdocs is missing. `scripts/install_dependencies.sh site` installs it.")
    gather()
    done = subprocess.run([program, "build", "--strict", "--config-file", str(ROOT / "mkdocs.yml")], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        print("\n".join(line for line in done.stderr.splitlines() if not line.startswith("INFO")), file=sys.stderr)
        sys.exit("The site could not be built; what is wrong with it stands above.")
    print(f"{len(list(HTML.rglob('*.html')))} pages: build/site/html/index.html")
    if arguments.check:
        links, problems = check()
        for problem in problems:
            print(f"FAILED: {problem}")
        print(f"{links - len(problems)} passed, {len(problems)} failed")
        sys.exit(1 if problems or not links else 0)


if __name__ == "__main__":
    main()
