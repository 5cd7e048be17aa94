"""`kvb watch`: what other programs commit, as it comes."""

import json
import os
import signal
import subprocess
import unittest

from support import ERROR, KVB, USAGE, KvbTest


class Watch(KvbTest):
    def setUp(self):
        super().setUp()
        self.ok("init", self.bucket)

    def start(self, *arguments):
        process = subprocess.Popen([KVB, "watch", self.bucket, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   # Who starts the tests in the background may have Ctrl-C ignored in all of them.
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

        def end():
            process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def test_changes_come_while_it_waits(self):
        self.ok("put", self.bucket, "before", "0")
        # Everything from the first write on, so that nothing depends on when it is ready.
        watch = self.start("--from", "0", "--prefix", "user:")
        self.ok("put", self.bucket, "user:1", "Ada\tL")
        self.ok("put", self.bucket, "other", "x")
        self.ok("del", self.bucket, "user:1")
        self.assertEqual(watch.stdout.readline(), b"put\tuser:1\tAda\\tL\n")
        self.assertEqual(watch.stdout.readline(), b"remove\tuser:1\n")
        self.ok("compact", self.bucket, "--full")
        self.ok("put", self.bucket, "user:2", "Grace")
        self.assertEqual(watch.stdout.readline(), b"put\tuser:2\tGrace\n")
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(timeout=30), -signal.SIGINT)

    def test_json(self):
        self.ok("put", self.bucket, "n", "1", "--json", "--ttl", "1h")
        self.ok("put", self.bucket, b"\xff", b"\xfe")
        self.ok("del", self.bucket, "n")
        lines = [json.loads(line) for line in
                 self.ok("watch", self.bucket, "--from", "0", "--limit", "3", "--format", "json").splitlines()]
        self.assertEqual([line["type"] for line in lines], ["put", "put", "remove"])
        self.assertEqual([line["seqno"] for line in lines], [1, 2, 3])
        self.assertEqual((lines[0]["key"], lines[0]["value"], lines[0]["kind"]), ("n", 1, "json"))
        self.assertIn("expires_at", lines[0])
        self.assertEqual((lines[1]["key_base64"], lines[1]["value_base64"]), ("/w==", "/g=="))
        self.assertEqual(sorted(lines[2]), ["key", "seqno", "type", "written_at"])
        again = self.ok("watch", self.bucket, "--from", str(lines[1]["seqno"]), "--timeout", "50ms")
        self.assertEqual(again, b"remove\tn\n")

    def test_keys_and_limit(self):
        for i in range(5):
            self.ok("put", self.bucket, f"k{i}", "value")
        self.assertEqual(self.ok("watch", self.bucket, "--from", "2", "--limit", "2", "--keys"), b"put\tk2\nput\tk3\n")
        self.assertEqual(self.ok("watch", self.bucket, "--from", "0", "--limit", "0"), b"")
        self.assertEqual(self.ok("watch", self.bucket, "--timeout", "0"), b"", "nothing from now on")

    def test_a_log_that_is_gone_is_an_error(self):
        for _ in range(6):
            self.ok("put", self.bucket, "k", "-", input=b"v" * 100_000)
        self.ok("compact", self.bucket, "--full")
        self.fails(ERROR, "watch", self.bucket, "--from", "1", "--timeout", "0", says="does not reach back to write 1 ")
        self.fails(ERROR, "watch", self.bucket, "--from", "9000", says="There is no write 9000 yet")
        self.fails(USAGE, "watch", self.bucket, "--from", "x")
        self.fails(ERROR, "watch", "missing.kvb", says="There is no file")

    def test_it_ends_when_nobody_reads(self):
        watch = self.start("--from", "0")
        self.ok("put", self.bucket, "k", "1")
        self.assertEqual(watch.stdout.readline(), b"put\tk\t1\n")
        watch.stdout.close()
        self.ok("put", self.bucket, "k", "2")
        self.assertEqual(watch.wait(timeout=30), 0)
        self.assertEqual(os.path.exists(self.path(self.bucket)), True)


if __name__ == "__main__":
    unittest.main()
