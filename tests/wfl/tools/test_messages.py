"""The whole text of the messages people see, for more than a hundred different mistakes.

tests/wfl/messages/*.txt hold the mistakes: a title behind `###`, the program, and behind `---` everything that wfl writes to standard
error. After a change of words, `WFL=… python3 tests/wfl/tools/test_messages.py --update` writes what is said now; read the difference.
"""

import pathlib
import re
import sys
import unittest

from support import ToolTest

MESSAGES = pathlib.Path(__file__).resolve().parents[1] / "messages"
ENOUGH = 100


def read(path):
    """The mistakes of a file: [title, program, what is said]."""
    parts = re.split(r"^### (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    mistakes = []
    for title, text in zip(parts[1::2], parts[2::2]):
        program, _, said = text.partition("---\n")
        mistakes.append([title, program, said])
    return mistakes


class Messages(ToolTest):
    maxDiff = None

    def said(self, program):
        for leftover in self.folder.iterdir():
            if leftover.is_file():
                leftover.unlink()
        self.write(".wflcfg", "debug_report_enabled = false\n")
        self.write("program.wfl", program)
        return self.wfl("program.wfl").err.replace(str(self.folder), "…")

    def test_every_mistake_is_told_in_these_words(self):
        heads, titles = set(), []
        for path in sorted(MESSAGES.glob("*.txt")):
            for title, program, expected in read(path):
                with self.subTest(f"{path.name}: {title}"):
                    said = self.said(program)
                    self.assertEqual(said, expected)
                    first = re.search(r"^(error|warning)\[[A-Z0-9-]+\]: .*", said, re.MULTILINE)
                    self.assertIsNotNone(first, "nothing was said")
                    heads.add(first.group(0))
                    titles.append((path.name, title))
        self.assertEqual(len(set(titles)), len(titles), "two mistakes have one title")
        self.assertGreaterEqual(len(heads), ENOUGH)

    def test_every_message_has_a_place_and_no_word_of_the_machinery(self):
        for path in sorted(MESSAGES.glob("*.txt")):
            for title, _, said in read(path):
                with self.subTest(f"{path.name}: {title}"):
                    self.assertIn("┌─ ", said)
                    self.assertNotRegex(said, r"\b(Keyword[A-Z]|AST|std::|nullptr|EOL|token)\b")


def update():
    case = Messages()
    case.setUp()
    for path in sorted(MESSAGES.glob("*.txt")):
        path.write_text("".join(f"### {title}\n{program}---\n{case.said(program)}" for title, program, _ in read(path)), encoding="utf-8")
    case.doCleanups()


if __name__ == "__main__":
    update() if sys.argv[1:] == ["--update"] else unittest.main()
