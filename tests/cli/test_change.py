"""What changes keys in place: incr, expire, put --if-value, del --prefix; and get of several keys."""

import concurrent.futures
import json
import time
import unittest

from support import ERROR, NOT_FOUND, OK, USAGE, KvbTest


class Counters(KvbTest):
    def test_counting(self):
        self.init()
        self.assertEqual(self.ok("incr", self.bucket, "n"), b"1\n")
        self.assertEqual(self.ok("incr", self.bucket, "n", "41"), b"42\n")
        self.assertEqual(self.ok("incr", self.bucket, "n", "-50"), b"-8\n")
        self.assertEqual(self.ok("incr", self.bucket, "n", "+3"), b"-5\n")
        self.assertEqual(self.ok("incr", self.bucket, "n", "0", "--format", "json"), b'{"value":-5}\n')
        self.assertEqual(self.json_lines("get", self.bucket, "n", "--format", "json")[0]["kind"], "json")
        # It stays what it was: here a text that expires.
        self.ok("put", self.bucket, "t", "7", "--ttl", "1h")
        self.ok("incr", self.bucket, "t")
        value = self.json_lines("get", self.bucket, "t", "--format", "json")[0]
        self.assertEqual((value["value"], value["kind"]), ("8", "text"))
        self.assertIn("expires_at", value)
        self.ok("incr", self.bucket, "ff", "--hex")
        self.assertEqual(self.ok("get", self.bucket, "ff", "--hex"), b"1")
        self.assertEqual(self.ok("incr", self.bucket, "@x", "--raw"), b"1\n")

    def test_limits_and_mistakes(self):
        self.init(word="five", half="1.5", empty="")
        self.ok("put", self.bucket, "max", "9223372036854775807")
        for key in ["word", "half", "empty", "max"]:
            before = self.ok("get", self.bucket, key)
            self.fails(ERROR, "incr", self.bucket, key, says="left as it is|left as it was")
            self.assertEqual(self.ok("get", self.bucket, key), before)
        self.assertEqual(self.ok("incr", self.bucket, "max", "-9223372036854775808"), b"-1\n")
        for by in ["one", "1.5", "9223372036854775808", "", "+-1", "0x10", " 1"]:
            self.fails(USAGE, "incr", self.bucket, "n", by, says="BY takes a whole number")
        self.fails(ERROR, "incr", "missing.kvb", "n", says="kvb init")
        self.assertEqual(self.ok("incr", "made.kvb", "n", "--create"), b"1\n")
        self.assertEqual(self.fails_json(ERROR, "incr", self.bucket, "word", "--format", "json")["code"], "invalid_argument")

    def test_no_step_is_lost_among_processes(self):
        self.init()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sums = list(pool.map(lambda _: int(self.ok("incr", self.bucket, "n", "--lock-timeout", "60")), range(40)))
        self.assertEqual(sorted(sums), list(range(1, 41)))


class Expiry(KvbTest):
    def expires_in(self, key):
        value = self.json_lines("get", self.bucket, key, "--format", "json")[0]
        return value.get("ttl_seconds")

    def test_set_and_taken_away(self):
        self.init(a="1", b="2")
        self.assertEqual(self.ok("expire", self.bucket, "a", "15m"), b"")
        self.assertEqual(self.expires_in("a"), 900)
        self.assertEqual(self.ok("expire", self.bucket, "a", "2d", "--format", "json"), b'{"ttl_seconds":172800}\n')
        self.assertEqual(self.ok("expire", self.bucket, "a", "never", "--format", "json"), b'{"ttl_seconds":0}\n')
        self.assertIsNone(self.expires_in("a"))
        self.assertEqual(self.ok("get", self.bucket, "a"), b"1")
        self.ok("expire", self.bucket, "b", "1")
        time.sleep(1.1)
        self.fails(NOT_FOUND, "get", self.bucket, "b")
        self.fails(NOT_FOUND, "expire", self.bucket, "b", "1h", says="has no key 'b'")
        self.assertEqual(self.fails_json(NOT_FOUND, "expire", self.bucket, "c", "1h", "--format", "json")["code"], "key_not_found")

    def test_mistakes(self):
        self.init(a="1")
        for when in ["soon", "-1", "1.5h", "1y", "", "Never"]:
            self.fails(USAGE, "expire", self.bucket, "a", when, says="TIME takes")
        self.fails(USAGE, "expire", self.bucket, "a", says="TIME")
        self.assertIsNone(self.expires_in("a"))


class CompareAndSet(KvbTest):
    def test_if_value(self):
        self.init(a="old")
        self.ok("put", self.bucket, "a", "new", "--if-value", "old")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"new")
        self.fails(NOT_FOUND, "put", self.bucket, "a", "newer", "--if-value", "old", says="does not have this value")
        self.fails(NOT_FOUND, "put", self.bucket, "missing", "x", "--if-value", "", says="does not have this value")
        error = self.fails_json(NOT_FOUND, "put", self.bucket, "a", "x", "--if-value", "old", "--format", "json")
        self.assertEqual(error["code"], "condition_not_met")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"new")

    def test_it_is_read_as_the_value_is(self):
        self.init(a="old")
        self.ok("put", self.bucket, "61", "ff00", "--hex", "--if-value", "6f6c64")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"\xff\x00")
        self.ok("put", self.bucket, "a", "text", "--if-value", "@" + self.write_file("old", b"\xff\x00"))
        self.ok("put", self.bucket, "a", "more", "--if-value", "-", input=b"text")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"more")
        self.fails(USAGE, "put", self.bucket, "a", "-", "--if-value", "-", input=b"x", says="Only one of")
        for other in ["--if-missing", "--if-present"]:
            self.fails(USAGE, "put", self.bucket, "a", "b", "--if-value", "c", other, says="exclude each other")


class RemovingByPrefix(KvbTest):
    def test_it_says_how_many(self):
        self.init()
        lines = "".join(json.dumps({"key": f"{'ab'[i % 2]}:{i:05}", "value": i}) + "\n" for i in range(3000))
        self.ok("import", self.bucket, input=lines.encode())
        self.assertEqual(self.ok("del", self.bucket, "--prefix", "a:"), b"Removed 1,500 keys.\n")
        self.assertEqual(self.ok("del", self.bucket, "--prefix", "a:"), b"Removed 0 keys.\n")
        self.assertEqual(self.ok("del", self.bucket, "--prefix", "b:00001"), b"Removed 1 key.\n")
        self.assertEqual(self.ok("del", self.bucket, "--prefix=623a3030303033", "--hex", "--format", "json"), b'{"removed":1}\n')
        self.assertEqual(self.ok("count", self.bucket), b"1498\n")
        self.assertEqual(self.ok("del", self.bucket, "--prefix", "", "--format", "json"), b'{"removed":1498}\n')
        self.assertEqual(self.ok("count", self.bucket), b"0\n")

    def test_mistakes(self):
        self.init(a="1")
        self.fails(USAGE, "del", self.bucket, says="KEY is required.*--prefix")
        self.fails(USAGE, "del", self.bucket, "a", "--prefix", "a", says="either keys or --prefix")
        self.fails(USAGE, "del", self.bucket, "--prefix", "a", "--raw", says="--raw")
        self.fails(USAGE, "del", self.bucket, "--prefix", "xyz", "--hex", says="hexadecimal")
        self.fails(ERROR, "del", "missing.kvb", "--prefix", "a")
        self.assertEqual(self.ok("count", self.bucket), b"1\n")


class SeveralKeys(KvbTest):
    def test_in_their_order(self):
        self.init(a="one", b="two\tlines\n", c="3")
        self.assertEqual(self.ok("get", self.bucket, "c", "b", "c"), b"c\t3\nb\ttwo\\tlines\\n\nc\t3\n")
        found = self.json_lines("get", self.bucket, "b", "a", "--format", "json")
        self.assertEqual([(entry["key"], entry["value"]) for entry in found], [("b", "two\tlines\n"), ("a", "one")])
        self.assertIn("seqno", found[0])

    def test_missing_ones(self):
        self.init(a="1", b="2")
        outcome = self.kvb("get", self.bucket, "a", "x", "b", "y")
        self.assertEqual((outcome.code, outcome.out), (NOT_FOUND, b"a\t1\nb\t2\n"))
        self.assertEqual(outcome.err, "kvb: b.kvb has no key 'x' and 1 more of these.\n")
        self.fails(NOT_FOUND, "get", self.bucket, "x", says="has no key 'x'")

    def test_mistakes(self):
        self.init(a="1")
        for format in ["raw", "hex"]:
            self.fails(USAGE, "get", self.bucket, "a", "b", "--format", format, says="for one key")
        self.fails(USAGE, "get", self.bucket, says="KEY is required")
        self.fails(USAGE, "get", self.bucket, "-", "-", input=b"a", says="Only one KEY")
        self.fails(USAGE, "get", self.bucket, "a", "", says="empty")


if __name__ == "__main__":
    unittest.main()
