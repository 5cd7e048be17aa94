"""init --compression, train, and what stats says of compressed values."""

import json
import os
import unittest

from support import ERROR, USAGE, KvbTest


def record(number):
    return json.dumps({"id": number, "name": f"customer {number * 7919 % 10007}", "email": f"someone{number % 97}@example.com",
                       "country": "Austria", "active": number % 3 == 0})


class Compression(KvbTest):
    def fill(self, bucket, count=2000):
        lines = [json.dumps({"key": f"customer/{number}", "value": record(number)}) for number in range(count)]
        self.ok("import", bucket, self.write_file("entries", "\n".join(lines).encode()))

    def stats(self, bucket):
        return json.loads(self.ok("stats", bucket, "--format", "json"))

    def test_values_take_less_space_and_are_the_same(self):
        self.ok("init", "plain.kvb")
        self.ok("init", "small.kvb", "--compression", "zstd")
        for bucket in ("plain.kvb", "small.kvb"):
            self.fill(bucket)
        report = json.loads(self.ok("train", "small.kvb", "--format", "json"))
        self.assertTrue(report["adopted"], report)
        self.assertLess(report["bytes_after"] * 2, report["bytes_before"])
        for bucket in ("plain.kvb", "small.kvb"):
            self.ok("compact", bucket, "--full")
        self.assertLess(self.stats("small.kvb")["live_bytes"] * 10, self.stats("plain.kvb")["live_bytes"] * 6)
        self.assertEqual(self.ok("export", "small.kvb").count(b"\n"), self.ok("export", "plain.kvb").count(b"\n"))
        self.assertEqual(self.ok("scan", "small.kvb"), self.ok("scan", "plain.kvb"))
        self.assertEqual(self.ok("get", "small.kvb", "customer/7").strip(), record(7).encode())
        self.ok("verify", "small.kvb")
        stats = self.stats("small.kvb")
        self.assertEqual(stats["dictionaries"], 1)
        self.assertEqual(stats["dictionary_bytes"], report["dictionary_bytes"])
        self.assertGreater(stats["sampled_value_bytes"], 3 * stats["sampled_stored_bytes"])
        self.assertEqual(self.stats("plain.kvb")["sampled_value_bytes"], 0)

    def test_a_bucket_can_be_compressed_later(self):
        self.ok("init", self.bucket)
        self.fill(self.bucket)
        self.fails(USAGE, "train", self.bucket, says="--compression")
        text = self.ok("train", self.bucket, "--compression", "zstd:5").decode()
        self.assertIn("New values use it", text)
        self.assertIn("not compressed from now on", self.ok("train", self.bucket, "--compression", "none").decode())
        self.assertEqual(self.ok("get", self.bucket, "customer/7").strip(), record(7).encode())

    def test_what_cannot_be(self):
        for how in ("gzip", "zstd:", "zstd:0", "zstd:20", "zstd:3x", "3"):
            self.fails(USAGE, "init", "never.kvb", "--compression", how, says="--compression")
        self.assertFalse(os.path.exists(self.path("never.kvb")))
        self.fails(ERROR, "train", "missing.kvb", says="missing.kvb")
        self.ok("init", "empty.kvb", "--compression", "zstd")
        report = json.loads(self.ok("train", "empty.kvb", "--format", "json"))
        self.assertFalse(report["adopted"])
        self.assertIn("not enough", report["reason"])


if __name__ == "__main__":
    unittest.main()
