#!/usr/bin/env python3
"""Runs the code blocks of README.md, CONTRIBUTING.md and docs/, so that what they show is true.

    ```wfl            a program; it must end with 0
    ```sh             commands for bash; each must end with 0
    ```cpp complete   a program that is compiled against the installed library and run; `c complete` likewise
    ```text           (or `output`) right after one of these: exactly what it prints, errors included. A line `…` stands for any
                      number of lines, `…` inside a line for any text.

A heading starts a fresh folder: the blocks below it run in it one after the other, and find each other's files. A comment right
before a block changes what is done with it:

    <!-- test: skip, REASON -->     it is not run; the reason is shown and the block counted as skipped
    <!-- test: exit N -->           it must end with N
    <!-- test: file NAME -->        it is not run but written to this file in the folder (any language)
    <!-- test: args A B C -->       script arguments of a wfl, cpp or c block
    <!-- test: continues -->        it uses the folder of the section before

Blocks of a language that can run but that say nothing else run. A block in an unknown language is an error, and so is a link to a
file that is not there. Before the documents, lies are
planted in scratch ones to see that each is found. The reference of the built-in functions, docs/language/builtins.md, must be what
scripts/builtin_reference.py makes of its tables, with an example for each of them, and so must the list of words. `run.py FILE…` runs the given documents alone.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import builtin_reference  # noqa: E402
import checks  # noqa: E402

FENCE = re.compile(r"^(?P<indent> {0,3})```(?P<info>[^`]*)$")
DIRECTIVE = re.compile(r"^\s*<!--\s*test:\s*(.*?)\s*-->\s*$")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
RUNNABLE = {"wfl", "sh", "cpp", "c"}
OUTPUT = {"text", "output"}
SHOWN_ONLY = {"", "json", "mermaid", "cmake", "toml", "ini", "diff", "hex", "make", "html", "python", "js", "ebnf", "hexdump"}
TIME_LIMIT = 60


class Block:
    def __init__(self, line, info, text, directives, section):
        self.line, self.text, self.directives, self.section = line, text, directives, section
        words = info.split()
        self.language, self.marks = (words[0], words[1:]) if words else ("", [])
        self.expected = None


def parse(text):
    """Returns the blocks of a document, each runnable one with the output block that follows it."""
    blocks, directives, section = [], [], 0
    before = None  # The block that only blank lines separate from here.
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        fence = FENCE.match(line)
        if fence:
            start, body = number, []
            while number < len(lines) and lines[number].strip() != "```":
                body.append(lines[number].removeprefix(fence.group("indent")))
                number += 1
            number += 1
            block = Block(start, fence.group("info").strip(), "\n".join(body) + "\n", directives, section)
            directives = []
            if block.language in OUTPUT and before is not None and before.expected is None and not block.directives:
                before.expected = block
            else:
                blocks.append(block)
            before = block if block.language in RUNNABLE else None
            continue
        directive = DIRECTIVE.match(line)
        if directive:
            directives.append(directive.group(1))
        elif line.strip():
            directives, before = [], None
            if re.match(r"^#{1,6} ", line):
                section += 1
    return blocks


def agrees(expected, actual):
    """Line by line; `…` alone is any number of lines, `…` within a line any text."""
    def clean(text):
        lines = [line.rstrip() for line in text.splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    pattern = ""
    for line in clean(expected):
        if line.strip() in ("…", "..."):
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in clean(actual))) is not None


class Runner:
    def __init__(self, prefix):
        self.prefix = prefix
        self.checks = checks.Checks()
        self.skipped = []
        self.env = {**os.environ, "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
                    "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}

    def run_block(self, name, block, folder, arguments):
        stem = f"block_{block.line}"
        if block.language == "wfl":
            (folder / f"{stem}.wfl").write_text(block.text, encoding="utf-8")
            return self.execute(["wfl", f"{stem}.wfl", *arguments], folder)
        if block.language == "sh":
            return self.execute(["bash", "-euo", "pipefail", "-c", block.text], folder)
        compiler = {"cpp": ["g++", "-std=c++23"], "c": ["gcc", "-std=gnu11"]}[block.language]
        source = folder / f"{stem}.{block.language}"
        source.write_text(block.text, encoding="utf-8")
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "kvb"], capture_output=True, text=True, env=self.env, check=False)
        code, output = self.execute([*compiler, "-Wall", "-Wextra", "-Werror", source.name, *flags.stdout.split(),
                                     f"-Wl,-rpath,{self.prefix}/lib", "-o", stem], folder)
        return self.execute([f"./{stem}", *arguments], folder) if code == 0 else (code, output)

    def execute(self, command, folder):
        try:
            result = subprocess.run(command, cwd=folder, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, timeout=TIME_LIMIT, check=False)
            return result.returncode, result.stdout.decode("utf-8", errors="replace")
        except (OSError, subprocess.TimeoutExpired) as error:
            return -1, str(error)

    def run_document(self, name, text, home):
        for number, line in enumerate(text.splitlines(), 1):
            for target in LINK.findall(line):
                if not re.match(r"[a-z]+:", target):
                    self.checks.check(f"{name}:{number}: the link to {target} leads somewhere", (home / target).exists())
        with tempfile.TemporaryDirectory(prefix="wflks-docs-") as scratch:
            folder, section = None, None
            for block in parse(text):
                place = f"{name}:{block.line}"
                exit_code, file_name, arguments, reason = 0, None, [], None
                for directive in block.directives:
                    word, _, rest = directive.partition(" ")
                    if word == "skip," and rest:
                        reason = rest
                    elif word == "exit" and rest.isdigit():
                        exit_code = int(rest)
                    elif word == "file" and rest:
                        file_name = rest
                    elif word == "args":
                        arguments = rest.split()
                    elif word == "continues" and folder is not None:
                        section = block.section
                    else:
                        self.checks.check(f"{place}: `test: {directive}` is understood", False, "see the head of tests/docs/run.py")
                if folder is None or section != block.section:
                    folder, section = pathlib.Path(tempfile.mkdtemp(dir=scratch)), block.section
                if reason is not None:
                    self.skipped.append(f"{place}: {reason}")
                elif file_name is not None:
                    (folder / file_name).write_text(block.text, encoding="utf-8")
                elif block.language in RUNNABLE:
                    if block.language in ("cpp", "c") and "complete" not in block.marks:
                        self.checks.check(f"{place}: a {block.language} block is marked `complete`, or says why it is not run", False)
                        continue
                    code, output = self.run_block(name, block, folder, arguments)
                    good = code == exit_code
                    details = f"exit code {code}, expected {exit_code}\noutput:\n{output}"
                    if block.expected is not None and not agrees(block.expected.text, output):
                        good = False
                        details += f"expected output, {name}:{block.expected.line}:\n{block.expected.text}"
                    self.checks.check(f"{place}: the {block.language} block does what the text says", good, details)
                elif block.language not in OUTPUT | SHOWN_ONLY:
                    self.checks.check(f"{place}: the block's language, {block.language}, is known", False)


LIES = [
    ("a failing command", "```sh\nfalse\n```\n", False),
    ("a command that fails in the middle", "```sh\nfalse\ntrue\n```\n", False),
    ("a command that works", "```sh\ntrue\n```\n", True),
    ("wrong output", "```sh\necho one\n```\n\n```text\ntwo\n```\n", False),
    ("right output", "```sh\necho one\n```\n\n```text\none\n```\n", True),
    ("output that goes on", "```sh\necho one; echo two\n```\n```text\none\n```\n", False),
    ("output with a gap", "```sh\nseq 9\n```\n```text\n1\n…\n9\n```\n", True),
    ("a gap that hides nothing wrong", "```sh\nseq 9\n```\n```text\n1\n…\n8\n```\n", False),
    ("any text in a line", "```sh\necho pid 77 here\n```\n```text\npid … here\n```\n", True),
    ("output of another block", "```sh\necho one\n```\nSome words.\n```text\ntwo\n```\n", True),
    ("an unmarked C++ block", "```cpp\nint main() {}\n```\n", False),
    ("a C++ block that doesn't compile", "```cpp complete\nint main() { return x; }\n```\n", False),
    ("a skipped block", "<!-- test: skip, it is a lie -->\n```sh\nfalse\n```\n", True),
    ("a skipped block without a reason", "<!-- test: skip -->\n```sh\ntrue\n```\n", False),
    ("an expected exit code", "<!-- test: exit 3 -->\n```sh\nexit 3\n```\n", True),
    ("another exit code", "<!-- test: exit 3 -->\n```sh\nexit 4\n```\n", False),
    ("a file of an earlier block", "# A\n```sh\necho x > f\n```\n```sh\ncat f\n```\n", True),
    ("a file of another section", "# A\n```sh\necho x > f\n```\n## B\n```sh\ncat f\n```\n", False),
    ("a file of another section, on purpose", "# A\n```sh\necho x > f\n```\n## B\n<!-- test: continues -->\n```sh\ncat f\n```\n", True),
    ("a named file", "<!-- test: file n.txt -->\n```text\nhello\n```\n\n```sh\ngrep -q hello n.txt\n```\n", True),
    ("an unknown language", "```basic\n10 GOTO 10\n```\n", False),
    ("a broken link", "See [this](no/such/file.md).\n", False),
    ("a WFL program that fails", "```wfl\ndisplay 1 divided by 0\n```\n", False),
]


TABLE = '''// --- words
WFL_BUILTIN(kText, "shout", "yell cry", 1, 2, "text|list t, number times", "text", "The text, \\"loud\\".")
'''
EXAMPLE = '''== shout
display shout of "hey"
--
HEY!
'''
TABLE_LIES = [
    ("a table with its example", TABLE, EXAMPLE, True),
    ("a function without an example", TABLE, "", False),
    ("an example that does not use its function", TABLE, EXAMPLE.replace("shout of", "whisper of"), False),
    ("an example that uses an alias", TABLE, EXAMPLE.replace("shout of", "yell of"), True),
    ("an example that only has the name inside a longer one", TABLE, EXAMPLE.replace("shout of", "shouting of"), False),
    ("an example that only has the name in a comment", TABLE, EXAMPLE.replace("display", "// shout\ndisplay").replace("shout of", "f of"), False),
    ("an example that prints nothing", TABLE, "== shout\nstore x as shout of 1\n--\n", False),
    ("an example without its output", TABLE, "== shout\ndisplay shout of 1\n", False),
    ("two examples for one function", TABLE, EXAMPLE + EXAMPLE, False),
    ("an example for no function", TABLE, EXAMPLE + EXAMPLE.replace("shout", "whisper"), False),
    ("a row that is not understood", TABLE + "WFL_BUILTIN(kText, shout2)\n", EXAMPLE, False),
    ("a chapter without a title", TABLE.replace("kText", "kSongs"), EXAMPLE, False),
]


def reference_test(c, source):
    """The page of the built-in functions is made from their table, and the maker would notice what is missing."""
    for title, table, examples, good in TABLE_LIES:
        try:
            page = builtin_reference.page(table, examples)
            c.check(f"reference: {title} is {'accepted' if good else 'found'}", good and "HEY!" in page and "`yell`" in page, page)
        except builtin_reference.Mistake as mistake:
            c.check(f"reference: {title} is {'accepted' if good else 'found'}", not good, mistake)
    words = builtin_reference.words_page('WFL_KEYWORD(If, "if", true, false, true)\nWFL_KEYWORD(List, "list", false, true, false)\n')
    c.check("reference: each word of the language stands in its table", words.find("`if`") < words.find("## A name") < words.find("`list`"))
    c.command("docs/language/builtins.md and words.md are what scripts/builtin_reference.py would write",
              [sys.executable, source / "scripts" / "builtin_reference.py", "--check"])


def self_test(c, prefix):
    for title, text, good in LIES:
        inner = Runner(prefix)
        with open(os.devnull, "w", encoding="utf-8") as silence:
            visible, sys.stdout = sys.stdout, silence
            try:
                inner.run_document("planted.md", text, pathlib.Path("/"))
            finally:
                sys.stdout = visible
        c.check(f"self-test: {title} is {'accepted' if good else 'found'}", (inner.checks.failed == 0) == good)


def main():
    source, prefix = checks.source(), checks.prefix()
    if not shutil.which("pkg-config") or not (prefix / "bin").is_dir():
        sys.exit(f"No install tree at {prefix}. Run `make test`, or set WFLKS_PREFIX to where the product is installed.")
    runner = Runner(prefix)
    if not sys.argv[1:]:
        self_test(runner.checks, prefix)
        reference_test(runner.checks, source)
    documents = [pathlib.Path(a).resolve() for a in sys.argv[1:]] or [
        source / "README.md", source / "CONTRIBUTING.md", *sorted((source / "docs").rglob("*.md"))]
    for document in documents:
        before = runner.checks.passed
        name = os.path.relpath(document, source)
        if runner.checks.check(f"{name} is there", document.exists()):
            runner.run_document(name, document.read_text(encoding="utf-8"), document.parent)
            print(f"{name}: {runner.checks.passed - before} checks passed")
    for reason in runner.skipped:
        print(f"skipped: {reason}")
    runner.checks.finish()


if __name__ == "__main__":
    main()
