"""stats and verify, and what they say about damage."""

import json
import os
import pty
import subprocess
import unittest

from support import ERROR, KVB, USAGE, KvbTest

NUMBERS = ["keys", "live_bytes", "file_bytes", "allocated_bytes", "segments", "journal_bytes", "replayed_records", "memory_bytes",
           "index_bytes", "epoch", "committed_seqno", "synced_seqno", "recovery_cuts", "lost_records",
           "pinned_epochs", "oldest_pin_lag", "retired_bytes", "dead_bytes",
           "dictionary_bytes", "dictionaries", "sampled_value_bytes", "sampled_stored_bytes"]


class Damageable(KvbTest):
    def damage(self, needle):
        with open(self.path(self.bucket), "r+b") as file:
            content = file.read()
            place = content.find(needle)
            self.assertGreater(place, 0)
            file.seek(place)
            file.write(bytes([content[place] ^ 0x20]))
        return place


class Stats(KvbTest):
    def test_json(self):
        self.init(a="1", b="2")
        self.ok("del", self.bucket, "a")
        stats = json.loads(self.ok("stats", self.bucket, "--format", "json"))
        self.assertEqual(sorted(stats), sorted([*NUMBERS, "path", "uuid", "created_at", "writer"]))
        self.assertEqual((stats["path"], stats["keys"], stats["committed_seqno"]), (self.bucket, 1, 3))
        self.assertEqual(stats["file_bytes"], os.path.getsize(self.path(self.bucket)))
        self.assertEqual(stats["allocated_bytes"], os.stat(self.path(self.bucket)).st_blocks * 512)
        self.assertRegex(stats["uuid"], r"^[0-9a-f]{32}$")
        self.assertRegex(stats["created_at"], r"^20\d\d-\d\d-\d\dT[0-9:.]+Z$")

    def test_table(self):
        self.init(a="1")
        table = self.ok("stats", self.bucket).decode()
        self.assertRegex(table, r"(?m)^b.kvb$")
        self.assertRegex(table, r"(?m)^  Created +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$")
        self.assertRegex(table, r"(?m)^  Keys +1$")
        self.assertRegex(table, r"(?m)^  Index in the file +0 bytes$")
        self.assertRegex(table, r"(?m)^  File length +[\d.]+ [KM]iB \([\d,]+\)$")
        self.assertEqual(self.ok("stats", self.bucket, "--format", "table").decode().splitlines()[0], "b.kvb")

    def test_wrong(self):
        self.fails(USAGE, "stats")
        self.fails(USAGE, "stats", "a.kvb", "b.kvb")


class Verify(Damageable):
    def test_sound(self):
        self.init(a="1", b="2")
        before = open(self.path(self.bucket), "rb").read()
        self.assertRegex(self.ok("verify", self.bucket).decode(), r"\Ab.kvb: ok. Checked 2 keys, 2 records and [^\n]* in 1 segment.\n\Z")
        report = json.loads(self.ok("verify", self.bucket, "--format", "json"))
        self.assertEqual((report["ok"], report["problems"], report["keys"], report["records"]), (True, [], 2, 2))
        self.assertGreater(report["bytes"], 2 * 44)
        self.assertEqual(open(self.path(self.bucket), "rb").read(), before, "verify changed the file")

    def test_a_damaged_value(self):
        self.init(first="aaaaaaaaaaaaaaaaaaaa", second="NEEDLE-IN-THE-VALUE", third="cccccccccc")
        place = self.damage(b"NEEDLE-IN-THE-VALUE")
        outcome = self.kvb("verify", self.bucket)
        self.assertEqual((outcome.code, outcome.err), (ERROR, ""), outcome)
        self.assertRegex(outcome.text, r"(?m)^b.kvb: at byte \d+")
        self.assertRegex(outcome.text, r"(?m)^b.kvb: 1 problem. Checked ")
        outcome = self.kvb("verify", self.bucket, "--format", "json")
        self.assertEqual(outcome.code, ERROR)
        report = json.loads(outcome.out)
        self.assertFalse(report["ok"])
        self.assertEqual(len(report["problems"]), 1, report)
        problem = report["problems"][0]
        self.assertLess(abs(problem["offset_bytes"] - place), 4096, problem)
        # Reading it is an error with its place, never a wrong answer; the other keys answer.
        self.fails(ERROR, "get", self.bucket, "second")
        error = self.fails_json(ERROR, "get", self.bucket, "second", "--format", "json")
        self.assertEqual(error["code"], "damaged")
        self.assertIn("offset_bytes", error)
        self.assertEqual(self.ok("get", self.bucket, "first"), b"aaaaaaaaaaaaaaaaaaaa")
        self.assertEqual(self.ok("get", self.bucket, "third"), b"cccccccccc")


class Repair(Damageable):
    def test_a_sound_bucket_is_copied(self):
        self.init(a="1", b="2")
        self.ok("del", self.bucket, "a")
        out = self.ok("repair", self.bucket, "new.kvb").decode()
        self.assertRegex(out, r"\Ab.kvb: nothing is lost. Saved 1 key \(1 byte of values\) in new.kvb.\n\Z")
        self.assertEqual(self.ok("scan", "new.kvb"), b"b\t2\n")
        self.ok("verify", "new.kvb")

    def test_losses_are_named(self):
        self.init(first="aaaaaaaaaa", second="NEEDLE-IN-THE-VALUE", third="cccccccccc")
        self.damage(b"NEEDLE-IN-THE-VALUE")
        with open(self.path(self.bucket), "rb") as file:
            before = file.read()
        dry = self.kvb("repair", self.bucket, "--dry-run")
        self.assertEqual((dry.code, dry.err), (ERROR, ""), dry)
        self.assertRegex(dry.text, r"(?m)^b.kvb: at byte \d+, ")
        self.assertRegex(dry.text, r"(?m)^b.kvb: 1 loss. Would save 2 keys ")
        done = self.kvb("repair", self.bucket, "new.kvb", "--format", "json")
        self.assertEqual((done.code, done.err), (ERROR, ""), done)
        report = json.loads(done.out)
        self.assertEqual((report["lossless"], report["keys"], report["target"], len(report["losses"])), (False, 2, "new.kvb", 1))
        self.assertGreater(report["losses"][0]["offset_bytes"], 65536)
        self.assertEqual(self.ok("scan", "new.kvb"), b"first\taaaaaaaaaa\nthird\tcccccccccc\n")
        with open(self.path(self.bucket), "rb") as file:
            self.assertEqual(file.read(), before, "repair changed the damaged file")

    def test_wrong_uses(self):
        self.init(a="1")
        self.fails(USAGE, "repair", self.bucket, says="NEW")
        self.fails(USAGE, "repair", self.bucket, "new.kvb", "--dry-run", says="--dry-run")
        self.fails(ERROR, "repair", self.bucket, self.bucket)
        self.write_file("there", b"precious")
        self.fails(ERROR, "repair", self.bucket, "there", says="there")
        self.fails(ERROR, "repair", "there", "new.kvb", says="there")
        self.fails(ERROR, "repair", "missing.kvb", "new.kvb", says="missing.kvb")
        self.assertFalse(os.path.exists(self.path("new.kvb")))
        self.assertEqual(open(self.path("there"), "rb").read(), b"precious")


class OnATerminal(KvbTest):
    def shown(self, *arguments):
        """What a person sees on standard error."""
        main, side = pty.openpty()
        try:
            process = subprocess.Popen([KVB, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=side)
            os.close(side)
            shown = b""
            while True:
                try:
                    piece = os.read(main, 65536)
                except OSError:  # The other side is closed.
                    break
                shown += piece
            process.communicate(timeout=60)
        finally:
            os.close(main)
        return shown.decode()

    def test_work_that_may_take_long_says_what_it_does(self):
        self.init(a="1")
        for arguments, title in ((["verify", self.bucket], "Verifying b.kvb …"), (["repair", self.bucket, "--dry-run"], "Reading b.kvb …")):
            shown = self.shown(*arguments)
            self.assertTrue(shown.startswith(title), shown)
            self.assertEqual(shown.split("\r")[-1].strip(), "", "the line is wiped at the end")


if __name__ == "__main__":
    unittest.main()
