"""compact: what it gives back, what it says about it, and that --dry-run writes nothing."""

import json
import os
import pty
import re
import subprocess
import unittest

from support import ERROR, KVB, OK, USAGE, KvbTest

REPORT = ["path", "strategy", "file_bytes_before", "file_bytes_after", "allocated_bytes_before", "allocated_bytes_after",
          "segments_before", "segments_after", "segments_freed", "records_moved", "bytes_moved", "seconds"]
ESTIMATE = ["path", "strategy", "dry_run", "file_bytes", "allocated_bytes", "live_bytes", "index_bytes", "gain_bytes"]


class Compact(KvbTest):
    def fill(self):
        """A bucket that holds 3 small values, one of 20 MiB, and the remains of 4 MiB that were overwritten: not so much that it is
        given back without being asked."""
        self.init(a="1", b="2", c="3")
        self.ok("put", self.bucket, "keep", "@" + self.write_file("keep", os.urandom(20 << 20)))
        self.ok("put", self.bucket, "big", "@" + self.write_file("big", os.urandom(4 << 20)))
        self.ok("put", self.bucket, "big", "small now")

    def size(self):
        return os.path.getsize(self.path(self.bucket))

    def content(self):
        with open(self.path(self.bucket), "rb") as file:
            return file.read()

    def test_it_gives_space_back(self):
        for strategy, flags in [("auto", []), ("aggressive", ["--aggressive"]), ("full", ["--full"])]:
            with self.subTest(strategy):
                self.fill()
                entries = self.ok("scan", self.bucket)
                before = self.size()
                self.assertGreater(before, 24 << 20)
                report = json.loads(self.ok("compact", self.bucket, "--format", "json", *flags))
                self.assertEqual(sorted(report), sorted(REPORT))
                self.assertEqual((report["path"], report["strategy"], report["file_bytes_before"]), (self.bucket, strategy, before))
                self.assertEqual(report["file_bytes_after"], self.size())
                self.assertEqual(report["allocated_bytes_after"], os.stat(self.path(self.bucket)).st_blocks * 512)
                self.assertLess(report["allocated_bytes_after"], 21 << 20)
                self.assertGreaterEqual(report["segments_freed"], 1)
                stats = json.loads(self.ok("stats", self.bucket, "--format", "json"))
                self.assertEqual((report["segments_after"], report["file_bytes_after"]), (stats["segments"], stats["file_bytes"]))
                self.assertEqual(self.ok("scan", self.bucket), entries)
                self.ok("verify", self.bucket)
                os.remove(self.path(self.bucket))

    def test_text(self):
        self.fill()
        text = self.ok("compact", self.bucket, "--full").decode()
        self.assertRegex(text, r"\Ab\.kvb: compacted \(full\), \d+ records? moved in [\d.,]+ seconds?\.\n")
        for label in ["File length", "Space on disk"]:
            self.assertRegex(text, rf"(?m)^  {label} +[\d.]+ [KM]iB \([\d,]+\) +-> +[\d.]+ [KM]iB \([\d,]+\)$")
        self.assertRegex(text, r"(?m)^  Segments +\d+ +-> +\d+$")
        self.assertNotIn("\x1b", text)

    def test_nothing_to_do(self):
        self.init(a="1")
        self.ok("compact", self.bucket, "--full")
        before = self.size()
        report = json.loads(self.ok("compact", self.bucket, "--format", "json"))
        self.assertLessEqual(report["file_bytes_after"], before)
        self.assertEqual(self.ok("get", self.bucket, "a"), b"1")

    def test_dry_run_writes_nothing(self):
        self.fill()
        before = self.content()
        estimate = json.loads(self.ok("compact", self.bucket, "--dry-run", "--full", "--format", "json"))
        self.assertEqual(sorted(estimate), sorted(ESTIMATE))
        self.assertEqual((estimate["dry_run"], estimate["strategy"]), (True, "full"))
        text = self.ok("compact", self.bucket, "--dry-run").decode()
        self.assertRegex(text, r"\Ab\.kvb: compacting \(auto\) would give back at most [\d.]+ MiB \([\d,]+\)")
        self.assertEqual(self.content(), before, "--dry-run changed the file")
        report = json.loads(self.ok("compact", self.bucket, "--full", "--format", "json"))
        gained = report["allocated_bytes_before"] - report["allocated_bytes_after"]
        self.assertGreater(gained, 3 << 20)
        self.assertGreaterEqual(estimate["gain_bytes"], gained, "it said at most")
        self.assertLess(estimate["gain_bytes"] - gained, 1 << 20, (estimate, report))

    def test_progress_is_for_terminals_only(self):
        self.fill()
        main, side = pty.openpty()
        try:
            process = subprocess.Popen([KVB, "compact", self.bucket, "--full"], cwd=self.folder, stdout=subprocess.PIPE, stderr=side)
            os.close(side)
            shown = b""
            while True:
                try:
                    piece = os.read(main, 65536)
                except OSError:  # The other side is closed.
                    break
                if not piece:
                    break
                shown += piece
            out, _ = process.communicate(timeout=60)
        finally:
            os.close(main)
        self.assertEqual(process.returncode, OK)
        self.assertRegex(out.decode(), r"\Ab\.kvb: compacted")
        shown = shown.decode()
        self.assertRegex(shown, r"(?s)\ACompacting b\.kvb.*records? moved")
        self.assertNotIn("\n", shown)
        self.assertEqual(re.split("\r", shown)[-1].strip(), "", "the line is wiped at the end")
        self.assertNotIn("\x1b", shown)

    def test_wrong_uses(self):
        self.fails(ERROR, "compact", "missing.kvb", says="missing.kvb")
        self.fails(ERROR, "compact", "missing.kvb", "--dry-run", says="missing.kvb")
        self.assertFalse(os.path.exists(self.path("missing.kvb")))
        self.init(a="1")
        self.fails(USAGE, "compact", self.bucket, "--full", "--aggressive", says="--full|--aggressive")
        self.fails(USAGE, "compact", self.bucket, "--format", "table", says="text or json")
        self.fails(USAGE, "compact", self.bucket, "--lock-timeout", "soon")
        self.assertEqual(self.fails_json(ERROR, "compact", "missing.kvb", "--format", "json")["code"], "not_found")


if __name__ == "__main__":
    unittest.main()
