#!/usr/bin/env python3
"""Makes tables, plots and docs/BENCHMARKS.md of what kvb_bench has measured.

    scripts/bench_report.py RESULTS.json                    print the table
    scripts/bench_report.py RESULTS.json --write FOLDER     write BENCHMARKS.md and benchmarks/*.svg, *.json there too
    scripts/bench_report.py --check                         fail if docs/ is not what its results say

The rows and their targets are in bench/kvb/targets.toml, the parts that a person writes in bench/kvb/report/*.md. A figure is the
median over the rounds. A ratio says how many times as good as the best peer the store is: above 1 it is better, in time, bytes
and operations a second alike. Its range is that of the single rounds.
"""

import argparse
import json
import math
import pathlib
import shutil
import statistics
import sys
import tempfile
import tomllib
from xml.sax.saxutils import escape

SOURCE = pathlib.Path(__file__).resolve().parent.parent
OURS = "kvb"
BARE = "bare"


def shown(value, unit):
    """A number as a person reads it."""
    if value is None:
        return "–"
    if unit in ("ms", "×", "bytes", "records", "MB"):
        return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}" if value < 10 else f"{value:.1f}"
    if unit == "ns":
        return f"{value:,.0f}" if value < 1e5 else f"{value / 1e6:.2f} M"
    if unit == "MB/s":
        return f"{value / 1000:.2f} GB/s" if value >= 1000 else f"{value:.0f} MB/s"
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    if value >= 1e4:
        return f"{value / 1e3:.0f} k"
    return f"{value / 1e3:.1f} k" if value >= 1e3 else f"{value:.0f}"


def factor(value):
    return f"{value:.3f}" if value < 0.095 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


class Target:
    """One bound of a row, and how far it is reached."""

    def __init__(self, what, row, results):
        self.at_least, self.at_most = what.get("at_least"), what.get("at_most")
        self.of, self.metric = what.get("of"), what.get("metric", row.metric)
        self.value = None
        if self.at_most is not None:
            self.text = f"≤ {self.at_most:g}"
            self.value = row.ours
            self.met = None if row.ours is None else row.ours <= self.at_most
        elif self.of is None:
            self.text = f"≥ {self.at_least:g}"
            self.value = row.ours
            self.met = None if row.ours is None else row.ours >= self.at_least
        else:
            store = "" if self.of == OURS and self.metric != row.metric else self.of
            self.text = f"≥ {self.at_least:g} × {store or 'that of ' + self.metric}"
            theirs = results.median(self.metric, self.of)
            self.value = row.better(row.ours, theirs)
            self.met = None if self.value is None else self.value >= self.at_least

    def __str__(self):
        if self.of is None or self.value is None:
            return self.text
        return f"{self.text} (is {factor(self.value)})"


class Row:
    def __init__(self, what, results):
        self.title, self.metric, self.unit = what["title"], what["metric"], what["unit"]
        self.lower = what.get("lower", False)
        self.ours = results.median(self.metric, OURS)
        left_out = {OURS, BARE, *what.get("without", [])}
        peers = {s: results.median(self.metric, s) for s in results.of(self.metric) if s not in left_out} if what.get("peers", True) else {}
        self.best = (min if self.lower else max)(peers, key=peers.get, default=None)
        self.best_value = peers.get(self.best)
        self.ratio = self.better(self.ours, self.best_value)
        self.range = self.rounds(results)
        ours, theirs = (results.median(self.metric + ".cpu_ns", store) for store in (OURS, self.best))
        self.cpu_ratio = theirs / ours if ours and theirs else None
        self.targets = [Target(t, self, results) for t in what.get("targets", [])]

    def better(self, ours, theirs):
        """How many times as good ours is; nothing if that cannot be said."""
        if ours is None or theirs is None:
            return None
        if self.lower:
            return theirs / ours if ours > 0 else None
        return ours / theirs if theirs > 0 else None

    def rounds(self, results):
        if self.best is None:
            return None
        pairs = zip(results.of(self.metric).get(OURS, []), results.of(self.metric)[self.best])
        ratios = [r for r in (self.better(a, b) for a, b in pairs) if r is not None]
        return (min(ratios), max(ratios)) if len(ratios) > 1 else None

    @property
    def met(self):
        states = [t.met for t in self.targets]
        if not states:
            return None
        return False if False in states else None if None in states else True


class Results:
    def __init__(self, data):
        self.data = data

    def of(self, metric):
        return self.data.get("results", {}).get(metric, {})

    def median(self, metric, store):
        values = self.of(metric).get(store)
        return statistics.median(values) if values else None

    def noise(self):
        """The spread of the rounds, half and nine tenths of all figures: (max - min) / median."""
        spreads = sorted((max(v) - min(v)) / statistics.median(v)
                         for stores in self.data.get("results", {}).values() for v in stores.values() if len(v) > 1 and statistics.median(v) > 0)
        if not spreads:
            return None
        return spreads[len(spreads) // 2], spreads[len(spreads) * 9 // 10]

    def rows(self):
        with open(SOURCE / "bench" / "kvb" / "targets.toml", "rb") as file:
            table = tomllib.load(file)["row"]
        rows = [Row(what, self) for what in table]
        return [row for row in rows if row.ours is not None]


def cells(row):
    ratio = "–" if row.ratio is None else factor(row.ratio)
    if row.range:
        ratio += f" ({factor(row.range[0])}–{factor(row.range[1])})"
    best = "–" if row.best is None else f"{row.best} {shown(row.best_value, row.unit)}"
    target = ", ".join(str(t) for t in row.targets) or "–"
    met = {True: "yes", False: "**no**", None: "–"}[row.met]
    unit = "" if row.unit in ("×", "op/s", "MB/s") else f" {row.unit}"
    return [row.title, shown(row.ours, row.unit) + unit, best, ratio, "–" if row.cpu_ratio is None else factor(row.cpu_ratio), target, met]


HEAD = ["workload", "ours", "best peer", "ratio", "by CPU", "target", "met"]


def print_table(results):
    lines = [HEAD] + [[c.replace("**", "") for c in cells(row)] for row in results.rows()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    for line in lines:
        print("  ".join(cell.ljust(width) if i in (0, 5) else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
    rows = [r for r in results.rows() if r.met is not None]
    print(f"\n{sum(r.met for r in rows)} of {len(rows)} targets met.")


def markdown(head, lines, left=1):
    out = ["| " + " | ".join(head) + " |", "| " + " | ".join(["---"] * left + ["---:"] * (len(head) - left)) + " |"]
    return "\n".join(out + ["| " + " | ".join(line) + " |" for line in lines])


def svg(width, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="Helvetica, Arial, sans-serif" font-size="12">\n'
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}</svg>\n')


def draw_ratios(rows):
    """A bar a row, on a scale that doubles: right of the line at 1 the store is better than the best peer."""
    rows = [r for r in rows if r.ratio]
    left, plot, step, top = 400, 480, 20, 44
    low, high = -4, 4  # Powers of two.

    def x(ratio):
        return left + plot * (min(max(math.log2(ratio), low), high) - low) / (high - low)

    body = ['<text x="20" y="20" font-size="15" font-weight="bold">How many times as good as the best peer</text>\n']
    bottom = top + step * len(rows)
    for power in range(low, high + 1):
        at = x(2.0 ** power)
        label = f"{2 ** power}" if power >= 0 else f"1/{2 ** -power}"
        body.append(f'<line x1="{at:.1f}" y1="{top - 4}" x2="{at:.1f}" y2="{bottom}" stroke="{"#555" if power == 0 else "#ddd"}"/>'
                    f'<text x="{at:.1f}" y="{top - 8}" text-anchor="middle" fill="#555">{label}</text>\n')
    for i, row in enumerate(rows):
        y = top + i * step
        color = "#7a9cc6" if row.met is None else "#5aa469" if row.met else "#d08159"
        begin, end = sorted((x(1), x(row.ratio)))
        body.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(row.title)}</text>'
                    f'<rect x="{begin:.1f}" y="{y + 3}" width="{max(end - begin, 1):.1f}" height="{step - 6}" fill="{color}"/>'
                    f'<text x="{left + plot + 8}" y="{y + 14}">{factor(row.ratio)} × {escape(row.best)}</text>\n')
    body.append(f'<text x="{left}" y="{bottom + 18}" fill="#555">green: the target is met; orange: it is not; blue: there is none</text>\n')
    return svg(left + plot + 150, bottom + 30, "".join(body))


def draw_stores(results, rows):
    """For some workloads, all stores beside each other."""
    wanted = ["load_random", "put_relaxed", "put_durable", "put_durable_8_threads", "get_uniform", "get_uniform_2_threads", "get_miss", "scan_prefix",
              "iterate", "iterate_compacted", "ycsb_a", "ycsb_b", "churn", "large_put.512k", "large_get.512k"]
    panels = [r for name in wanted for r in rows if r.metric == name]
    columns, width, bar, gap = 3, 330, 15, 18
    stores = [s["name"] for s in results.data["stores"]]
    height = 34 + bar * (len(stores) + 1) + gap
    body = []
    for i, row in enumerate(panels):
        ox, oy = 10 + (i % columns) * width, 10 + (i // columns) * height
        body.append(f'<text x="{ox}" y="{oy + 16}" font-weight="bold">{escape(row.title[:44])}</text>\n')
        values = {s: results.median(row.metric, s) for s in [*stores, BARE] if results.median(row.metric, s) is not None}
        longest = max(values.values()) or 1
        for j, (store, value) in enumerate(values.items()):
            y = oy + 24 + j * bar
            body.append(f'<text x="{ox + 72}" y="{y + 11}" text-anchor="end">{store}</text>'
                        f'<rect x="{ox + 78}" y="{y + 1}" width="{max(150 * value / longest, 1):.1f}" height="{bar - 3}" '
                        f'fill="{"#5aa469" if store == OURS else "#c9c9c9" if store == BARE else "#7a9cc6"}"/>'
                        f'<text x="{ox + 84 + 150 * value / longest:.1f}" y="{y + 11}" fill="#333">{shown(value, row.unit)}</text>\n')
    return svg(columns * width + 10, 10 + height * ((len(panels) + columns - 1) // columns), "".join(body))


def hand_written(name):
    return (SOURCE / "bench" / "kvb" / "report" / name).read_text(encoding="utf-8").strip()


def page(results, rows):
    data = results.data
    machine = data["machine"]
    noise = results.noise()
    judged = [r for r in rows if r.met is not None]
    loads = data.get("load_averages") or [0]
    stores = [s["name"] for s in data["stores"]]
    failures = [f"- {f['store']}, {f['step']}: {f['message']}" for f in data["failures"]]
    every = sorted(data["results"])
    parts = [
        "# Benchmarks",
        "<!-- Written by scripts/bench_report.py from benchmarks/results.json and bench/kvb/report/*.md. Change those instead. -->",
        hand_written("intro.md"),
        "## This run",
        f"{data['date']}, {data['keys']:,} keys, {data['rounds']} round{'s' if data['rounds'] != 1 else ''}, {data['seconds'] / 60:.0f} minutes. {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['memory_bytes'] / 2 ** 30:.0f} GiB of memory, {machine['kernel']}, {machine['file_system']}."
        + (f" The rounds of a figure lie {noise[0] * 100:.0f} % apart in the median, and {noise[1] * 100:.0f} % for one figure in ten." if noise else "")
        + f" Load average before each round: {', '.join(f'{x:.1f}' for x in loads)}"
        + (" (other programs used the machine meanwhile)." if max(loads) > 2.5 else ".")
        + ("" if data.get("complete", True) else " The run was ended before all its rounds were through.")
        + (" " + data["notes"] if data.get("notes") else ""),
        f"**{sum(r.met for r in judged)} of {len(judged)} targets are met.**"
        + ("" if data["keys"] == 1_000_000 else " They are about 1,000,000 keys, so this says little."),
        "## Targets",
        "*ratio*: how many times as good as the best peer, and in brackets the range of the rounds; above 1 is better, whatever the unit. "
        "*by CPU*: the same in processor time an operation, with that of the threads in the background, which other programs on the machine "
        "disturb less. The targets name the store that they are about.",
        markdown(HEAD, [cells(row) for row in rows]),
        "![Ratios](benchmarks/ratios.svg)",
        "![All stores](benchmarks/stores.svg)",
        hand_written("findings.md"),
        "## All figures",
        "Medians. Units are those of the table above; `bare` is the machine without a store.",
        markdown(["figure", *stores, BARE], [[f"`{m}`", *(plain(results.median(m, s)) for s in [*stores, BARE])] for m in every]),
        *(["These did not work:", "\n".join(failures)] if failures else []),
        "## Settings",
        hand_written("settings.md"),
        markdown(["store", "version", "settings"], [[s["name"], s["version"], s["settings"]] for s in data["stores"]], left=3),
    ]
    return "\n\n".join(parts) + "\n"


def plain(value):
    if value is None:
        return "–"
    if value >= 100000:
        return f"{value / 1e6:.2f} M"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def write(results, folder):
    folder = pathlib.Path(folder)
    pictures = folder / "benchmarks"
    pictures.mkdir(parents=True, exist_ok=True)
    rows = results.rows()
    (pictures / "ratios.svg").write_text(draw_ratios(rows), encoding="utf-8")
    (pictures / "stores.svg").write_text(draw_stores(results, rows), encoding="utf-8")
    (pictures / "results.json").write_text(json.dumps(results.data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "BENCHMARKS.md").write_text(page(results, rows), encoding="utf-8")


def check():
    """What is in docs/ must be what its results say."""
    docs = SOURCE / "docs"
    results = Results(json.loads((docs / "benchmarks" / "results.json").read_text(encoding="utf-8")))
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="wflks-bench-report."))
    try:
        write(results, scratch)
        wrong = [name for name in ("BENCHMARKS.md", "benchmarks/ratios.svg", "benchmarks/stores.svg", "benchmarks/results.json")
                 if not (docs / name).exists() or (docs / name).read_bytes() != (scratch / name).read_bytes()]
    finally:
        shutil.rmtree(scratch)
    for name in wrong:
        print(f"docs/{name} is not what docs/benchmarks/results.json says: run scripts/bench_report.py docs/benchmarks/results.json --write docs", file=sys.stderr)
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", help="what kvb_bench --json wrote")
    parser.add_argument("--write", metavar="FOLDER", help="also write the page and its plots there")
    parser.add_argument("--check", action="store_true", help="compare docs/ with its own results")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    if not arguments.results:
        parser.error("the results are missing: a file that kvb_bench --json wrote")
    results = Results(json.loads(pathlib.Path(arguments.results).read_text(encoding="utf-8")))
    print_table(results)
    if arguments.write:
        write(results, arguments.write)
        print(f"Written: {arguments.write}/BENCHMARKS.md and {arguments.write}/benchmarks/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
