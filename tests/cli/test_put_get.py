"""init, put, get, exists, del: every option, every exit code, any bytes."""

import json
import os
import time
import unittest

from support import ERROR, NOT_FOUND, OK, USAGE, KvbTest

# Words that a command line parser is tempted to understand.
AWKWARD = ["[a,b]", "[]", "{}", "{a}", "++", "", "put", "get", "help", "--help", "--", "-", "-x", "a=b", "%s", "'", '"', "\\n",
           "@file", "a b", "\x01", "\x010\x02", "ä", "日本", "*", "~", "$HOME", "-1", "-0.5", "--ttl", "--ttl=5", "!", "/x"]


class Init(KvbTest):
    def test_makes_an_empty_bucket(self):
        self.ok("init", self.bucket)
        self.assertTrue(os.path.exists(self.path(self.bucket)))
        self.assertEqual(self.ok("count", self.bucket), b"0\n")

    def test_leaves_what_is_there_alone(self):
        self.write_file("precious.txt", b"precious")
        self.fails(ERROR, "init", "precious.txt", says="precious.txt")
        with open(self.path("precious.txt"), "rb") as file:
            self.assertEqual(file.read(), b"precious")
        self.init(a="1")
        self.assertEqual(self.fails_json(ERROR, "init", self.bucket, "--format", "json")["code"], "already_exists")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"1")

    def test_json(self):
        answer = json.loads(self.ok("init", self.bucket, "--format", "json"))
        self.assertEqual((answer["created"], answer["path"], len(answer["uuid"])), (True, self.bucket, 32))

    def test_where_there_is_no_folder(self):
        self.fails(ERROR, "init", "no/such/folder.kvb", says=r"no/such' does not exist. Make it first\.$")
        self.fails(ERROR, "put", "no/such/folder.kvb", "k", "v", "--create", says=r"no/such' does not exist. Make it first\.$")

    def test_durability(self):
        self.ok("init", self.bucket, "--durability", "relaxed")
        self.fails(USAGE, "init", "other.kvb", "--durability", "sometimes", says="sync or relaxed")
        self.assertFalse(os.path.exists(self.path("other.kvb")))


class PutAndGet(KvbTest):
    def test_the_bytes_alone(self):
        self.init()
        self.assertEqual(self.ok("put", self.bucket, "greeting", "Hello, world"), b"")
        self.assertEqual(self.ok("get", self.bucket, "greeting"), b"Hello, world")

    def test_replaces(self):
        self.init(a="1")
        self.ok("put", self.bucket, "a", "2")
        self.assertEqual(self.ok("get", self.bucket, "a"), b"2")
        self.assertEqual(self.ok("count", self.bucket), b"1\n")

    def test_a_missing_key(self):
        self.init()
        self.fails(NOT_FOUND, "get", self.bucket, "nothing", says="nothing")
        self.assertEqual(self.fails_json(NOT_FOUND, "get", self.bucket, "x", "--format", "json")["code"], "key_not_found")

    def test_a_missing_bucket_is_an_error_and_is_not_made(self):
        for command in (["get", "no.kvb", "k"], ["put", "no.kvb", "k", "v"], ["del", "no.kvb", "k"], ["exists", "no.kvb", "k"],
                        ["scan", "no.kvb"], ["count", "no.kvb"], ["stats", "no.kvb"], ["verify", "no.kvb"]):
            self.fails(ERROR, *command, says="no.kvb.*kvb init")
            self.assertFalse(os.path.exists(self.path("no.kvb")), command)

    def test_create(self):
        self.ok("put", "new.kvb", "k", "v", "--create")
        self.ok("put", "new.kvb", "k", "w", "--create")
        self.assertEqual(self.ok("get", "new.kvb", "k"), b"w")

    def test_awkward_values(self):
        self.init()
        for value in AWKWARD:
            self.ok("put", "--raw", self.bucket, "--", "k", value)
            self.assertEqual(self.ok("get", self.bucket, "k"), value.encode(), value)

    def test_awkward_keys(self):
        self.init()
        for key in AWKWARD:
            if not key:
                continue
            self.ok("put", self.bucket, "--raw", "--", key, "value of " + key)
            self.assertEqual(self.ok("get", self.bucket, "--raw", "--", key).decode(), "value of " + key)
            self.ok("exists", "--raw", self.bucket, "--", key)
        self.assertEqual(int(self.ok("count", self.bucket)), len(AWKWARD) - 1)
        listed = {entry["key"] for entry in self.json_lines("scan", self.bucket, "--format", "json")}
        self.assertEqual(listed, set(AWKWARD) - {""})
        self.ok("del", "--raw", self.bucket, "--", *[key for key in AWKWARD if key])
        self.assertEqual(self.ok("count", self.bucket), b"0\n")

    def test_awkward_words_that_need_no_double_dash(self):
        self.init()
        for word in ["[a,b]", "{}", "++", "put", "help", "a=b", "-1", "-0.5", "\x010\x02"]:
            self.ok("put", self.bucket, word, word)
            self.assertEqual(self.ok("get", self.bucket, word), word.encode())
        self.ok("put", self.bucket, "empty", "")
        self.assertEqual(self.ok("get", self.bucket, "empty"), b"")

    def test_a_dash_and_a_letter_is_explained(self):
        self.init()
        self.fails(USAGE, "put", self.bucket, "-key", "v", says="put -- before it")
        self.fails(USAGE, "get", self.bucket, "-hello", says="put -- before it")

    def test_keys_that_are_not_utf8(self):
        self.init()
        self.ok("put", self.bucket, b"\xff\xfe", b"\x80")
        self.assertEqual(self.ok("get", self.bucket, b"\xff\xfe"), b"\x80")

    def test_standard_input(self):
        self.init()
        value = bytes(range(256)) * 100 + b"\n"
        self.ok("put", self.bucket, "k", "-", input=value)
        self.assertEqual(self.ok("get", self.bucket, "k"), value)
        self.ok("put", self.bucket, "-", "v", input=b"zero\0key")
        self.assertEqual(self.ok("get", self.bucket, "-", input=b"zero\0key"), b"v")
        self.ok("exists", self.bucket, "-", input=b"zero\0key")
        self.ok("del", self.bucket, "-", input=b"zero\0key")
        self.fails(NOT_FOUND, "get", self.bucket, "-", input=b"zero\0key", says=r"zero\\x00key")
        self.fails(USAGE, "put", self.bucket, "-", "-", input=b"x")
        self.ok("put", self.bucket, "empty", "-", input=b"")
        self.assertEqual(self.ok("get", self.bucket, "empty"), b"")
        self.fails(USAGE, "put", self.bucket, "-", "v", input=b"")

    def test_files(self):
        self.init()
        value = os.urandom(3_000_000)
        self.write_file("value.bin", value)
        self.write_file("key.bin", b"\0\n\xff")
        self.ok("put", self.bucket, "@key.bin", "@value.bin")
        self.assertEqual(self.ok("get", self.bucket, "@key.bin"), value)
        self.fails(ERROR, "put", self.bucket, "k", "@missing.bin", says="missing.bin.*--raw")
        os.mkdir(self.path("folder"))
        self.fails(ERROR, "put", self.bucket, "k", "@folder", says="folder")
        self.assertEqual(self.fails_json(ERROR, "put", self.bucket, "k", "@no", "--format", "json")["code"], "input")
        self.write_file("empty", b"")
        self.ok("put", self.bucket, "e", "@empty")
        self.assertEqual(self.ok("get", self.bucket, "e"), b"")

    def test_raw(self):
        self.init()
        self.ok("put", self.bucket, "--raw", "@ann", "-")
        self.assertEqual(self.ok("get", self.bucket, "@ann", "--raw"), b"-")
        self.ok("exists", self.bucket, "@ann", "--raw")
        self.ok("del", self.bucket, "@ann", "--raw")

    def test_hex(self):
        self.init()
        self.ok("put", self.bucket, "00FF0a", "48656c6c6f", "--hex")
        self.assertEqual(self.ok("get", self.bucket, "00ff0A", "--hex"), b"Hello")
        self.assertEqual(self.ok("get", self.bucket, "00ff0a", "--hex", "--format", "hex"), b"48656c6c6f\n")
        self.ok("put", self.bucket, "text", "80", "--hex-value")
        self.assertEqual(self.ok("get", self.bucket, "text"), b"\x80")
        self.ok("put", self.bucket, "74657874", "plain", "--hex-key")
        self.assertEqual(self.ok("get", self.bucket, "text"), b"plain")
        self.ok("put", self.bucket, "6b", "-", "--hex", input=b"00 01\n02\n")
        self.assertEqual(self.ok("get", self.bucket, "k"), b"\0\1\2")
        self.ok("exists", self.bucket, "6b", "--hex")
        self.ok("del", self.bucket, "6b", "74657874", "--hex")
        for wrong in ("k", "0", "0g", "0x00"):
            self.fails(USAGE, "put", self.bucket, wrong, "00", "--hex", says="hexadecimal")
        self.fails(USAGE, "put", self.bucket, "", "00", "--hex")

    def test_ttl(self):
        self.init()
        self.ok("put", self.bucket, "soon", "v", "--ttl", "1")
        self.ok("put", self.bucket, "later", "v", "--ttl", "2h")
        self.ok("put", self.bucket, "never", "v", "--ttl", "0")
        later = json.loads(self.ok("get", self.bucket, "later", "--format", "json"))
        self.assertEqual(later["ttl_seconds"], 7200)
        self.assertIn("expires_at", later)
        self.assertNotIn("expires_at", json.loads(self.ok("get", self.bucket, "never", "--format", "json")))
        for text, seconds in (("90s", 90), ("3m", 180), ("1d", 86400), ("2w", 1209600), ("010", 10), ("4294967295", 4294967295)):
            self.ok("put", self.bucket, "k", "v", "--ttl", text)
            self.assertEqual(json.loads(self.ok("get", self.bucket, "k", "--format", "json"))["ttl_seconds"], seconds)
        time.sleep(1.5)
        self.fails(NOT_FOUND, "get", self.bucket, "soon")
        self.ok("get", self.bucket, "later")
        for wrong in ("-1", "1.5", "", "x", "5x", "4294967296", "7102w", "1e3", " 1", "s"):
            self.fails(USAGE, "put", self.bucket, "k", "v", "--ttl", wrong, says="--ttl")

    def test_conditions(self):
        self.init()
        self.fails(NOT_FOUND, "put", self.bucket, "k", "1", "--if-present", says="nothing was changed")
        self.fails(NOT_FOUND, "get", self.bucket, "k")
        self.ok("put", self.bucket, "k", "1", "--if-missing")
        error = self.fails_json(NOT_FOUND, "put", self.bucket, "k", "2", "--if-missing", "--format", "json")
        self.assertEqual(error["code"], "condition_not_met")
        self.assertEqual(self.ok("get", self.bucket, "k"), b"1")
        self.ok("put", self.bucket, "k", "3", "--if-present")
        self.assertEqual(self.ok("get", self.bucket, "k"), b"3")
        self.fails(USAGE, "put", self.bucket, "k", "4", "--if-missing", "--if-present")

    def kind_of(self, key):
        return json.loads(self.ok("get", self.bucket, key, "--format", "json"))["kind"]

    def test_kinds(self):
        self.init()
        for arguments, kind in (
            (["plain"], "text"),
            ([b"\xff"], "bytes"),
            (["plain", "--bytes"], "bytes"),
            (["plain", "--text"], "text"),
            (["[1, 2]", "--json"], "json"),
            (["[1, 2]"], "text"),
            (["5", "--json"], "json"),
            (["ä", "--text"], "text"),
            (["", "--text"], "text"),
        ):
            self.ok("put", self.bucket, "k", *arguments)
            self.assertEqual(self.kind_of("k"), kind, arguments)
        self.fails(USAGE, "put", self.bucket, "k", b"\xff", "--text", says="UTF-8")
        for wrong in ("{", "{a:1}", "", "1 2", "'x'", "NaN", "\ufeff1"):
            self.fails(USAGE, "put", self.bucket, "k", wrong, "--json", says="JSON")
        self.fails(USAGE, "put", self.bucket, "k", "1", "--json", "--text")

    def test_not_quite_utf8_is_bytes(self):
        self.init()
        for value in (b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xc3", b"a\x80"):
            self.ok("put", self.bucket, "k", value)
            self.assertEqual(self.kind_of("k"), "bytes", value)
            self.assertEqual(self.ok("get", self.bucket, "k"), value)

    def test_get_as_json(self):
        self.init()
        self.ok("put", self.bucket, "k", '{ "a": [1, 2.50, "x  y"],\n "b": 12345678901234567890123 }', "--json")
        line = self.ok("get", self.bucket, "k", "--format", "json")
        self.assertIn(b'"value":{"a":[1,2.50,"x  y"],"b":12345678901234567890123},', line)
        answer = json.loads(line)
        self.assertEqual(answer["kind"], "json")
        self.assertGreater(answer["seqno"], 0)
        self.assertRegex(answer["written_at"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    def test_put_as_json(self):
        self.init()
        self.assertEqual(json.loads(self.ok("put", self.bucket, "k", "v", "--format", "json")), {"written": True})

    def test_unknown_formats(self):
        self.init(k="v")
        for command in (["get", self.bucket, "k"], ["scan", self.bucket], ["stats", self.bucket], ["verify", self.bucket],
                        ["put", self.bucket, "k", "v"], ["count", self.bucket], ["exists", self.bucket, "k"]):
            self.fails(USAGE, *command, "--format", "xml", says="--format takes .*json")

    def test_limits(self):
        self.init()
        key = b"k" * 65535
        self.ok("put", self.bucket, "-", "v", input=key)
        self.assertEqual(self.ok("get", self.bucket, "-", input=key), b"v")
        self.fails(USAGE, "put", self.bucket, "-", "v", input=key + b"k", says="65,535")
        self.fails(USAGE, "put", self.bucket, "", "v", says="empty")
        self.fails(USAGE, "get", self.bucket, "")

    def test_a_large_value(self):
        self.init()
        value = os.urandom(1 << 20) * 40
        self.ok("put", self.bucket, "big", "-", input=value)
        self.assertEqual(self.ok("get", self.bucket, "big"), value)
        self.assertEqual(self.ok("exists", self.bucket, "big"), b"")

    def test_durability(self):
        self.init()
        self.ok("put", self.bucket, "k", "v", "--durability", "relaxed")
        self.assertEqual(self.ok("get", self.bucket, "k"), b"v")
        self.ok("put", self.bucket, "k", "v", "--durability=sync")
        self.fails(USAGE, "put", self.bucket, "k", "v", "--durability", "never")
        self.fails(USAGE, "put", self.bucket, "k", "v", "--durability", "")


class Exists(KvbTest):
    def test_exit_codes(self):
        self.init(a="1")
        self.assertEqual(self.ok("exists", self.bucket, "a"), b"")
        outcome = self.kvb("exists", self.bucket, "b")
        self.assertEqual((outcome.code, outcome.out, outcome.err), (NOT_FOUND, b"", ""))

    def test_json(self):
        self.init(a="1")
        self.assertEqual(json.loads(self.ok("exists", self.bucket, "a", "--format", "json")), {"exists": True})
        outcome = self.kvb("exists", self.bucket, "b", "--format", "json")
        self.assertEqual((outcome.code, json.loads(outcome.out), outcome.err), (NOT_FOUND, {"exists": False}, ""))


class Del(KvbTest):
    def test_one(self):
        self.init(a="1", b="2")
        self.assertEqual(self.ok("del", self.bucket, "a"), b"")
        self.fails(NOT_FOUND, "get", self.bucket, "a")
        self.assertEqual(self.ok("get", self.bucket, "b"), b"2")

    def test_several(self):
        self.init(a="1", b="2", c="3", d="4")
        self.fails(NOT_FOUND, "del", self.bucket, "a", "x", "b", "y", says="no key 'x' and 1 more.*others were removed")
        self.assertEqual(self.ok("scan", self.bucket, "--keys"), b"c\nd\n")
        self.fails(NOT_FOUND, "del", self.bucket, "x", says="no key 'x'.$")
        self.ok("del", self.bucket, "c", "c")
        outcome = self.kvb("del", self.bucket, "d", "x", "--format", "json")
        self.assertEqual((outcome.code, json.loads(outcome.out)), (NOT_FOUND, {"removed": 1, "missing": 1}))

    def test_without_keys(self):
        self.init()
        self.fails(USAGE, "del", self.bucket, says="KEY")
        self.fails(USAGE, "del", self.bucket, "")
        self.fails(USAGE, "del", self.bucket, "-", "-", input=b"x")

    def test_brackets_are_part_of_a_key(self):
        self.init(a="1", b="2")
        self.fails(NOT_FOUND, "del", self.bucket, "[a,b]")
        self.assertEqual(self.ok("count", self.bucket), b"2\n")


class CommandLine(KvbTest):
    def test_version(self):
        version = os.environ.get("KVB_VERSION", r"\d+\.\d+\.\d+")
        self.assertRegex(self.ok("--version").decode(), rf"\Akvb {version}\n\Z")

    def test_no_command_and_wrong_ones(self):
        self.fails(USAGE, says="--help")
        self.fails(USAGE, "putt", "f", says="put")
        self.fails(USAGE, "delete", "f", "k", says="del")
        self.fails(USAGE, "zzzzzzzz")
        self.fails(USAGE, "--nope")
        self.fails(USAGE, "")
        self.fails(USAGE, "a.kvb", "get", "k", says="kvb get a.kvb")

    def test_wrong_arguments(self):
        self.init(a="1")
        self.fails(USAGE, "get", says="FILE")
        self.fails(USAGE, "get", self.bucket, says="KEY")
        self.fails(USAGE, "exists", self.bucket, "a", "extra", says="extra")
        self.fails(USAGE, "put", self.bucket, "a", says="VALUE")
        self.fails(USAGE, "get", self.bucket, "a", "--nope", says="--nope")
        self.fails(USAGE, "get", self.bucket, "a", "--ttl", "5", says="--ttl")
        self.fails(USAGE, "put", self.bucket, "a", "b", "--ttl", says="--ttl")
        self.fails(USAGE, "put", self.bucket, "a", "b", "--ttl", "1", "--ttl", "2", says="--ttl")
        self.assertEqual(self.fails_json(USAGE, "put", self.bucket, "--format", "json")["code"], "usage")
        self.assertEqual(self.fails_json(USAGE, "put", self.bucket, "--format=json")["code"], "usage")

    def test_options_may_stand_anywhere(self):
        self.init()
        self.ok("put", "--ttl", "50", self.bucket, "k", "--text", "v")
        self.ok("put", "--ttl=50", self.bucket, "--", "k", "v")
        self.assertEqual(self.ok("get", "--format=raw", self.bucket, "k"), b"v")


if __name__ == "__main__":
    unittest.main()
