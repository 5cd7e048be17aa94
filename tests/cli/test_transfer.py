"""backup, export and import: what goes out comes back exactly, and what is wrong with an input is told by its line."""

import base64
import hashlib
import json
import os
import pty
import random
import struct
import subprocess
import time
import unittest

from support import ERROR, KVB, NOT_FOUND, OK, USAGE, KvbTest, unprivileged

KINDS = {0: "bytes", 1: "text", 2: "json"}


def read_dump(dump):
    """The binary format as docs/kvb.md describes it: (key, value, kind, expires_at_ns) of each record."""
    assert dump[:8] == b"KVBDUMP\x01", dump[:8]
    at, entries = 8, []
    while True:
        payload_bytes, records, digest = struct.unpack_from("<QQ16s", dump, at)
        payload = dump[at + 32 : at + 32 + payload_bytes]
        assert len(payload) == payload_bytes
        assert hashlib.blake2b(dump[at : at + 16] + payload, digest_size=16).digest() == digest
        at += 32 + payload_bytes
        if payload_bytes == 0:
            assert records == len(entries) and at == len(dump)
            return entries
        place = 0
        for _ in range(records):
            kind, key_bytes, value_bytes, expires = struct.unpack_from("<IIQq", payload, place)
            place += 24
            key, value = payload[place : place + key_bytes], payload[place + key_bytes : place + key_bytes + value_bytes]
            place += key_bytes + value_bytes
            entries.append((key, value, KINDS[kind], expires))
        assert place == payload_bytes


def write_dump(entries, block=3):
    out = b"KVBDUMP\x01"
    for i in range(0, len(entries), block):
        payload = b"".join(
            struct.pack("<IIQq", kind, len(key), len(value), expires) + key + value for key, value, kind, expires in entries[i : i + block]
        )
        head = struct.pack("<QQ", len(payload), len(entries[i : i + block]))
        out += head + hashlib.blake2b(head + payload, digest_size=16).digest() + payload
    head = struct.pack("<QQ", 0, len(entries))
    return out + head + hashlib.blake2b(head, digest_size=16).digest()


class Transfer(KvbTest):
    def fill(self):
        """Entries of every sort."""
        self.ok("init", self.bucket)
        for key, value, options in [
            ("text", "Grüße\n\t\"\\ \x7f", ["--text"]),
            ("empty", "", []),
            ("json:spaces", '{ "a" : [1, 2.50, 1e300] }', ["--json"]),
            ("json:number", "12345678901234567890.0", ["--json"]),
            ("json:twice", '{"a":1,"a":2}', ["--json"]),
            ("json:string", '"\\u00e9 \\/"', ["--json"]),
            ("json:lines", "[\n1\n]\n", ["--json"]),
            ("bytes that are text", "abc", ["--bytes"]),
            ("expires", "soon", ["--ttl", "1d"]),
        ]:
            self.ok("put", self.bucket, key, "-", *options, input=value.encode())
        self.ok("put", self.bucket, "ff00", "fffe00", "--hex")
        self.ok("put", self.bucket, "6b80", "-", "--hex-key", input=bytes(range(256)) * 20)

    def entries(self, bucket):
        """Everything about all entries but when they were written; times to the second."""
        entries = {}
        for line in self.ok("scan", bucket, "--format", "json", "--keys").splitlines():
            key = json.loads(line)
            name = key["key"].encode() if "key" in key else base64.b64decode(key["key_base64"])
            value = self.ok("get", bucket, name.hex(), "--hex")
            about = json.loads(self.ok("get", bucket, name.hex(), "--hex", "--format", "json"))
            entries[name] = (value, about["kind"], about.get("expires_at", "")[:18])
        return entries

    def test_round_trip(self):
        self.fill()
        expected = self.entries(self.bucket)
        self.assertEqual(len(expected), 11)
        for format in ["json", "binary"]:
            with self.subTest(format):
                exported = self.ok("export", self.bucket, "--format", format)
                told = self.ok("import", f"{format}.kvb", "--create", "--format", "json", input=exported)
                self.assertEqual(json.loads(told), {"path": f"{format}.kvb", "imported": 11, "kept": 0, "expired": 0})
                got = self.entries(f"{format}.kvb")
                for entry in (expected, got):  # Times are rounded up to whole seconds, so minutes may differ at their end.
                    for key, (value, kind, expires) in entry.items():
                        entry[key] = (value, kind, expires[:10])
                self.assertEqual(got, expected)
                self.ok("verify", f"{format}.kvb")

    def test_the_lines(self):
        self.fill()
        lines = {}
        for line in self.ok("export", self.bucket).decode().splitlines():
            entry = json.loads(line)
            lines[entry.get("key", entry.get("key_base64"))] = line
        self.assertEqual(lines["json:number"], '{"key":"json:number","value":12345678901234567890.0,"kind":"json"}')
        self.assertEqual(lines["json:twice"], '{"key":"json:twice","value":{"a":1,"a":2},"kind":"json"}')
        self.assertEqual(lines["json:lines"], '{"key":"json:lines","value_text":"[\\n1\\n]\\n","kind":"json"}')
        self.assertEqual(lines["/wA="], '{"key_base64":"/wA=","value_base64":"//4A","kind":"bytes"}')
        self.assertEqual(lines["bytes that are text"], '{"key":"bytes that are text","value":"abc","kind":"bytes"}')

    def test_the_binary_format(self):
        self.fill()
        dump = read_dump(self.ok("export", self.bucket, "--format", "binary"))
        entries = self.entries(self.bucket)
        self.assertEqual([entry[0] for entry in dump], sorted(entries))
        for key, value, kind, expires in dump:
            self.assertEqual((value, kind), entries[key][:2])
            self.assertEqual(expires != 0, entries[key][2] != "")
            if expires:
                self.assertAlmostEqual(expires / 1e9, time.time() + 86400, delta=60)

    def test_random_bytes(self):
        generator = random.Random(20261122)
        entries = {}
        while len(entries) < 2500:
            key = bytes(generator.choices(range(256), k=generator.choice([1, 2, 3, 30, 300])))
            entries[key] = (bytes(generator.choices(range(256), k=generator.choice([0, 1, 5, 400]))), generator.randrange(3))
        dump = write_dump([(key, value, kind, 0) for key, (value, kind) in entries.items()], block=100)
        self.ok("import", self.bucket, "--create", input=dump)
        for format in ["json", "binary"]:
            again = self.ok("export", self.bucket, "--format", format)
            self.ok("import", f"{format}.kvb", "-", "--create", input=again)
            found = read_dump(self.ok("export", f"{format}.kvb", "--format", "binary"))
            self.assertEqual([(key, value, kind) for key, value, kind, _ in found],
                             [(key, entries[key][0], KINDS[entries[key][1]]) for key in sorted(entries)])

    def test_a_large_value(self):
        self.ok("init", self.bucket)
        big = self.write_file("big", os.urandom(1000) * 9000)
        self.ok("put", self.bucket, "big", "@" + big)
        for format in ["json", "binary"]:
            self.ok("export", self.bucket, f"x.{format}", "--format", format)
            self.ok("import", f"{format}.kvb", f"x.{format}", "--create")
            self.assertEqual(self.ok("get", f"{format}.kvb", "big"), self.ok("get", self.bucket, "big"))

    def test_ranges(self):
        self.init(a="1", b="2", ba="3", c="4")
        keys = lambda *options: [json.loads(line)["key"] for line in self.ok("export", self.bucket, *options).splitlines()]
        self.assertEqual(keys(), ["a", "b", "ba", "c"])
        self.assertEqual(keys("--prefix", "b"), ["b", "ba"])
        self.assertEqual(keys("--from", "b", "--to", "b"), ["b"])
        self.assertEqual(keys("--prefix", "62", "--hex"), ["b", "ba"])
        exported = self.ok("export", self.bucket)
        self.ok("import", "some.kvb", "--create", "--prefix", "b", input=exported)
        self.assertEqual(self.ok("scan", "some.kvb", "--keys"), b"b\nba\n")
        self.ok("import", "hex.kvb", "--create", "--prefix", "61", "--hex", input=exported)
        self.assertEqual(self.ok("scan", "hex.kvb", "--keys"), b"a\n")
        self.fails(USAGE, "import", "some.kvb", "--hex", input=b"", says="--hex is for --prefix")

    def test_empty(self):
        self.init()
        self.assertEqual(self.ok("export", self.bucket), b"")
        self.assertEqual(self.ok("import", self.bucket, input=b"\n \r\n"), b"b.kvb: imported 0 entries.\n")
        self.assertEqual(read_dump(self.ok("export", self.bucket, "--format", "binary")), [])
        self.ok("import", self.bucket, input=write_dump([]))

    def test_target_files(self):
        self.init(a="1")
        self.ok("export", self.bucket, "out.jsonl")
        with open(self.path("out.jsonl")) as file:
            self.assertEqual(file.read(), '{"key":"a","value":"1","kind":"text"}\n')
        error = self.fails_json(ERROR, "export", self.bucket, "out.jsonl", "--format", "json")
        self.assertEqual(error["code"], "already_exists")
        self.fails(ERROR, "export", self.bucket, "no/such/folder", says="cannot be made")
        self.fails(ERROR, "import", self.bucket, "missing.jsonl", says="cannot be opened")
        self.fails(ERROR, "import", self.bucket, ".", says="Reading . failed")

    def test_binary_is_not_written_to_a_terminal(self):
        self.init(a="1")
        master, slave = pty.openpty()
        outcome = subprocess.run([KVB, "export", self.bucket, "--format", "binary"], cwd=self.folder, stdout=slave,
                                 stderr=subprocess.PIPE, timeout=60)
        os.close(slave)
        os.close(master)
        self.assertEqual(outcome.returncode, USAGE)
        self.assertIn(b"not for a terminal", outcome.stderr)

    def test_import_at_a_terminal_says_what_it_waits_for(self):
        self.init()
        master, slave = pty.openpty()
        outcome = subprocess.run([KVB, "import", self.bucket], cwd=self.folder, stdin=slave, capture_output=True, timeout=60)
        os.close(slave)
        os.close(master)
        self.assertEqual(outcome.returncode, USAGE)
        self.assertIn(b"What is to be imported?", outcome.stderr)

    def test_a_reader_that_leaves(self):
        self.init()
        self.ok("import", self.bucket, input=b"".join(b'{"key":"%d","value":"%s"}\n' % (i, b"x" * 100) for i in range(20000)))
        command = subprocess.run(["bash", "-c", 'set -o pipefail; "$1" export b.kvb | head -n 2', "bash", KVB], cwd=self.folder,
                                 capture_output=True, timeout=60)
        self.assertEqual((command.returncode, command.stderr, command.stdout.count(b"\n")), (0, b"", 2))


class Lines(KvbTest):
    def line(self, text, code=ERROR, **options):
        self.fails(code, "import", self.bucket, input=text.encode() if isinstance(text, str) else text, **options)

    def test_what_a_line_may_be(self):
        self.init()
        text = b"""
{"key":"text","value":"a"}
  { "value" : 5 , "key" : "number" }\r
{"key":"list","value":[1, {"b":"}"}],"kind":"json"}
{"key":"json string","value":"a","kind":"json"}
{"key":"bytes","value":"a","kind":"bytes"}
{"key":"base64","value_base64":"AP8="}
{"key":"text 2","value_base64":"YQ==","kind":"text"}
{"key_base64":"/w==","value":null}
{"key":"\\u00e9\\n","value":"\\ud83d\\ude00"}
{"key":"ttl","value":"a","ttl_seconds":3600}
{"key":"later","value":"a","expires_at":"2100-01-01T00:00:00+01:00","seqno":12,"written_at":"2000-01-01T00:00:00Z"}
{"key":"gone","value":"a","expires_at":"2001-01-01T00:00:00.5Z"}
{"key":"last","value":true}"""
        self.assertEqual(self.ok("import", self.bucket, input=text), b"b.kvb: imported 12 entries; 1 had expired.\n")
        entries = {entry.get("key", "?"): entry for entry in self.json_lines("scan", self.bucket, "--format", "json")}
        self.assertEqual({key: entry["kind"] for key, entry in entries.items()},
                         {"text": "text", "number": "json", "list": "json", "json string": "json", "bytes": "bytes", "base64": "bytes",
                          "text 2": "text", "?": "json", "é\n": "text", "ttl": "text", "later": "text", "last": "json"})
        self.assertEqual(self.ok("get", self.bucket, "list"), b'[1, {"b":"}"}]')
        self.assertEqual(self.ok("get", self.bucket, "json string"), b'"a"')
        self.assertEqual(self.ok("get", self.bucket, "é\n".encode()), "😀".encode())
        self.assertEqual(self.ok("get", self.bucket, "base64"), b"\x00\xff")
        self.assertEqual(entries["later"]["expires_at"][:10], "2099-12-31")
        self.assertEqual(json.loads(self.ok("get", self.bucket, "ttl", "--format", "json"))["ttl_seconds"], 3600)

    def test_what_get_and_scan_write_is_read(self):
        self.init(a="1")
        self.ok("put", self.bucket, "b", "[1]", "--json", "--ttl", "1h")
        lines = self.ok("scan", self.bucket, "--format", "json") + self.ok("get", self.bucket, "b", "--format", "json")
        self.assertEqual(self.ok("import", "copy.kvb", "--create", "--replace", input=lines), b"copy.kvb: imported 3 entries.\n")
        self.assertEqual(self.ok("scan", "copy.kvb"), self.ok("scan", self.bucket))

    def test_mistakes(self):
        self.init()
        for line, says in [
            ("hello", "not valid JSON"),
            ('{"key":"a","value":1', "not valid JSON"),
            ('{"key":"a","value":1}}', "not valid JSON"),
            (b'{"key":"\xff","value":1}', "not valid JSON"),
            (b'\xef\xbb\xbf{"key":"a","value":1}', "not valid JSON"),
            ('["a",1]', "not a JSON object"),
            ("{}", 'has no "key"'),
            ('{"value":1}', 'has no "key"'),
            ('{"key":"a"}', 'has no "value"'),
            ('{"key":"","value":1}', "empty"),
            ('{"key":"%s","value":1}' % ("k" * 65536), "longer than 65,535"),
            ('{"key":5,"value":1}', '"key" must be a string'),
            ('{"key":"a","key_base64":"YQ==","value":1}', "its key twice"),
            ('{"key":"a","value":1,"value_base64":"YQ=="}', "its value twice"),
            ('{"key":"a","value_text":"1","value":1}', "its value twice"),
            ('{"key":"a","value":1,"value":1}', '"value" twice'),
            ('{"key":"a","value":1,"kind":"text"}', "kind text is a JSON string"),
            ('{"key":"a","value":1,"kind":"number"}', "none of text, json and bytes"),
            ('{"key":"a","value_text":"1","kind":"text"}', "for the kind json only"),
            ('{"key":"a","value_base64":"YQ="}', "not base64"),
            ('{"key":"a","value_base64":"Y==="}', "not base64"),
            ('{"key":"a","value_base64":"YR=="}', "not base64"),
            ('{"key":"a","value":1,"expires":"2100-01-01T00:00:00Z"}', 'no member "expires"'),
            ('{"key":"a","value":1,"ttl_seconds":1.5}', "ttl_seconds"),
            ('{"key":"a","value":1,"ttl_seconds":-1}', "ttl_seconds"),
            ('{"key":"a","value":1,"ttl_seconds":4294967296}', "ttl_seconds"),
            ('{"key":"a","value":1,"expires_at":"9999-01-01T00:00:00Z"}', "expires_at"),
            ('{"key":"a","value":1,"expires_at":"2250-01-01T00:00:00Z"}', "136 years"),
        ] + [
            ('{"key":"a","value":1,"expires_at":"%s"}' % moment, "expires_at")
            for moment in ["tomorrow", "2100-13-01T00:00:00Z", "2100-06-31T00:00:00Z", "2100-01-01T24:00:00Z", "2100-01-01T00:00:00",
                           "2100-01-01", "2100-01-01T00:00:00.Z", "2100-01-01T00:00:00+1", "2100-01-01T00:00:00Zx", ""]
        ]:
            with self.subTest(line=line[:80]):
                self.line(line, says=r"\Akvb: Line 1 of standard input is no entry: .*" + says + r".* Nothing was imported\.")
        self.assertEqual(self.ok("count", self.bucket), b"0\n")

    def test_the_line_is_named_and_its_batch_is_left_out(self):
        self.init()
        lines = [json.dumps({"key": f"{i:05}", "value": i}) for i in range(1, 2501)]
        lines[2344] = "oops"
        name = self.write_file("data.jsonl", "\n".join(lines).encode())
        self.fails(ERROR, "import", self.bucket, name,
                   says=r"Line 2,345 of data\.jsonl is no entry: .* 2,000 entries before line 2,001 were imported, nothing from there on\.")
        self.assertEqual(self.ok("count", self.bucket), b"2000\n")
        self.assertEqual(self.ok("scan", self.bucket, "--keys", "--reverse", "--limit", "1"), b"02000\n")
        lines[2000] = "oops as the first of a batch"
        self.write_file("data.jsonl", "\n".join(lines).encode())
        self.fails(ERROR, "import", "other.kvb", name, "--create", says=r"Line 2,001 .* 2,000 entries before line 2,001 were imported")
        lines[2000] = json.dumps({"key": "02001", "value": 2001})
        # Mended, and the rest comes in.
        lines[2344] = json.dumps({"key": "02345", "value": 0})
        self.write_file("data.jsonl", "\n".join(lines).encode())
        self.assertEqual(self.ok("import", self.bucket, name, "--if-missing"), b"b.kvb: imported 500 entries; 2,000 were there already and stay.\n")
        self.assertEqual(self.ok("count", self.bucket), b"2500\n")

    def test_keys_that_are_there(self):
        self.init(a="there")
        lines = b'{"key":"b","value":"new"}\n{"key":"a","value":"new"}\n{"key":"b","value":"newer"}\n'
        self.fails(NOT_FOUND, "import", self.bucket, input=lines, says=r"Line 2 of standard input: the key 'a' is in the bucket already\..*Nothing")
        self.assertEqual(self.ok("scan", self.bucket), b"a\tthere\n")
        error = self.fails_json(NOT_FOUND, "import", self.bucket, "--format", "json", input=lines)
        self.assertEqual(error["code"], "condition_not_met")
        self.assertEqual(self.ok("import", self.bucket, "--if-missing", input=lines), b"b.kvb: imported 1 entry; 2 were there already and stay.\n")
        self.assertEqual(self.ok("scan", self.bucket), b"a\tthere\nb\tnew\n")
        self.assertEqual(self.ok("import", self.bucket, "--replace", input=lines), b"b.kvb: imported 3 entries.\n")
        self.assertEqual(self.ok("scan", self.bucket), b"a\tnew\nb\tnewer\n")
        self.fails(USAGE, "import", self.bucket, "--replace", "--if-missing", input=lines, says="exclude each other")
        self.line('{"key":"c","value":1}\n{"key":"c","value":2}', NOT_FOUND, says="Line 2.*came before")

    def test_other_trouble(self):
        self.fails(ERROR, "import", "missing.kvb", input=b'{"key":"a","value":1}', says="kvb init")
        self.assertFalse(os.path.exists(self.path("missing.kvb")))
        self.init()
        os.chmod(self.folder, 0o755)
        os.chmod(self.path(self.bucket), 0o444)
        self.fails(ERROR, "import", self.bucket, input=b'{"key":"a","value":1}', **unprivileged())


class DamagedDumps(KvbTest):
    def dump(self):
        return write_dump([(b"%03d" % i, b"value %d" % i, 1, 0) for i in range(30)], block=10)

    def test_every_cut(self):
        self.init()
        dump = self.dump()
        for size in list(range(0, 60)) + list(range(60, len(dump), 37)) + [len(dump) - 1]:
            outcome = self.kvb("import", self.bucket, "--replace", input=dump[:size])
            if size == 0:
                self.assertEqual(outcome.code, OK)  # No lines at all.
                continue
            self.assertEqual(outcome.code, ERROR, size)
            self.assertRegex(outcome.err, "ends too early" if size >= 8 else "not valid JSON")
            self.assertIn(int(self.ok("count", self.bucket)), [0, 10, 20, 30])

    def test_every_sort_of_damage(self):
        self.init()
        dump = self.dump()
        for at in range(8, len(dump), 11):
            damaged = dump[:at] + bytes([dump[at] ^ 0x40]) + dump[at + 1 :]
            outcome = self.kvb("import", self.bucket, "--replace", input=damaged)
            self.assertEqual(outcome.code, ERROR, at)
            self.assertRegex(outcome.err, "standard input is damaged or incomplete")
        self.assertIn("Nothing was imported", self.kvb("import", "x.kvb", "--create", input=dump[:40] + b"X" + dump[41:]).err)
        self.fails(ERROR, "import", self.bucket, "--replace", input=dump + b"x", says="more behind its end.*30 entries before record 31")
        for record, says in [((b"k", b"v", 3, 0), "kind 3 is unknown"), ((b"", b"v", 0, 0), "a key of 0 bytes")]:
            self.fails(ERROR, "import", self.bucket, input=write_dump([record]), says=says)
        self.assertEqual(self.ok("scan", self.bucket, "--limit", "2"), b"000\tvalue 0\n001\tvalue 1\n")
        self.fails(NOT_FOUND, "import", self.bucket, input=dump, says="Record 1 of standard input: the key '000' is in the bucket already")


class Backup(KvbTest):
    def test_a_copy_like_the_first(self):
        self.init(a="1", b="2")
        self.ok("put", self.bucket, "c", "[1]", "--json", "--ttl", "1h")
        told = self.ok("backup", self.bucket, "copy.kvb").decode()
        self.assertRegex(told, r"\Ab\.kvb: copied 3 keys \(5 bytes of values\) to copy\.kvb, which takes [\d.]+ KiB \([\d,]+\)\.\n\Z")
        self.assertEqual(self.ok("scan", "copy.kvb", "--format", "json"), self.ok("scan", self.bucket, "--format", "json"))
        self.ok("verify", "copy.kvb")
        self.ok("put", "copy.kvb", "d", "4")
        report = json.loads(self.ok("backup", self.bucket, "other.kvb", "--format", "json"))
        self.assertEqual(list(report), ["path", "target", "keys", "value_bytes", "file_bytes", "seconds"])
        self.assertEqual((report["keys"], report["value_bytes"], report["file_bytes"]), (3, 5, os.path.getsize(self.path("other.kvb"))))

    def test_trouble(self):
        self.init(a="1")
        self.ok("backup", self.bucket, "copy.kvb")
        self.assertEqual(self.fails_json(ERROR, "backup", self.bucket, "copy.kvb", "--format", "json")["code"], "already_exists")
        self.fails(ERROR, "backup", self.bucket, self.bucket, says="already")
        self.fails(ERROR, "backup", self.bucket, "no/copy.kvb", says="folder 'no' does not exist")
        self.fails(ERROR, "backup", "missing.kvb", "x.kvb", says="kvb init")
        self.fails(USAGE, "backup", self.bucket, says="TARGET is required")
        self.assertFalse(os.path.exists(self.path("x.kvb")))

    def test_beside_a_writer(self):
        self.init()
        lines = lambda start: b"".join(b'{"key":"%05d","value":"%s"}\n' % (i, b"x" * 200) for i in range(start, start + 5000))
        self.ok("import", self.bucket, input=lines(0))
        writer = subprocess.Popen([KVB, "import", self.bucket], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        text = lines(5000)
        writer.stdin.write(text[: len(text) // 2])  # It holds the bucket from here on.
        writer.stdin.flush()
        for number in range(3):
            keys = json.loads(self.ok("backup", self.bucket, f"{number}.kvb", "--format", "json"))["keys"]
            self.assertEqual((keys - 5000) % 1000, 0)  # Whole batches.
            self.assertEqual(int(self.ok("count", f"{number}.kvb")), keys)
            self.ok("verify", f"{number}.kvb")
        writer.stdin.write(text[len(text) // 2 :])
        writer.stdin.close()
        self.assertEqual(writer.stdout.read(), b"b.kvb: imported 5,000 entries.\n")
        writer.stdout.close()
        self.assertEqual(writer.wait(60), 0)

    def test_the_bar_is_for_people(self):
        self.init()
        self.ok("import", self.bucket, input=b"".join(b'{"key":"%05d","value":1}\n' % i for i in range(5000)))
        master, slave = pty.openpty()
        outcome = subprocess.run([KVB, "backup", self.bucket, "copy.kvb"], cwd=self.folder, stdout=subprocess.PIPE, stderr=slave, timeout=60)
        os.close(slave)
        shown = os.read(master, 65536).decode()
        os.close(master)
        self.assertEqual(outcome.returncode, OK)
        self.assertIn("Backing up b.kvb [##############################] 100 %", shown)
        self.assertTrue(shown.endswith("\r"), repr(shown[-20:]))  # It is wiped at the end.


if __name__ == "__main__":
    unittest.main()
