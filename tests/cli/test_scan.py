"""scan and count: ranges, order, both formats, any bytes."""

import base64
import json
import re
import unittest

from support import USAGE, KvbTest

KEYS = ["a", "b", "ba", "bb", "c", "user:1", "user:10", "user:2", "z"]


def unescape(field):
    """The inverse of the text format's escapes, as its description says it."""
    letters = {b"\\": b"\\", b"t": b"\t", b"n": b"\n", b"r": b"\r"}

    def replace(match):
        code = match.group(1)
        return bytes([int(code[1:], 16)]) if code[:1] == b"x" else letters[code]

    return re.sub(rb"\\(x[0-9a-f]{2}|.)", replace, field)


class Ranges(KvbTest):
    def setUp(self):
        super().setUp()
        self.init(**{})
        for key in reversed(KEYS):
            self.ok("put", self.bucket, key, "v")

    def keys(self, *options):
        listed = self.ok("scan", self.bucket, "--keys", *options).decode().splitlines()
        from_json = [entry["key"] for entry in self.json_lines("scan", self.bucket, "--format", "json", *options)]
        self.assertEqual(listed, from_json)
        return listed

    def test_all_in_order(self):
        self.assertEqual(self.keys(), KEYS)
        self.assertEqual(self.keys("--reverse"), KEYS[::-1])

    def test_ranges(self):
        cases = [
            (["--prefix", "b"], ["b", "ba", "bb"]),
            (["--prefix", "user:1"], ["user:1", "user:10"]),
            (["--prefix", "x"], []),
            (["--prefix", ""], KEYS),
            (["--prefix="], KEYS),
            (["--from", "bb"], KEYS[3:]),
            (["--to", "ba"], KEYS[:3]),
            (["--from", "b", "--to", "c"], ["b", "ba", "bb", "c"]),
            (["--from", "c", "--to", "b"], []),
            (["--prefix", "b", "--from", "ba"], ["ba", "bb"]),
            (["--prefix", "b", "--to", "ba", "--reverse"], ["ba", "b"]),
            (["--limit", "2"], ["a", "b"]),
            (["--limit", "2", "--reverse"], ["z", "user:2"]),
            (["--limit", "0"], []),
            (["--limit", "99"], KEYS),
            (["--prefix", "62", "--hex"], ["b", "ba", "bb"]),
            (["--from", "75", "--to", "757365723a31", "--hex"], ["user:1"]),
        ]
        for options, expected in cases:
            self.assertEqual(self.keys(*options), expected, options)
            if "--limit" not in options and "--reverse" not in options:
                self.assertEqual(int(self.ok("count", self.bucket, *options)), len(expected), options)

    def test_a_prefix_is_literal(self):
        self.ok("put", self.bucket, "--raw", "@ann", "v")
        self.ok("put", self.bucket, "--raw", "-", "v")
        self.assertEqual(self.keys("--prefix", "@"), ["@ann"])
        self.assertEqual(self.keys("--prefix", "-"), ["-"])
        self.assertEqual(self.keys("--prefix=-"), ["-"])

    def test_wrong_options(self):
        for options in (["--limit", "-1"], ["--limit", "x"], ["--limit", ""], ["--limit", "1.5"], ["--limit", "99999999999999999999"],
                        ["--prefix", "zz", "--hex"], ["--prefix"], ["extra"]):
            self.fails(USAGE, "scan", self.bucket, *options)
        self.fails(USAGE, "count", self.bucket, "--reverse")

    def test_count_as_json(self):
        self.assertEqual(json.loads(self.ok("count", self.bucket, "--format", "json")), {"count": len(KEYS)})


class Formats(KvbTest):
    VALUES = {
        b"text": b"Hello, w\xc3\xb6rld",
        b"tab\there": b"line\nbreak\r\\backslash\\x41",
        b"\xff\x00": bytes(range(256)),
        b"escape": b"\x1b[31mred\x1b[0m \x7f \xc2\x9b31m",
        "bidi".encode(): "\u202eevil\u2066".encode(),
        b"empty": b"",
        b"half": b"ok\xe2\x82",
        "日本".encode(): "語 😀".encode(),
        b'"quotes"': b'{"not":"json kind"}',
    }

    def setUp(self):
        super().setUp()
        self.init()
        for key, value in self.VALUES.items():
            self.write_file("key", key)
            self.ok("put", self.bucket, "@key", "-", input=value)

    def test_text_can_be_read_back(self):
        out = self.ok("scan", self.bucket)
        lines = out.split(b"\n")
        self.assertEqual(lines.pop(), b"")
        self.assertEqual(len(lines), len(self.VALUES))
        read = {}
        for line in lines:
            key, value = line.split(b"\t")
            read[unescape(key)] = unescape(value)
        self.assertEqual(read, self.VALUES)
        self.assertIn("日本\t語 😀\n".encode(), out)
        self.assertNotRegex(out, rb"[\x00-\x08\x0b-\x1f\x7f]")
        self.assertNotIn("\u202e".encode(), out)
        self.assertNotIn(b"\xc2\x9b", out)
        out.decode("utf-8")

    def test_json_can_be_read_back(self):
        read = {}
        for entry in self.json_lines("scan", self.bucket, "--format", "json"):
            key = entry["key"].encode() if "key" in entry else base64.b64decode(entry["key_base64"])
            value = entry["value"].encode() if "value" in entry else base64.b64decode(entry["value_base64"])
            read[key] = value
            self.assertEqual(entry["kind"], "text" if "value" in entry else "bytes")
        self.assertEqual(read, self.VALUES)

    def test_json_values_are_json(self):
        self.ok("init", "j.kvb")
        self.ok("put", "j.kvb", "map", '{"a": [1,\n 2],\t"b": " x  y \\" "}', "--json")
        self.ok("put", "j.kvb", "number", "1.50", "--json")
        self.ok("put", "j.kvb", "text", '"five"', "--json")
        self.ok("put", "j.kvb", "ttl", "v", "--ttl", "1h")
        lines = self.ok("scan", "j.kvb", "--format", "json").decode().splitlines()
        self.assertEqual(lines[0], '{"key":"map","value":{"a":[1,2],"b":" x  y \\" "},"kind":"json"}')
        self.assertEqual(lines[1], '{"key":"number","value":1.50,"kind":"json"}')
        self.assertEqual(lines[2], '{"key":"text","value":"five","kind":"json"}')
        self.assertEqual(sorted(json.loads(lines[3])), ["expires_at", "key", "kind", "value"])
        self.assertEqual(self.ok("scan", "j.kvb", "--prefix", "number"), b"number\t1.50\n")

    def test_an_empty_bucket(self):
        self.ok("init", "e.kvb")
        self.assertEqual(self.ok("scan", "e.kvb"), b"")
        self.assertEqual(self.ok("scan", "e.kvb", "--format", "json"), b"")


if __name__ == "__main__":
    unittest.main()
