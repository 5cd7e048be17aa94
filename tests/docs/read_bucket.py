#!/usr/bin/env python3
"""Reads a bucket by the rules of docs/FORMAT.md, and by nothing else: it shares no code with the library, so it shows
that the page says enough to write a reader in another language. (Compressed values need libzstd, which is the one thing that it
takes from elsewhere.)

    read_bucket.py [--now NANOSECONDS] [--trace] FILE...

Prints a line for each key, in order: key, value (both hexadecimal, "-" for an empty value), kind and seqno. --trace prints
the steps of the page's section "Reading a bucket" instead. The file must be at rest: nobody writes to it. What contradicts
the page ends it with exit code 1 and a sentence. Of several files each is announced by a line "== FILE", and the sentence
is a line of its own, behind which the next file follows.
"""

import bisect
import ctypes
import ctypes.util
import functools
import struct
import sys

PAGE, HEAD, PAYLOAD = 4096, 65536, 4032
HOUR = 3600 * 10**9
DAY = 24 * HOUR
ROOT, CHECKSUMS, HASH_SLOTS, KEY_LEAF, KEY_BRANCH, KEY_OVERFLOW, SEGMENT_TABLE, RETIRED, DICTIONARY = range(1, 10)
M32, M64 = (1 << 32) - 1, (1 << 64) - 1


class Contradiction(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Contradiction(what)


def u16(data, at):
    return struct.unpack_from("<H", data, at)[0]


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def u64(data, at):
    return struct.unpack_from("<Q", data, at)[0]


def i64(data, at):
    return struct.unpack_from("<q", data, at)[0]


# --- CRC32C -------------------------------------------------------------------------------------------------------------


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = _crc_table()


def crc(seed, data):
    value, table = seed ^ M32, CRC_TABLE
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 255]
    return value ^ M32


# --- XXH3-64 with a seed, after its published specification -----------------------------------------------------------

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e"
    "e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d"
    "8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc"
    "8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def _fold(a, b):
    product = (a & M64) * (b & M64)
    return (product ^ product >> 64) & M64


def _avalanche(h):
    h &= M64
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & M64
    return h ^ h >> 32


def _rotate(h, bits):
    return (h << bits | h >> 64 - bits) & M64


def hash64(key, seed):
    n = len(key)

    def mix(at, secret_at):
        return _fold(u64(key, at) ^ (u64(SECRET, secret_at) + seed & M64),
                     u64(key, at + 8) ^ (u64(SECRET, secret_at + 8) - seed & M64))

    if n <= 3:
        h = key[0] << 16 | key[n >> 1] << 24 | key[-1] | n << 8
        h ^= (u32(SECRET, 0) ^ u32(SECRET, 4)) + seed & M64
        h ^= h >> 33
        h = h * P64_2 & M64
        h ^= h >> 29
        h = h * P64_3 & M64
        return h ^ h >> 32
    if n <= 8:
        swapped = int.from_bytes(struct.pack("<I", seed & M32), "big")
        seed ^= swapped << 32
        h = u32(key, n - 4) + (u32(key, 0) << 32)
        h ^= (u64(SECRET, 8) ^ u64(SECRET, 16)) - seed & M64
        h ^= _rotate(h, 49) ^ _rotate(h, 24)
        h = h * 0x9FB21C651E98DF25 & M64
        h ^= (h >> 35) + n
        h = h * 0x9FB21C651E98DF25 & M64
        return h ^ h >> 28
    if n <= 16:
        low = u64(key, 0) ^ ((u64(SECRET, 24) ^ u64(SECRET, 32)) + seed & M64)
        high = u64(key, n - 8) ^ ((u64(SECRET, 40) ^ u64(SECRET, 48)) - seed & M64)
        return _avalanche(n + int.from_bytes(struct.pack("<Q", low), "big") + high + _fold(low, high))
    if n <= 128:
        acc = n * P64_1
        for i in range((n - 1) // 32, -1, -1):
            acc += mix(16 * i, 32 * i) + mix(n - 16 * (i + 1), 32 * i + 16)
        return _avalanche(acc)
    if n <= 240:
        acc = _avalanche(n * P64_1 + sum(mix(16 * i, 16 * i) for i in range(8)))
        acc += sum(mix(16 * i, 16 * (i - 8) + 3) for i in range(8, n // 16))
        return _avalanche(acc + mix(n - 16, 136 - 17))
    secret = b"".join(struct.pack("<QQ", u64(SECRET, i) + seed & M64, u64(SECRET, i + 8) - seed & M64) for i in range(0, 192, 16))
    acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]

    def accumulate(at, secret_at):
        for i in range(8):
            value = u64(key, at + 8 * i)
            keyed = value ^ u64(secret, secret_at + 8 * i)
            acc[i ^ 1] = acc[i ^ 1] + value & M64
            acc[i] = acc[i] + (keyed & M32) * (keyed >> 32) & M64

    blocks = (n - 1) // 1024
    for block in range(blocks):
        for stripe in range(16):
            accumulate(1024 * block + 64 * stripe, 8 * stripe)
        for i in range(8):
            acc[i] = ((acc[i] ^ acc[i] >> 47 ^ u64(secret, 128 + 8 * i)) * P32_1) & M64
    for stripe in range((n - 1 - 1024 * blocks) // 64):
        accumulate(1024 * blocks + 64 * stripe, 8 * stripe)
    accumulate(n - 64, 121)
    result = n * P64_1
    for i in range(4):
        result += _fold(acc[2 * i] ^ u64(secret, 11 + 16 * i), acc[2 * i + 1] ^ u64(secret, 19 + 16 * i))
    return _avalanche(result)


# --- Compression ------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def zstd():
    name = ctypes.util.find_library("zstd")
    need(name, "values are compressed, and there is no libzstd here")
    library = ctypes.CDLL(name)
    library.ZSTD_createDCtx.restype = ctypes.c_void_p
    library.ZSTD_decompress_usingDict.restype = ctypes.c_size_t
    library.ZSTD_decompress_usingDict.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                                  ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    return library, library.ZSTD_createDCtx()


def decompress(encoding, payload, dictionaries):
    length, at = 0, 0
    while True:
        need(at < min(len(payload), 5), "the length of a compressed value")
        length |= (payload[at] & 127) << 7 * at
        at += 1
        if payload[at - 1] < 128:
            break
    dictionary = b""
    frame = payload[at:]
    if encoding == 2:
        ident, block = u16(frame, 0), frame[2:]
        need(ident == 0 or ident in dictionaries, f"there is no dictionary {ident}")
        dictionary = dictionaries.get(ident, b"")
        front = bytes([2, 0x38]) + frame[:2] if ident else bytes([0, 0x38])
        frame = b"\x28\xB5\x2F\xFD" + front + struct.pack("<I", len(block) << 3 | 5)[:3] + block
    library, context = zstd()
    value = ctypes.create_string_buffer(max(length, 1))
    got = library.ZSTD_decompress_usingDict(context, value, length, frame, len(frame), dictionary, len(dictionary))
    need(got == length, "a compressed value has another length than it states")
    return value.raw[:length]


# --- The bucket -------------------------------------------------------------------------------------------------------


class Record:
    """A record whose header is right; `whole` says whether key and value are too."""

    def __init__(self, data, paddr, header_crc):
        (self.seqno, self.hash, self.timestamp, self.type, self.encoding, self.flags, self.key_len, self.val_len,
         self.ttl) = struct.unpack_from("<QQqBBHIII", data, paddr + 4)
        self.bytes = 48 + self.key_len + self.val_len
        body = paddr + 44
        self.key = data[body:body + self.key_len]
        self.value = data[body + self.key_len:body + self.key_len + self.val_len]
        end = body + self.key_len + self.val_len
        self.whole = end + 4 <= len(data) and u32(data, end) == crc(header_crc, data[body:end])

    def expires_at(self):
        return self.timestamp + self.ttl * 10**9 if self.ttl else None


class Segment:
    def __init__(self, ident, paddr, salt, size, uuid):
        self.link, self.paddr, self.size = (ident, paddr, salt), paddr, size
        self.life = crc(0, uuid + struct.pack("<QQ", ident, salt))
        self.limit = size - 128 - 16 * (size // 65536)


class Bucket:
    def __init__(self, data, trace):
        self.data, self.trace = data, trace
        self.read_superblock()
        self.segments = []  # Sorted by place.
        self.key_table = []
        self.run = {}
        self.dictionaries = {}
        if self.features & 1:
            self.read_image()
        self.read_dictionaries()
        self.replay()

    def superblock_at(self, at):
        page = self.data[at:at + PAGE].ljust(PAGE, b"\0")
        if page[:4] != b"KVBK" or u32(page, 4092) != crc(0, page[:4092]):
            return None
        need(u16(page, 4) <= 1, "a newer major version")
        sane = (u16(page, 4) == 1 and u32(page, 8) == PAGE and u64(page, 48) == HEAD and u64(page, 216) != 0 and
                u64(page, 224) >= HEAD and u64(page, 224) % PAGE == 0 and u64(page, 248) != 0)
        return page if sane else None

    def read_superblock(self):
        a, b = self.superblock_at(0), self.superblock_at(0xF000)
        need(a or b, "no superblock is valid")
        need(len(self.data) >= HEAD, "the file ends inside its head")
        is_a = b is None or (a is not None and u64(a, 80) >= u64(b, 80))
        page = self.page = a if is_a else b
        self.uuid, self.epoch, self.seed = page[16:32], u64(page, 80), u64(page, 112)
        self.features = u64(page, 104)
        need(self.features & ~3 == 0, "an incompatible feature that nobody here knows")
        self.cut = u64(page, 64)
        self.newest_wall = i64(page, 288)
        self.beyond_jump = []  # Times of records that are too far ahead of it.
        word = struct.unpack_from("<QQ", self.data, 0x1000 + 16) if len(self.data) >= 0x1020 else (0, 0)
        self.trusted = word[0] if word[0] ^ word[1] == M64 else 0
        self.trace(f"Superblock {'A' if is_a else 'B'} counts: epoch {self.epoch}, cut {self.cut}, "
                   f"{'an image' if self.features & 1 else 'no image'}. Trusted: up to {self.trusted}.")

    # Page runs.

    def page_at(self, paddr, kind, logical_id, expected_crc):
        page = self.data[paddr:paddr + PAGE]
        need(paddr % PAGE == 0 and len(page) == PAGE, f"page {paddr:#x} lies outside the file")
        if expected_crc is not None:
            need(crc(0, page) == expected_crc, f"page {paddr:#x}: checksum")
        need(page[:4] == b"KVBP" and u32(page, 4) == kind and page[8:24] == self.uuid and u64(page, 24) == logical_id and
             u64(page, 32) <= self.epoch and u64(page, 40) == paddr, f"page {paddr:#x} is another one")
        return page

    def open_run(self, name, at):
        paddr, length, root_crc, levels = struct.unpack_from("<QQII", self.page, at)
        pages = []  # Place and checksum of each.
        if paddr != 0:
            need(levels == 1 and length % PAGE == 0 and length > 0, f"root of {name}")
            need(crc(0, self.data[paddr:paddr + length]) == root_crc, f"root of {name}: checksum")
            for number in range(length // PAGE):
                root = self.page_at(paddr + number * PAGE, ROOT, number, None)
                need(u32(root, 48) <= 252, "entries of a root page")
                for entry in range(u32(root, 48)):
                    extent, count, extent_crc = struct.unpack_from("<QII", root, 64 + 16 * entry)
                    need(1 <= count <= 1008 and len(pages) % 1008 == 0, "an extent that is not full is not the last")
                    sums = self.page_at(extent, CHECKSUMS, len(pages), extent_crc)
                    pages += [(extent + PAGE * (i + 1), u32(sums, 64 + 4 * i)) for i in range(count)]
            self.trace(f"{name}: root page {paddr:#x}, {len(pages)} page(s) from {pages[0][0]:#x}.")
        self.run[name] = pages

    @functools.lru_cache(maxsize=None)  # What was checked once needs no second look: pages never change.
    def run_page(self, name, number, *kinds):
        need(number < len(self.run[name]), f"{name} has no page {number}")
        paddr, expected = self.run[name][number]
        kind = u32(self.data, paddr + 4)
        need(kind in kinds, f"page {paddr:#x}: type {kind}")
        return self.page_at(paddr, kind, number, expected)

    def read_dictionaries(self):
        for name, at in (("dictionaries", 560), ("dictionaries, the copy", 608)):
            self.open_run(name, at)
            number = 0
            while number < len(self.run[name]):
                first = self.run_page(name, number, DICTIONARY)
                ident, length, slot, checksum, _, reserved = struct.unpack_from("<IIIIQQ", first, 64)
                pages = [self.run_page(name, number + i, DICTIONARY) for i in range((32 + length + PAYLOAD - 1) // PAYLOAD)]
                need([u32(page, 52) for page in pages] == list(range(len(pages))), "the pages of a dictionary")
                content = b"".join(page[64:] for page in pages)[32:32 + length]
                need(checksum == crc(crc(0, self.uuid), first[64:76] + first[80:96] + content) and slot < 8 and
                     u32(content, 4) == ident and reserved == 0, f"dictionary {ident}")
                self.trace(f"  dictionary {ident}, {length} bytes.")
                self.dictionaries[ident] = content
                number += len(pages)

    def read_image(self):
        for name, at in (("hash index", 120), ("key table", 144), ("segment table", 168), ("retired list", 584)):
            self.open_run(name, at)
        self.hash_pages = u64(self.page, 632)
        need((self.hash_pages == 0) == (not self.run["hash index"]) and self.hash_pages <= len(self.run["hash index"]),
             "hash_pages")
        for number in range(len(self.run["segment table"])):
            page = self.run_page("segment table", number, SEGMENT_TABLE)
            for entry in range(u32(page, 48)):
                ident, paddr, salt, size, _, _, base, end = struct.unpack_from("<QQQQIIQQ", page, 64 + 96 * entry)
                segment = Segment(ident, paddr, salt, size, self.uuid)
                segment.table_end = end
                self.segments.append(segment)
                self.trace(f"  segment {ident} at {paddr:#x}, {size} bytes; before the cut up to offset {end}.")
        self.segments.sort(key=lambda segment: segment.paddr)
        for number in range(len(self.run["retired list"])):
            page = self.run_page("retired list", number, RETIRED)
            for entry in range(u32(page, 48)):
                paddr, pages, epoch = struct.unpack_from("<QQQ", page, 64 + 24 * entry)
                self.trace(f"  retired by checkpoint {epoch}: {pages} page(s) at {paddr:#x}.")
        self.key_table = list(self.walk_keys(len(self.run["key table"]) - 1)) if self.run["key table"] else []
        need(all(a < b for a, b in zip(self.key_table, self.key_table[1:])), "the key table is not in order")
        self.check_slots()

    # Key table.

    def overflow(self, link, length):
        text = b""
        while len(text) < length:
            need(link != 0, "a chain of key overflow pages ends too early")
            page = self.run_page("key table", link - 1, KEY_OVERFLOW)
            text += page[64:64 + min(PAYLOAD, length - len(text))]
            link = u32(page, 52)
        return text

    @functools.lru_cache(maxsize=None)
    def leaf_keys(self, page):
        keys, at, before = [], 64, b""
        for _ in range(u32(page, 48)):
            shared, rest = struct.unpack_from("<HH", page, at)
            length, at = rest & 0x7FFF, at + 4
            need(shared <= min(len(before), 1000) and at + length <= PAGE, "a leaf entry")
            key, at = before[:shared] + page[at:at + length], at + length
            if rest & 0x8000:
                total, link = struct.unpack_from("<HI", page, at)
                key, at = key + self.overflow(link, total - len(key)), at + 6
            keys.append(key)
            before = key
        return keys

    def branches(self, page):
        at = 64
        for _ in range(u32(page, 48)):
            child, length = struct.unpack_from("<IH", page, at)
            size, at = length & 0x7FFF, at + 6
            yield child, page[at:at + size], bool(length & 0x8000)
            at += size

    def walk_keys(self, number):
        page = self.run_page("key table", number, KEY_LEAF, KEY_BRANCH)
        if u32(page, 4) == KEY_LEAF:
            yield from self.leaf_keys(page)
            return
        for child, _, _ in self.branches(page):
            need(child < number, "a branch names a page behind it")
            yield from self.walk_keys(child)

    def is_in_key_table(self, key):
        """The search down from the topmost page; what walk_keys gives, found by the separators."""
        if not self.run["key table"]:
            return False
        number = len(self.run["key table"]) - 1
        while True:
            page = self.run_page("key table", number, KEY_LEAF, KEY_BRANCH)
            if u32(page, 4) == KEY_LEAF:
                return key in self.leaf_keys(page)
            chosen = None
            for child, separator, cut in self.branches(page):
                if cut and key[:len(separator)] == separator:
                    separator = next(self.walk_keys(child))
                if chosen is not None and separator > key:
                    break
                chosen = child
            number = chosen

    # Hash index.

    def slots_of(self, page_number):
        link, first = page_number, True
        while first or link != 0:
            page = self.run_page("hash index", link, HASH_SLOTS)
            need(u32(page, 48) <= 252, "slots of a page")
            for slot in range(u32(page, 48)):
                yield struct.unpack_from("<QQ", page, 64 + 16 * slot)
            link, first = u32(page, 52), False

    def check_slots(self):
        slots = [(number, *slot) for number in range(self.hash_pages) for slot in self.slots_of(number)]
        need([slot[1] for slot in slots] == sorted(slot[1] for slot in slots), "the slots are not in order")
        keys = []
        for number, hashed, paddr in slots:
            need(hashed * self.hash_pages >> 64 == number, "a slot is in the wrong page")
            record = self.record_at_place(paddr)
            need(record.hash == hashed and record.seqno <= self.cut and record.type == 0, "a slot and its record differ")
            keys.append(record.key)
        need(len(keys) == u64(self.page, 256), "the superblock counts other keys than there are slots")
        need(u64(self.page, 640) != 0 or sorted(keys) == self.key_table, "hash index and key table hold different keys")
        self.trace(f"  {len(slots)} slots in {self.hash_pages} page(s); {len(self.key_table)} keys in order.")

    def lookup(self, key):
        hashed = hash64(key, self.seed)
        for slot_hash, paddr in self.slots_of(hashed * self.hash_pages >> 64):
            if slot_hash == hashed:
                record = self.record_at_place(paddr)
                if record.key == key:
                    return record
        return None

    # Segments and records.

    def segment_of(self, paddr):
        at = bisect.bisect_right([segment.paddr for segment in self.segments], paddr) - 1
        need(at >= 0 and paddr < self.segments[at].paddr + self.segments[at].size, f"{paddr:#x} lies in no segment")
        return self.segments[at]

    def record(self, segment, offset):
        paddr = segment.paddr + offset
        if offset + 48 > segment.size or paddr + 44 > len(self.data):
            return None
        header_crc = crc(crc(segment.life, struct.pack("<Q", offset)), self.data[paddr + 4:paddr + 44])
        if u32(self.data, paddr) != header_crc:
            return None
        record = Record(self.data, paddr, header_crc)
        possible = record.type <= 1 and record.encoding <= (2 if record.type == 0 else 0) and record.flags & ~0xF2 == 0 and 1 <= record.key_len <= 65535
        return record if possible else None

    @functools.lru_cache(maxsize=None)
    def record_at_place(self, paddr):
        segment = self.segment_of(paddr)
        record = self.record(segment, paddr - segment.paddr)
        need(record and record.whole, f"no whole record at {paddr:#x}")
        need(hash64(record.key, self.seed) == record.hash, f"record {record.seqno}: hash")
        return record

    def footer(self, segment):
        end = segment.paddr + segment.size
        if end > len(self.data) or self.data[end - 128:end - 124] != b"KVBF":
            return None
        points = 16 * u32(self.data, end - 124)
        if points > 16 * (segment.size // 65536):
            return None
        start = crc(segment.life, struct.pack("<Q", segment.size - 128))
        if u32(self.data, end - 4) != crc(start, self.data[end - 128 - points:end - 4]):
            return None
        ends_at, last = struct.unpack_from("<QQ", self.data, end - 120)
        link, next_base = struct.unpack_from("<QQQ", self.data, end - 72), u64(self.data, end - 48)
        cut = u32(self.data, end - 40) & 1
        possible = (128 <= ends_at <= segment.limit and link[1] % PAGE == 0 and next_base > last and
                    (cut or next_base == last + 1))
        return (ends_at, last, link, next_base, cut) if possible else None

    def enter(self, link, offset, expected):
        ident, paddr, salt = link
        header = self.data[paddr:paddr + 128]
        if len(header) < 128 or header[:4] != b"KVBS" or u32(header, 4) != 128 or u32(header, 124) != crc(0, header[:124]):
            return None
        base = u64(header, 64)
        if header[8:24] != self.uuid or struct.unpack_from("<QQQ", header, 24) != link or base > expected:
            return None
        if offset == 128 and base != expected:
            return None
        segment = next((known for known in self.segments if known.link == link), None)
        if segment is None:
            segment = Segment(ident, paddr, salt, u64(header, 48), self.uuid)
            bisect.insort(self.segments, segment, key=lambda one: one.paddr)
        return segment

    def replay(self):
        link = struct.unpack_from("<QQQ", self.page, 216)
        offset, expected = u64(self.page, 240), u64(self.page, 248)
        self.journal = {}
        while True:
            segment = self.enter(link, offset, expected)
            if segment is None:
                self.trace(f"Segment {link[0]}, promised at {link[1]:#x}, is not there: the log ends before record {expected}.")
                need(expected > self.trusted, "the log ends before records that were synced")
                return
            footer = self.footer(segment)
            self.trace(f"Segment {link[0]} at {link[1]:#x}, from offset {offset}, record {expected}"
                       f"{'' if footer is None else ', ends at offset ' + str(footer[0]) + (' (cut)' if footer[4] else '')}.")
            batch, at, seqno = [], offset, expected
            limit = footer[0] if footer else segment.limit
            while not (footer and not batch and offset == limit):
                record = self.record(segment, at)
                ok = record and record.seqno == seqno and record.bytes <= limit - at
                if not (ok and record.whole):
                    need(seqno > self.trusted, f"record {seqno} was synced, and is damaged or gone")
                    self.trace(f"At offset {at} is no record {seqno}: the log ends before record {expected}.")
                    return
                batch.append(record)
                at, seqno = at + record.bytes, seqno + 1
                if record.flags & 2 == 0:
                    for one in batch:
                        self.journal[one.key] = one
                        self.see(one.timestamp)
                        self.trace(f"  record {one.seqno}: {'DELETE' if one.type else 'PUT'} {one.key[:40]!r}")
                    batch, offset, expected = [], at, seqno
            need(footer[1] == expected - 1, "a footer does not fit its records")
            link, offset, expected = footer[2], 128, footer[3]

    def see(self, timestamp):
        """The time of a record in the journal."""
        if timestamp - self.newest_wall > DAY and self.newest_wall != 0:
            self.beyond_jump.append(timestamp)
        else:
            self.newest_wall = max(self.newest_wall, timestamp)

    def contents(self, now):
        """The record of each key that has a value."""
        if self.beyond_jump and now - self.beyond_jump[0] >= HOUR:
            self.newest_wall = max(self.newest_wall, *self.beyond_jump)
        # A jump of more than a day does not count for older records: nobody has had the bucket open for an hour here.
        jump = now - self.newest_wall if now - self.newest_wall > DAY else 0
        jumped_from = self.newest_wall + DAY
        now = max(now, self.newest_wall, *self.beyond_jump)  # A clock that was set back revives nothing.
        for key in sorted(set(self.key_table) | set(self.journal)):
            need(not self.features & 1 or self.is_in_key_table(key) == (key in self.key_table), "search in the key table")
            record = self.journal.get(key) or self.lookup(key)
            need(record, "a key of the key table is not in the hash index")
            until = now - jump if record.timestamp < jumped_from else now
            if record.type == 0 and (record.expires_at() is None or record.expires_at() > until):
                yield record


def show(path, now, tracing):
    with open(path, "rb") as file:
        data = file.read()
    bucket = Bucket(data, print if tracing else lambda text: None)
    for record in bucket.contents(now):
        if record.encoding != 0:
            record.value = decompress(record.encoding, record.value, bucket.dictionaries)
        kind = ("bytes", "text", "json")[record.flags >> 4 & 15]
        if tracing:
            print(f"{record.key[:40]!r} = {record.value[:40]!r} ({kind}, record {record.seqno})")
        else:
            print(record.key.hex(), record.value.hex() or "-", kind, record.seqno)


def main(arguments):
    now, tracing = 0, False
    while arguments and arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option == "--now":
            now = int(arguments.pop(0))
        elif option == "--trace":
            tracing = True
        else:
            sys.exit(__doc__)
    if not arguments:
        sys.exit(__doc__)
    for path in arguments:
        if len(arguments) > 1:
            print("==", path)
        try:
            show(path, now, tracing)
        except (Contradiction, struct.error) as error:
            sentence = f"{path}: contradicts docs/FORMAT.md: {error}"
            if len(arguments) == 1:
                sys.exit(sentence)
            print(sentence)


if __name__ == "__main__":
    main(sys.argv[1:])
