"""Files that are no buckets, rights that are missing, a bucket in use, a full disk: each its own clear error."""

import os
import subprocess
import sys
import time
import unittest

from support import ERROR, OK, USAGE, KvbTest, unprivileged

# Holds a bucket open for writing through the C API until its standard input ends.
HOLDER = """
import ctypes, os, sys
library = ctypes.CDLL(os.environ["KVB_LIBRARY"])
bucket = ctypes.c_void_p()
assert library.kvb_open(os.fsencode(sys.argv[1]), None, ctypes.byref(bucket), None) == 0
print("open", flush=True)
sys.stdin.read()
"""


class NoBuckets(KvbTest):
    def each_command(self, file):
        yield ["get", file, "k"]
        yield ["exists", file, "k"]
        yield ["scan", file]
        yield ["count", file]
        yield ["stats", file]
        yield ["verify", file]
        yield ["put", file, "k", "v"]
        yield ["put", file, "k", "v", "--create"]
        yield ["del", file, "k"]

    def test_some_other_file(self):
        for content in (b"just a text\n", b"x" * 300_000, b"KVBK" + bytes(100_000)):
            self.write_file("other", content)
            for command in self.each_command("other"):
                self.fails(ERROR, *command, says="other")
            with open(self.path("other"), "rb") as file:
                self.assertEqual(file.read(), content)
        self.write_file("text", b"just a text\n")
        self.assertEqual(self.fails_json(ERROR, "get", "text", "k", "--format", "json")["code"], "not_a_bucket")

    def test_a_folder(self):
        os.mkdir(self.path("folder"))
        for command in self.each_command("folder"):
            self.fails(ERROR, *command, says="folder")

    def test_a_device(self):
        self.fails(ERROR, "get", "/dev/null", "k")
        self.fails(ERROR, "put", "/dev/null", "k", "v")

    def test_missing_rights(self):
        self.init(a="1")
        os.chmod(self.folder, 0o755)
        os.chmod(self.path(self.bucket), 0o000)
        who = unprivileged()
        outcome = self.kvb("get", self.bucket, "a", **who)
        self.assertEqual(outcome.code, ERROR, outcome)
        self.assertEqual(self.fails_json(ERROR, "get", self.bucket, "a", "--format", "json", **who)["code"], "permission_denied")

    def test_reading_needs_no_right_to_write(self):
        self.init(a="1")
        os.chmod(self.folder, 0o555)
        os.chmod(self.path(self.bucket), 0o444)
        who = unprivileged()
        self.assertEqual(self.ok("get", self.bucket, "a", **who), b"1")
        self.assertEqual(self.ok("scan", self.bucket, **who), b"a\t1\n")
        self.assertEqual(self.ok("count", self.bucket, **who), b"1\n")
        self.ok("stats", self.bucket, **who)
        self.ok("verify", self.bucket, **who)
        self.fails(ERROR, "put", self.bucket, "a", "2", **who)
        os.chmod(self.folder, 0o755)


@unittest.skipIf(os.environ.get("KVB_SANITIZE"), "a sanitized library cannot be loaded into a plain Python")
class InUse(KvbTest):
    def setUp(self):
        super().setUp()
        self.init(a="1")
        self.assertTrue(os.environ.get("KVB_LIBRARY"), "set KVB_LIBRARY to libkvb.so")
        self.holder = subprocess.Popen([sys.executable, "-c", HOLDER, self.path(self.bucket)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.addCleanup(self.let_go)
        self.assertEqual(self.holder.stdout.readline(), b"open\n")

    def let_go(self):
        if not self.holder.stdin.closed:
            self.holder.stdin.close()
        self.holder.wait(timeout=60)
        self.holder.stdout.close()

    def test_busy_names_the_holder(self):
        for command in (["put", self.bucket, "a", "2"], ["del", self.bucket, "a"], ["compact", self.bucket]):
            message = self.fails(ERROR, *command, "--lock-timeout", "0")
            self.assertIn(str(self.holder.pid), message)
            self.assertIn("--lock-timeout", message)
            error = self.fails_json(ERROR, *command, "--lock-timeout", "0", "--format", "json")
            self.assertEqual((error["code"], error["holder_pid"]), ("busy", self.holder.pid))
            self.assertRegex(error["holder_since"], r"^20\d\d-")

    def test_what_compacting_would_gain_is_told_beside_a_writer(self):
        self.assertIn(b"Nothing was changed.", self.ok("compact", self.bucket, "--dry-run"))
        self.fails(USAGE, "compact", self.bucket, "--dry-run", "--lock-timeout", "1", says="--dry-run")

    def test_waiting(self):
        begun = time.monotonic()
        self.fails(ERROR, "put", self.bucket, "a", "2", "--lock-timeout", "700ms")
        self.assertGreater(time.monotonic() - begun, 0.65)
        writer = subprocess.Popen([os.environ["KVB"], "put", self.bucket, "a", "2", "--lock-timeout", "60"], cwd=self.folder)
        time.sleep(0.3)
        self.assertIsNone(writer.poll())
        self.let_go()
        self.assertEqual(writer.wait(timeout=60), OK)
        self.assertEqual(self.ok("get", self.bucket, "a"), b"2")

    def test_wrong_timeouts(self):
        for wrong in ("", "-1", "x", "5h", "1e3", "99999999999"):
            self.fails(2, "put", self.bucket, "a", "2", "--lock-timeout", wrong, says="--lock-timeout")

    def test_readers_are_not_stopped(self):
        self.assertEqual(self.ok("get", self.bucket, "a"), b"1")
        self.assertEqual(self.ok("scan", self.bucket), b"a\t1\n")
        self.ok("stats", self.bucket)
        self.ok("verify", self.bucket)


@unittest.skipUnless(os.geteuid() == 0, "only root can make a small file system")
class FullDisk(KvbTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("disk"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.path("disk")], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", self.path("disk")], check=False)

    def test_nothing_is_lost(self):
        bucket = "disk/b.kvb"
        self.ok("init", bucket)
        kept, full = {}, None
        for number in range(100):
            key, value = f"k{number:03}", os.urandom(60_000)
            outcome = self.kvb("put", bucket, key, "-", input=value)
            if outcome.code != OK:
                full = outcome
                break
            kept[key] = value
        self.assertIsNotNone(full, "the disk never became full")
        self.assertEqual((full.code, full.out), (ERROR, b""), full)
        self.assertRegex(full.err, r"\Akvb: [^\n]*space[^\n]*\n\Z")
        self.assertGreater(len(kept), 5)
        self.assertEqual(self.fails_json(ERROR, "put", bucket, "more", "-", "--format", "json", input=os.urandom(200_000))["code"], "full")
        for key, value in kept.items():
            self.assertEqual(self.ok("get", bucket, key), value)
        self.assertEqual(int(self.ok("count", bucket)), len(kept))
        self.ok("verify", bucket)
        self.ok("del", bucket, "k000")

    def test_no_room_for_a_new_bucket(self):
        with open(self.path("disk/filler"), "wb") as file:
            file.write(bytes((2 << 20) - 8192))
        self.fails(ERROR, "init", "disk/b.kvb")
        self.fails(ERROR, "put", "disk/c.kvb", "k", "v", "--create")
        os.remove(self.path("disk/filler"))
        self.ok("put", "disk/c.kvb", "k", "v", "--create")
        self.assertEqual(self.ok("get", "disk/c.kvb", "k"), b"v")


if __name__ == "__main__":
    unittest.main()
