"""stats beside a writer, its metrics for Prometheus, and top."""

import json
import os
import re
import subprocess
import time
import unittest

from support import KVB, USAGE, KvbTest

METRIC = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')


def parse_metrics(text):
    """Prometheus' text format 0.0.4, strictly: {name: (type, {labels: value})}. What is wrong with it is an AssertionError."""
    families, helped, family = {}, set(), None
    assert text.endswith("\n"), "the last line has no end"
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, meaning = line[7:].partition(" ")
            assert name not in helped and meaning, line
            helped.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name not in families and name in helped, f"{line}: twice, or without HELP"
            assert kind in ("counter", "gauge", "histogram"), line
            families[name], family = (kind, {}), name
        else:
            match = METRIC.match(line)
            assert match, f"no metric: {line!r}"
            name, labels, value = match.groups()
            kind, samples = families[family]
            part = name.removeprefix(family)
            assert part in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",)), f"{line}: not of {family}"
            assert kind != "counter" or name.endswith("_total"), line
            pairs = LABEL.findall(labels or "")
            unescaped = tuple((k, re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], v)) for k, v in pairs)
            assert (part, unescaped) not in samples, f"{line}: twice"
            samples[part, unescaped] = float(value)
    for name, (kind, samples) in families.items():
        assert samples, f"{name} has no sample"
        if kind == "histogram":
            buckets = [(float(dict(labels)["le"]), value) for (part, labels), value in samples.items() if part == "_bucket"]
            assert buckets == sorted(buckets), f"{name}: its buckets do not rise"
            assert [count for _, count in buckets] == sorted(count for _, count in buckets), f"{name}: they do not add up"
            assert buckets[-1][0] == float("inf"), name
            total = [value for (part, _), value in samples.items() if part == "_count"]
            assert total == [buckets[-1][1]], f"{name}: not all are in the last bucket"
    return families


class BesideAWriter(KvbTest):
    def metrics(self, bucket=None):
        return parse_metrics(self.ok("stats", bucket or self.bucket, "--format", "prometheus").decode())

    def value(self, families, name, part=""):
        found = [value for (of, _), value in families[name][1].items() if of == part]
        self.assertEqual(len(found), 1, name)
        return found[0]

    def writer(self):
        """A program that has the bucket open for writing: an import whose lines come from here."""
        process = subprocess.Popen([KVB, "import", self.bucket, "-", "--replace", "--format", "json"], cwd=self.folder,
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

        def end():
            process.stdin.close()
            process.wait(30)

        self.addCleanup(end)
        return process

    def wait_for_puts(self, count, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stats = json.loads(self.ok("stats", self.bucket, "--format", "json"))
            if stats["writer"] and stats["writer"]["puts"] >= count:
                return stats
            time.sleep(0.05)
        self.fail(f"no writer that has put {count} values")

    def feed(self, process, count):
        lines = "".join(json.dumps({"key": f"k{i % 500}", "value": "x" * 50}) + "\n" for i in range(count))
        process.stdin.write(lines.encode())
        process.stdin.flush()


class Stats(BesideAWriter):
    def test_metrics_without_a_writer(self):
        self.init(a="1", b="2")
        families = self.metrics()
        self.assertEqual(self.value(families, "kvb_keys"), 2)
        self.assertEqual(self.value(families, "kvb_writer_up"), 0)
        self.assertEqual(self.value(families, "kvb_file_bytes"), os.path.getsize(self.path(self.bucket)))
        self.assertTrue(0 <= self.value(families, "kvb_garbage_ratio") <= 1)
        self.assertFalse([name for name in families if name.startswith("kvb_writer_") and name != "kvb_writer_up"])
        self.assertEqual(next(iter(families["kvb_keys"][1]))[1], (("bucket", self.bucket),))

    def test_any_name_is_a_label(self):
        for name in ('quo"te', "back\\slash", "new\nline", "ümlaut"):
            self.ok("init", name)
            self.assertEqual(next(iter(self.metrics(name)["kvb_keys"][1]))[1], (("bucket", name),))

    def test_beside_a_writer(self):
        self.ok("init", self.bucket)
        writer = self.writer()
        self.feed(writer, 4_000)
        stats = self.wait_for_puts(3_000)
        self.assertEqual(stats["writer"]["pid"], writer.pid)
        latency = stats["writer"]["latency"]["write"]
        self.assertGreater(latency["count"], 0)
        self.assertTrue(0 < latency["p50_ns"] <= latency["p99_ns"] <= latency["max_ns"])
        self.assertGreaterEqual(stats["writer"]["write_amplification"], 1)
        families = self.metrics()
        self.assertEqual(self.value(families, "kvb_writer_up"), 1)
        self.assertGreaterEqual(self.value(families, "kvb_writer_puts_total"), 3_000)
        self.assertGreater(self.value(families, "kvb_writer_sync_seconds", "_count"), 0)
        self.assertGreater(self.value(families, "kvb_writer_sync_seconds", "_sum"), 0)
        self.assertGreater(self.value(families, "kvb_writer_opened_seconds"), 1.7e9)
        table = self.ok("stats", self.bucket).decode()
        self.assertIn(f"Process {writer.pid}, which has been writing since", table)
        self.assertRegex(table, r"(?m)^  write +[\d,]+ +[\d.]+ (ns|us|ms|s) ")

    def test_after_the_writer_was_killed_nobody_writes(self):
        self.ok("init", self.bucket)
        writer = self.writer()
        self.feed(writer, 2_000)
        self.wait_for_puts(1_000)
        writer.kill()
        writer.wait()
        self.assertIsNone(json.loads(self.ok("stats", self.bucket, "--format", "json"))["writer"])

    def test_wrong_format(self):
        self.ok("init", self.bucket)
        self.fails(USAGE, "stats", self.bucket, "--format", "promethues", says="table, json or prometheus")


class Top(BesideAWriter):
    def test_rates_as_json(self):
        self.ok("init", self.bucket)
        writer = self.writer()
        self.feed(writer, 2_000)
        self.wait_for_puts(1_000)
        top = subprocess.Popen([KVB, "top", self.bucket, "--interval", "1200ms", "--count", "1", "--format", "json"], cwd=self.folder,
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        time.sleep(0.3)
        self.feed(writer, 3_000)
        look = json.loads(top.communicate(timeout=30)[0])
        self.assertGreater(look["writes_per_second"], 100)
        self.assertEqual(look["writer"]["pid"], writer.pid)
        self.assertEqual(top.returncode, 0)

    def test_without_a_writer_it_says_so(self):
        self.init(a="1")
        text = self.ok("top", self.bucket, "--interval", "10ms", "--count", "2").decode()
        self.assertEqual(text.count("nobody has it open for writing"), 2)
        look = json.loads(self.ok("top", self.bucket, "--interval", "10ms", "--count", "1", "--format", "json"))
        self.assertIsNone(look["writer"])
        self.assertEqual(look["keys"], 1)

    def test_wrong_words(self):
        self.init(a="1")
        self.fails(USAGE, "top", self.bucket, "--interval", "often")
        self.fails(USAGE, "top", self.bucket, "--count", "-1")
        self.fails(3, "top", "nowhere.kvb", says="no such file|Check the name")


if __name__ == "__main__":
    unittest.main()
