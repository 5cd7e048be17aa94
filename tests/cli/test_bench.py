"""kvb bench: it measures, says what, and leaves nothing behind."""

import json
import os
import unittest

from support import ERROR, USAGE, KvbTest


class Bench(KvbTest):
    QUICK = ("--seconds", "1", "--keys", "300")

    def test_json(self):
        report = json.loads(self.ok("bench", "x.kvb", *self.QUICK, "--value-bytes", "10", "--format", "json"))
        self.assertEqual((report["keys"], report["value_bytes"]), (300, 10))
        self.assertEqual(list(report["parts"]), ["disk", "put_sync", "put_relaxed", "get", "get_missing", "scan"])
        for name, part in report["parts"].items():
            self.assertGreater(part["per_second"], 0, name)
            self.assertGreater(part["operations"], 0, name)
            if name != "scan":
                self.assertTrue(part["p50_ns"] <= part["p99_ns"] <= part["max_ns"], name)
        self.assertEqual(report["parts"]["put_relaxed"]["operations"], 300)
        self.assertEqual(os.listdir(self.folder), [])

    def test_in_memory(self):
        before = set(os.listdir("/dev/shm"))
        text = self.ok("bench", "--memory", *self.QUICK).decode()
        self.assertRegex(text, r"(?m)^Put, on disk when it returns +[\d,]+ ")
        self.assertEqual({name for name in set(os.listdir("/dev/shm")) - before if name.startswith("kvb-bench")}, set())

    def test_nothing_of_anybodys_is_touched(self):
        self.init(a="1")
        self.fails(ERROR, "bench", self.bucket, *self.QUICK, says="is there already")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"1")

    def test_wrong_words(self):
        self.fails(USAGE, "bench", says="FILE.*--memory")
        self.fails(USAGE, "bench", "x.kvb", "--memory")
        self.fails(USAGE, "bench", "x.kvb", "--keys", "0")
        self.fails(USAGE, "bench", "x.kvb", "--seconds", "soon")
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
