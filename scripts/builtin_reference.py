#!/usr/bin/env python3
"""Writes docs/language/builtins.md, the reference of the built-in functions, and words.md, the words of the language.

    scripts/builtin_reference.py            write the pages
    scripts/builtin_reference.py --check    fail if a page is not what it would write; the tests of the documentation do this

src/wfl/language/builtins.def says what each function takes and gives. docs/language/builtin_examples.txt has one example for each:

    == NAME
    form: FORM           optional: how it is written, when it is not `NAME of …`
    a program
    --
    what it prints; a line `…` is any number of lines, `…` in a line any text

The examples are run with all others of the documentation (tests/docs/run.py). A function without an example is a mistake.

The words are those of src/wfl/language/keywords.def.
"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
TABLE = SOURCE / "src" / "wfl" / "language" / "builtins.def"
EXAMPLES = SOURCE / "docs" / "language" / "builtin_examples.txt"
KEYWORDS = SOURCE / "src" / "wfl" / "language" / "keywords.def"
PAGE = SOURCE / "docs" / "language" / "builtins.md"
WORDS_PAGE = SOURCE / "docs" / "language" / "words.md"

TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf"WFL_BUILTIN\((k\w+), {TEXT}, {TEXT}, (\d+), (\d+|kVariadic), {TEXT}, {TEXT}, {TEXT}\)$")

# Chapter of the table: its title, and what is to be said about all of it.
CHAPTERS = {
    "kCore": ("Any value", "See also [values and names](values.md)."),
    "kMath": ("Numbers", "See also [numbers](numbers.md)."),
    "kText": ("Text", "Positions count characters from 0. A text never changes: these functions give a new one. See also [text](text.md)."),
    "kList": ("Lists", "Positions count from 0. Functions that change a list change it for all names that refer to it. See also "
                       "[lists and maps](lists-and-maps.md)."),
    "kRandom": ("Chance", "For secrets use `secure_random_bytes`; these numbers can be guessed. See also [chance and secrets](chance-and-secrets.md)."),
    "kTime": ("Dates and times", "Local time, unless it says UTC. Formats are those of `strftime`. See also [dates and times](dates-and-times.md)."),
    "kData": ("JSON and TOML", "See also [JSON and TOML](json-and-toml.md)."),
    "kFiles": ("Files and paths", "A path that does not begin with `/` starts at the folder the program was started in. See also [files](files.md)."),
    "kPattern": ("Patterns", "See also [patterns](patterns.md)."),
    "kCrypto": ("Hashes, passwords, sealed texts", "See also [chance and secrets](chance-and-secrets.md)."),
    "kWeb": ("Helpers for web programs", "They work on texts; nothing is sent anywhere."),
}

HEAD = """\
# Built-in functions

<!-- Written by scripts/builtin_reference.py; change src/wfl/language/builtins.def or docs/language/builtin_examples.txt instead. -->

{count} functions that every program has, without asking for them. Most are called with `of`, and their arguments are joined by `and`:
`substring of "keystore" and 0 and 3`. What stands in `[ ]` may be left out. An argument that has a comparison, `with`, `and` or
`or` in it goes into parentheses. A function that gives nothing back stands on a line of its own: `call sort with names`.

An argument of the wrong kind is an [error](errors.md). Some functions have more than one spelling; the others are named with each.

"""

WORD = re.compile(rf"WFL_KEYWORD\(\w+, {TEXT}, (true|false), (true|false), (true|false)\)$")
NOT_READABLE = {"new", "contains"}  # `store new` begins a constant, and `contains` a question.

WORDS_HEAD = """\
# Words of the language

<!-- Written by scripts/builtin_reference.py from src/wfl/language/keywords.def. -->

These words have a meaning of their own. A name cannot have one in it, because the word ends the name. Tie it to another one with
`_`, and it is an ordinary name: `end` is taken, `week_end` is free. A longer word that only begins like one is free, too: `stored`,
`dated`. Capital letters make another word: `End` is free. [Values and names](values.md) has more about names.
"""


class Mistake(Exception):
    """What is wrong with one of the tables."""


def rows(table):
    """The table as a list of dicts; every line that begins a row must be understood."""
    result = []
    for number, line in enumerate(table.splitlines(), 1):
        if not line.startswith("WFL_BUILTIN"):
            continue
        match = ROW.match(line)
        if not match:
            raise Mistake(f"builtins.def:{number}: this row is not understood: {line}")
        chapter, name, aliases, least, most, parameters, result_type, about = match.groups()
        if chapter not in CHAPTERS:
            raise Mistake(f"builtins.def:{number}: the chapter {chapter} has no title in builtin_reference.py")
        parts = [entry.strip().partition(" ") for entry in parameters.split(",") if entry.strip()]
        result.append({"chapter": chapter, "name": name, "aliases": aliases.split(), "least": int(least),
                       "most": None if most == "kVariadic" else int(most),
                       "parameters": [(argument, types.replace("|", " or ")) for types, _, argument in parts],
                       "result": result_type.replace("|", " or "), "about": about.replace('\\"', '"')})
    return result


def examples(text):
    """The examples by name: (form or None, program, output)."""
    result = {}
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        name = name.strip()
        if name in result:
            raise Mistake(f"builtin_examples.txt: {name} has two examples")
        program, mark, output = rest.partition("\n--\n")
        if not mark or not output.strip():
            raise Mistake(f"builtin_examples.txt: the example of {name} does not say what it prints")
        form = None
        if program.startswith("form: "):
            first, _, program = program.partition("\n")
            form = first.removeprefix("form: ").strip()
        result[name] = (form, program.strip("\n"), output.strip("\n"))
    return result


def uses(program, names):
    """Whether one of the names stands in the program, outside comments and texts."""
    code = re.sub(r'"(?:[^"\\]|\\.)*"|//.*|#.*', " ", program)
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", code) for name in names)


def form_of(row):
    """How the function is written: `NAME of a and b [and c]`, or `call NAME with a and b` for one that gives nothing back."""
    arguments = [argument for argument, _ in row["parameters"]]
    if row["most"] is None:
        return f"{row['name']} of {arguments[0]} and …"
    first = "with" if row["result"] == "nothing" else "of"
    text = ("call " if first == "with" else "") + row["name"]
    for position, argument in enumerate(arguments):
        word = f" {first if position == 0 else 'and'} {argument}"
        text += f" [{word.strip()}]" if position >= row["least"] else word
    return text


def entry(row, form, program, output):
    lines = [f"### {row['name']}", "", f"`{form or form_of(row)}`" + (f" → {row['result']}" if row["result"] != "nothing" else ""), "",
             row["about"]]
    if row["parameters"]:
        lines.append(" " + "; ".join(f"*{argument}*: {types} value" if types == "any" else f"*{argument}*: {types}"
                                     for argument, types in row["parameters"]).replace("any value value", "any value") + ".")
        lines[-2:] = [lines[-2] + lines[-1]]
    if row["aliases"]:
        lines += ["", "Also written " + ", ".join(f"`{alias}`" for alias in row["aliases"]) + "."]
    return "\n".join([*lines, "", "```wfl", program, "```", "", "```output", output, "```", "", ""])


def page(table, example_text):
    """The whole page. Raises Mistake when the tables do not fit each other."""
    functions, shown = rows(table), examples(example_text)
    for name in shown.keys() - {row["name"] for row in functions}:
        raise Mistake(f"builtin_examples.txt: there is no built-in function {name}")
    text = HEAD.format(count=len(functions))
    chapters = list(dict.fromkeys(row["chapter"] for row in functions))
    text += "| chapter | functions |\n| --- | --- |\n"
    for chapter in chapters:
        names = ", ".join(f"[{row['name']}](#{row['name']})" for row in functions if row["chapter"] == chapter)
        text += f"| {CHAPTERS[chapter][0]} | {names} |\n"
    for chapter in chapters:
        title, about = CHAPTERS[chapter]
        text += f"\n## {title}\n\n{about}\n\n"
        for row in functions:
            if row["chapter"] != chapter:
                continue
            if row["name"] not in shown:
                raise Mistake(f"builtin_examples.txt: the built-in function {row['name']} has no example")
            form, program, output = shown[row["name"]]
            if not uses(program, [row["name"], *row["aliases"]]):
                raise Mistake(f"builtin_examples.txt: the example of {row['name']} does not use it")
            text += entry(row, form, program, output)
    return text.rstrip("\n") + "\n"


def words_page(table):
    """The page of the words. Raises Mistake when a row is not understood."""
    taken, alone = [], []
    for number, line in enumerate(table.splitlines(), 1):
        if not line.startswith("WFL_KEYWORD"):
            continue
        match = WORD.match(line)
        if not match:
            raise Mistake(f"keywords.def:{number}: this row is not understood: {line}")
        word, structural, contextual, _ = match.groups()
        if " " in word:  # `divided by` is made of two others.
            continue
        may_be_a_name = structural == "false" and contextual == "true" and word not in NOT_READABLE
        (alone if may_be_a_name else taken).append(word)
    text = WORDS_HEAD

    def table_of(words):
        by_letter = {}
        for word in sorted(words):
            by_letter.setdefault(word[0], []).append(f"`{word}`")
        return "| | |\n| --- | --- |\n" + "".join(f"| {letter} | {' '.join(group)} |\n" for letter, group in by_letter.items())

    text += f"\n## Never a name\n\n{table_of(taken)}"
    text += ("\n## A name on its own\n\nThese may be a whole name, as in `store count as 5`, but not a part of a longer one.\n\n"
             f"{table_of(alone)}")
    return text + ("\nThe words `yes`, `no`, `true`, `false`, `nothing`, `missing` and `undefined` are values.\n\nThe words of keystores, such "
                   "as `key`, `value` and `keystore`, are not taken: they are words of a statement only where it needs them. `store` may also name a "
                   "keystore: `open keystore at \"a.kvb\" as store`.\n")


def main():
    try:
        words = words_page(KEYWORDS.read_text(encoding="utf-8"))
        text = page(TABLE.read_text(encoding="utf-8"), EXAMPLES.read_text(encoding="utf-8"))
    except Mistake as mistake:
        sys.exit(f"scripts/builtin_reference.py: {mistake}")
    if sys.argv[1:] == ["--check"]:
        for path, expected in ((PAGE, text), (WORDS_PAGE, words)):
            if not path.exists() or path.read_text(encoding="utf-8") != expected:
                sys.exit(f"docs/language/{path.name} is not what its table says. Run scripts/builtin_reference.py and commit the result.")
    elif not sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        WORDS_PAGE.write_text(words, encoding="utf-8")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
