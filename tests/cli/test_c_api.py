"""The C API from C (a C11 program) and through a foreign function interface (ctypes), without any wrapper."""

import ctypes
import os
import re
import subprocess
import unittest

import support
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p


class FromC(support.KvbTest):
    def test_the_c_program(self):
        completed = subprocess.run(
            [os.environ["KVB_C_API_TEST"], self.folder], capture_output=True, text=True, timeout=250
        )
        self.assertEqual(completed.returncode, 0, completed.stdout + completed.stderr)
        self.assertEqual(completed.stderr, "")

    def test_the_c_program_for_many_keys(self):
        completed = subprocess.run(
            [os.environ["KVB_C_API_MANY_TEST"], self.folder], capture_output=True, text=True, timeout=250
        )
        self.assertEqual(completed.returncode, 0, completed.stdout + completed.stderr)
        self.assertEqual(completed.stderr, "")
        self.assertEqual(self.ok("count", "backup.kvb"), b"5000\n")
        self.assertEqual(self.ok("get", "repaired.kvb", "a"), b"the first value")

    def test_what_it_wrote_is_what_kvb_reads(self):
        subprocess.run([os.environ["KVB_C_API_TEST"], self.folder], capture_output=True, timeout=250, check=True)
        self.assertEqual(self.ok("get", "conditions.kvb", "k"), b"1")
        self.assertEqual(self.ok("count", "long_cursors.kvb"), b"3000\n")


class Error(Structure):
    _fields_ = [
        ("code", c_int),
        ("system_errno", c_int32),
        ("message", c_char_p),
        ("path", c_char_p),
        ("offset_bytes", c_uint64),
        ("key_hash", c_uint64),
        ("holder_pid", c_int64),
        ("holder_since_seconds", c_int64),
        ("has_offset", c_bool),
        ("has_key_hash", c_bool),
    ]


class Value(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("size", c_size_t),
        ("kind", c_int),
        ("ttl_seconds", c_uint32),
        ("seqno", c_uint64),
        ("written_at_ns", c_int64),
        ("expires_at_ns", c_int64),
    ]


class Entry(Structure):
    _fields_ = [("key", c_void_p), ("key_size", c_size_t), ("value", POINTER(Value))]


class PutOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("ttl_seconds", c_uint32),
        ("kind", c_int32),
        ("condition", c_int32),
        ("expected", c_char_p),
        ("expected_size", c_uint64),
    ]


class ScanOptions(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reverse", c_int32),
        ("keys_only", c_int32),
        ("has_limit", c_int32),
        ("limit", c_uint64),
        ("prefix", c_char_p),
        ("prefix_size", c_uint64),
        ("from_", c_char_p),
        ("from_size", c_uint64),
        ("to", c_char_p),
        ("to_size", c_uint64),
    ]


@unittest.skipIf(os.environ.get("KVB_SANITIZE"), "a sanitized library cannot be loaded into a plain Python")
class FromPython(support.KvbTest):
    def setUp(self):
        super().setUp()
        self.library = ctypes.CDLL(os.environ["KVB_LIBRARY"])
        self.library.kvb_version.restype = c_char_p
        self.library.kvb_batch_new.restype = c_void_p
        self.bucket_pointer = c_void_p()
        self.error = POINTER(Error)()
        path = os.fsencode(self.path("ffi.kvb"))
        self.call("kvb_create", path, None, byref(self.bucket_pointer))

    def tearDown(self):
        self.call("kvb_close", self.bucket_pointer)

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments, byref(self.error))
        if code != 0:
            message = self.error.contents.message.decode()
            self.library.kvb_error_free(self.error)
            raise RuntimeError(message)

    def get(self, key):
        value = POINTER(Value)()
        self.call("kvb_get", self.bucket_pointer, key, c_size_t(len(key)), byref(value))
        if not value:
            return None
        data = ctypes.string_at(value.contents.data, value.contents.size)
        self.library.kvb_value_free(value)
        return data

    def put(self, key, data):
        self.call("kvb_put", self.bucket_pointer, key, c_size_t(len(key)), data, c_size_t(len(data)))

    def test_version(self):
        self.assertEqual(self.library.kvb_version().decode(), os.environ["KVB_VERSION"])

    def test_round_trip(self):
        self.put(b"a\0b", b"\0\xff" * 1000)
        self.assertEqual(self.get(b"a\0b"), b"\0\xff" * 1000)
        self.assertIsNone(self.get(b"a"))

    def test_options_with_zeros_are_the_defaults(self):
        options = PutOptions(struct_size=ctypes.sizeof(PutOptions), condition=2)
        written = c_bool(True)
        self.call(
            "kvb_put_with_options", self.bucket_pointer, b"k", c_size_t(1), b"v", c_size_t(1), byref(options), byref(written)
        )
        self.assertFalse(written.value)
        self.assertIsNone(self.get(b"k"))

    def test_cursor(self):
        for number in range(50):
            self.put(b"n%02d" % number, b"v%d" % number)
        self.put(b"other", b"x")
        options = ScanOptions(struct_size=ctypes.sizeof(ScanOptions), reverse=1, prefix=b"n", prefix_size=1)
        cursor = c_void_p()
        self.call("kvb_cursor_open", self.bucket_pointer, byref(options), byref(cursor))
        entry = POINTER(Entry)()
        seen = []
        while True:
            self.call("kvb_cursor_next", cursor, byref(entry))
            if not entry:
                break
            key = ctypes.string_at(entry.contents.key, entry.contents.key_size)
            value = entry.contents.value.contents
            seen.append((key, ctypes.string_at(value.data, value.size)))
        self.library.kvb_cursor_close(cursor)
        self.assertEqual(seen, [(b"n%02d" % number, b"v%d" % number) for number in reversed(range(50))])

    def test_scan_with_a_callback(self):
        self.put(b"a", b"1")
        self.put(b"b", b"2")
        seen = []
        visit = ctypes.CFUNCTYPE(c_bool, c_void_p, POINTER(Entry))(
            lambda context, entry: seen.append(ctypes.string_at(entry.contents.key, entry.contents.key_size)) or True
        )
        self.call("kvb_scan", self.bucket_pointer, None, visit, None)
        self.assertEqual(seen, [b"a", b"b"])

    def test_error_details(self):
        with self.assertRaises(RuntimeError) as caught:
            self.put(b"", b"v")
        self.assertIn("key", str(caught.exception).lower())

    def test_the_library_exports_what_the_header_declares(self):
        header = os.path.join(os.path.dirname(__file__), "..", "..", "include", "kvb", "kvb.h")
        with open(header, encoding="utf-8") as file:
            declared = set(re.findall(r"KVB_API[^;]*?\b(kvb_\w+)\s*\(", file.read()))
        self.assertGreater(len(declared), 30)
        for name in declared:
            self.assertTrue(hasattr(self.library, name), name)

    def test_the_library_exports_nothing_else(self):
        listed = subprocess.run(["nm", "-D", "-C", "--defined-only", os.environ["KVB_LIBRARY"]], capture_output=True, text=True, check=True)
        names = [line.split(" ", 2)[2] for line in listed.stdout.splitlines()]
        self.assertGreater(len(names), 50)
        for name in names:
            self.assertRegex(name, r"^(kvb_|kvb::(Bucket|Batch|Error|Snapshot|Watch)::|kvb::(error_name|error_sentence|repair)\()")


if __name__ == "__main__":
    unittest.main()
