"""Keeps a counter and a greeting in hello.kvb through the C API, and finds them again the next time it runs.

Needs nothing but Python: the library is loaded with ctypes. KVB_LIBRARY may name it, else it is found where
`make install` puts it.
"""

import ctypes
import ctypes.util
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_size_t, c_uint32, c_void_p


class Error(ctypes.Structure):
    """kvb_error; only the fields that are used here, in their order. The library may have more behind them."""

    _fields_ = [("code", c_int), ("system_errno", c_int32), ("message", c_char_p)]


class Value(ctypes.Structure):
    """kvb_value, up to the last field that is used here."""

    _fields_ = [("data", c_void_p), ("size", c_size_t)]


class Entry(ctypes.Structure):
    """kvb_entry."""

    _fields_ = [("key", c_void_p), ("key_size", c_size_t), ("value", POINTER(Value))]


class PutOptions(ctypes.Structure):
    """kvb_put_options: zeros are the defaults, struct_size says how many fields we know."""

    _fields_ = [("struct_size", c_uint32), ("ttl_seconds", c_uint32), ("kind", c_int32), ("condition", c_int32)]


TEXT, JSON = 1, 2


class Bucket:
    """A small Python face for the C API. Keys and values are bytes."""

    def __init__(self, path):
        library = os.environ.get("KVB_LIBRARY") or ctypes.util.find_library("kvb") or "libkvb.so"
        self._library = ctypes.CDLL(library)
        self._bucket = c_void_p()
        self._call("kvb_open_or_create", os.fsencode(path), None, byref(self._bucket))

    def _call(self, name, *arguments):
        error = POINTER(Error)()
        if getattr(self._library, name)(*arguments, byref(error)) != 0:
            message = error.contents.message.decode()
            self._library.kvb_error_free(error)
            raise RuntimeError(message)

    def put(self, key, value, kind=0, ttl_seconds=0):
        options = PutOptions(ctypes.sizeof(PutOptions), ttl_seconds, kind, 0)
        self._call(
            "kvb_put_with_options",
            self._bucket,
            key,
            c_size_t(len(key)),
            value,
            c_size_t(len(value)),
            byref(options),
            None,
        )

    def get(self, key):
        value = POINTER(Value)()
        self._call("kvb_get", self._bucket, key, c_size_t(len(key)), byref(value))
        if not value:
            return None
        data = ctypes.string_at(value.contents.data, value.contents.size)
        self._library.kvb_value_free(value)
        return data

    def __iter__(self):
        cursor, entry = c_void_p(), POINTER(Entry)()
        self._call("kvb_cursor_open", self._bucket, None, byref(cursor))
        try:
            while True:
                self._call("kvb_cursor_next", cursor, byref(entry))
                if not entry:
                    return
                value = entry.contents.value.contents
                yield (
                    ctypes.string_at(entry.contents.key, entry.contents.key_size),
                    ctypes.string_at(value.data, value.size),
                )
        finally:
            self._library.kvb_cursor_close(cursor)

    def close(self):
        bucket, self._bucket = self._bucket, c_void_p()
        self._call("kvb_close", bucket)


def main():
    bucket = Bucket("hello.kvb")
    runs = int(bucket.get(b"runs") or b"0") + 1
    bucket.put(b"runs", str(runs).encode(), kind=JSON)

    # A session that ends by itself after half an hour.
    bucket.put(b"session:ann", b"signed in", kind=TEXT, ttl_seconds=30 * 60)

    print(f"Hello! I ran {runs} time{'' if runs == 1 else 's'}.")
    for key, value in bucket:
        print(f"{key.decode()} = {value.decode()}")
    bucket.close()


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as problem:
        sys.exit(f"hello: {problem}")
