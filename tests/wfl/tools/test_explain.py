"""wfl explain: every code that the sources know is explained, every example gives its code, and every mended one is fine."""

import pathlib
import re
import unittest

from support import ToolTest

SOURCE = pathlib.Path(__file__).resolve().parents[3] / "src" / "wfl"


class Explain(ToolTest):
    def codes(self):
        lines = self.wfl("explain", code=0).out.splitlines()
        for line in lines:
            self.assertRegex(line, r"^[A-Z0-9-]+ +\S.*\.$")
        return [line.split()[0] for line in lines]

    def examples(self, code):
        """The two programs of a code's explanation."""
        out = self.wfl("explain", code, code=0).out
        self.assertTrue(out.startswith(code + ": "), out)
        programs, lines = [], out.splitlines()
        for head in ("This gives it:", "This works:"):
            if head not in lines:
                continue
            at = lines.index(head) + 2
            program = []
            while at < len(lines) and lines[at].startswith("    "):
                program.append(lines[at][4:] + "\n")
                at += 1
            programs.append("".join(program))
        return programs

    def said(self, code, program):
        """What running, or linting, a program says."""
        for leftover in self.folder.iterdir():
            if leftover.is_file():
                leftover.unlink()
        settings = re.match(r"// \.wflcfg: (.*)\n", program)
        lines = ["debug_report_enabled = false"] + (settings.group(1).split("; ") if settings else [])
        self.write(".wflcfg", "".join(line + "\n" for line in lines))
        self.write("example.wfl", program)
        return self.wfl(*(["--lint"] if code.startswith("LINT-") else []), "example.wfl")

    def test_every_code_of_the_sources_is_explained(self):
        used = set()
        for path in [*SOURCE.rglob("*.cpp"), *SOURCE.rglob("*.h")]:
            used |= set(re.findall(r'"(WFL-[PSTR]\d{3}|LINT-[A-Z]+)"', path.read_text(encoding="utf-8")))
        self.assertGreater(len(used), 25)
        kinds = (SOURCE / "language" / "error_kinds.h").read_text(encoding="utf-8")
        count = len(re.findall(r"^  X\(k", kinds, re.MULTILINE))
        # The last one, exit program, is never shown, and whoever pressed Ctrl-C needs no message.
        used |= {f"WFL-R{number:03}" for number in range(1, count)} - {"WFL-R004"}
        self.assertEqual(used - set(self.codes()), set())
        self.assertEqual(set(self.codes()) - used, set())

    def test_every_example_gives_its_code_and_no_other_and_every_mended_one_is_fine(self):
        without_examples = []
        for code in self.codes():
            programs = self.examples(code)
            if not programs:
                without_examples.append(code)
                continue
            with self.subTest(code):
                wrong, right = programs
                # A few programs write another one that gives the code, and show what it said.
                bad = self.said(code, wrong)
                self.assertEqual(set(re.findall(r"(?:error|warning)\[([A-Z0-9-]+)\]", bad.out + bad.err)), {code})
                good = self.said(code, right)
                self.assertEqual((good.code, good.err), (0, ""), good.out)
        # A process that can't be ended, a disk that is full.
        self.assertEqual(without_examples, ["WFL-R009", "WFL-R016"])

    def test_a_code_may_be_written_small_and_a_wrong_one_is_told(self):
        self.assertTrue(self.wfl("explain", "wfl-s001", code=0).out.startswith("WFL-S001: "))
        self.assertIn("wfl explain lists all codes", self.wfl("explain", "XXXXXXXXXXXX", code=1).err)
        self.assertIn("did you mean WFL-S00", self.wfl("explain", "WFL-SO01", code=1).err)
        self.wfl("explain", "WFL-S001", "WFL-S002", code=2)

    def test_a_program_called_explain_can_be_run(self):
        self.write("explain", 'display "I am a program"\n')
        self.assertEqual(self.wfl("explain", code=0).out, "I am a program\n")


if __name__ == "__main__":
    unittest.main()
