#!/usr/bin/env python3
"""Writes docs/PROOFS.md: each rule of the engine, and the tests that are named after it.

    scripts/rules.py            writes the page
    scripts/rules.py --check    says what differs from it, and what a rule that is built has no test for
"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PAGE = SOURCE / "docs" / "PROOFS.md"

# What each rule says, in short.
RULES = {
    1: "Each byte of a segment is written at most once in a life; headers never change",
    2: "A record's checksums bind it to its place and life",
    3: "The journal is one chain; a header counts only if it equals the link that led to it",
    4: "A page counts only with the right number, place, epoch, and its parent's checksum",
    5: "Identity is in the identity block and in each segment, so repair needs no superblock",
    6: "Seqnos rise by one; only a cut skips some",
    7: "Records, sync, `synced`, `published`, answer: in this order; space is durable before a record in it",
    8: "Readers see what is committed; conditions are judged on the newest",
    9: "A failed sync ends writing",
    10: "Checkpoint and compaction keep little unsynced data",
    11: "A full disk can be emptied from a reserve",
    12: "An image is the state at its cut, exactly",
    13: "No page of an image changes",
    14: "A crash in a checkpoint leaves the old image or the new one, whole",
    15: "What an image used is used again two epochs later, and not under a pin",
    16: "Replay reads the log only",
    17: "Replay ends before the first position that is not the next record, at a whole batch",
    18: "What was synced and cannot be read is damage, and named; the rest is a torn end",
    19: "An unclean end is cut off, and what lies behind the cut is dead",
    20: "Recovery syncs before it shows anything new",
    21: "Journal and delta are bounded; writers are slowed, never refused",
    22: "Readers pin an epoch with a lock",
    23: "A bucket does not survive fork()",
    24: "Readers stop at `published` beside a writer, and at the log's end without one",
    25: "Readers copy first, and judge the pin afterwards",
    26: "A reader that is too old is told so",
    27: "The file is not cut under a reader",
    28: "A snapshot is one seqno",
    29: "Outputs of compaction count from the flip that names them",
    30: "What compaction moves keeps seqno, timestamp and time to live",
    31: "A segment is retired only if nothing points into it",
    32: "A removal is dropped only if no segment can hold an older record of its key",
    33: "Compaction makes the file no longer",
    34: "Nothing is lost or given away twice between what is used, free and retired",
    35: "Each seal has a nonce of its own",
    36: "What is sealed is bound to its header and place",
    37: "Index and key table of an encrypted bucket are authenticated",
    38: "The key is checked before anything else is parsed",
}
# Not only tests that bear its name prove a rule.
ALSO = {
    1: "every test with a `LogChecker`, which looks at each write",
    6: "every test with a `LogChecker`",
    34: "`verify`, which all crash, model and compaction tests end with, finds places that are claimed twice",
}
TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")


def tests_by_rule():
    found = {}
    for path in sorted((SOURCE / "tests" / "kvb").rglob("*.cpp")):
        for suite, name in TEST.findall(path.read_text(encoding="utf-8")):
            for number in re.findall(r"(?:^|_)R(\d+)(?=_|$)", name):
                found.setdefault(int(number), []).append(f"{suite}.{name}")
    return found


def page():
    found = tests_by_rule()
    lines = [
        "# Rules and their tests",
        "",
        "The rules that make the engine right, by their numbers in the code, and the tests that are named after them. `scripts/rules.py` writes",
        "this page, and `make lint` fails if it is not what the tests say. A rule without a test is not built, or proved otherwise.",
        "",
        "| rule | says | tests |",
        "| --- | --- | --- |",
    ]
    for number, text in RULES.items():
        tests = [f"`{name}`" for name in sorted(set(found.get(number, [])))]
        if number in ALSO:
            tests.append(ALSO[number])
        lines.append(f"| R{number} | {text} | {', '.join(tests) or '–'} |")
    return "\n".join(lines) + "\n"


def main():
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/PROOFS.md: error: not what the tests say; scripts/rules.py writes it anew")
    return 1


if __name__ == "__main__":
    sys.exit(main())
