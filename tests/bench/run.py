#!/usr/bin/env python3
"""The benchmark and its report: that they run and say what is so. No figure of it is judged here.

kvb_bench goes through all of its workloads with a small store; it checks every value that it reads, and the survivors of a kill.
The report is made of planted figures, and docs/BENCHMARKS.md must be what its own results say.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import bench_report  # noqa: E402
import checks  # noqa: E402

BENCH = pathlib.Path(os.environ.get("WFLKS_BUILD") or checks.source() / "build" / "full") / "bench" / "kvb_bench"
MACHINE = {"cpu": "a processor", "cores": 2, "memory_bytes": 2 ** 34, "kernel": "Linux", "file_system": "ext4"}


def run(*arguments):
    return subprocess.run([str(BENCH), *arguments], capture_output=True, text=True, errors="replace", timeout=300, check=False)


def planted(**results):
    return bench_report.Results({"machine": MACHINE, "date": "today", "keys": 1000, "rounds": 2, "quick": True, "seconds": 60, "load_averages": [0.5],
                                 "stores": [{"name": n, "version": "1", "settings": "none"} for n in ("kvb", "lmdb", "tkrzw-hash")],
                                 "absent": [], "failures": [], "results": results})


def row(results, metric):
    return next(r for r in results.rows() if r.metric == metric)


def test_program(test):
    listed = run("--list")
    test.check("--list names workloads and stores", listed.returncode == 0 and "get_uniform" in listed.stdout and "kvb" in listed.stdout, listed.stderr)
    workloads = [line.strip() for line in listed.stdout.split("Stores:")[0].splitlines()[1:] if line.strip()]

    with tempfile.TemporaryDirectory(prefix="wflks-bench-") as folder:
        path = pathlib.Path(folder) / "results.json"
        done = run("--quick", "--keys", "10000", "--rounds", "2", "--engines", "kvb", "--no-growth", "--folder", folder, "--json", str(path))
        test.check("all workloads run", done.returncode == 0, done.stdout + done.stderr)
        results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"results": {}, "failures": ["no results"]}
        test.check("none of them failed", results["failures"] == [], results["failures"])
        main_figure = {"get_two_threads": "get_uniform_2_threads", "compact": "compact.bytes_a_record", "put_latency": "put_latency.median_ns",
                       "large_values": "large_get.512k"}
        missing = [w for w in workloads if not w.endswith("_grown") and main_figure.get(w, w) not in results["results"]]
        test.check("each of them reports its figure", missing == [], missing)
        wrong = {m: v for m, v in results["results"].items() if len(v.get("kvb", [])) != (2 if "kvb" in v else 0) or min(v.get("kvb", [0])) < 0}
        test.check("each figure has a value of each round", wrong == {}, wrong)
        test.check("durable writes survive a kill", results["results"].get("open_after_kill.lost", {}).get("kvb") == [0, 0], results["results"].get("open_after_kill.lost"))
        test.check("nothing is left behind", list(pathlib.Path(folder).iterdir()) == [path], list(pathlib.Path(folder).iterdir()))

    for arguments, answer in ((["--only", "no_such"], "there is no workload named no_such"), (["--engines", "no_such"], "there is no store named no_such")):
        refused = run(*arguments)
        test.check(f"{arguments} is refused", refused.returncode == 1 and answer in refused.stderr, refused.stderr)


def test_report(test):
    results = planted(get_uniform={"kvb": [300.0, 100.0, 200.0], "lmdb": [100.0, 50.0, 80.0], "tkrzw-hash": [160.0, 100.0, 160.0]},
                      open_clean={"kvb": [0.5, 0.5], "lmdb": [0.25, 0.25]},
                      churn={"kvb": [100.0], "tkrzw-hash": [100.0]},
                      put_durable={"kvb": [95.0], "bare": [100.0], "rocksdb": [50.0], "lmdb": [10.0]})
    gets = row(results, "get_uniform")
    test.check("a figure is the median", gets.ours == 200.0)
    test.check("the best peer is found", gets.best == "tkrzw-hash" and abs(gets.ratio - 1.25) < 1e-9, (gets.best, gets.ratio))
    test.check("one missed target of two is missed", gets.met is False and [t.met for t in gets.targets] == [False, True])
    opens = row(results, "open_clean")
    test.check("less is better where it is", opens.best == "lmdb" and opens.ratio == 0.5 and opens.met is True, (opens.best, opens.ratio, opens.met))
    test.check("a ratio of 1 does not meet 1.3", row(results, "churn").met is False)
    durable = row(results, "put_durable")
    test.check("the machine is a bound and no peer", durable.best == "rocksdb" and durable.met is True, (durable.best, durable.met))
    test.check("what was not measured is no row", all(r.metric != "iterate" for r in results.rows()))
    with tempfile.TemporaryDirectory(prefix="wflks-bench-") as folder:
        bench_report.write(results, folder)
        page = (pathlib.Path(folder) / "BENCHMARKS.md").read_text(encoding="utf-8")
        test.check("the page says what is missed", "≥ 1.3 × tkrzw-hash (is 1.25)" in page and "**no**" in page, page)
        for name in ("ratios.svg", "stores.svg"):
            text = (pathlib.Path(folder) / "benchmarks" / name).read_text(encoding="utf-8")
            test.check(f"{name} is a picture", text.startswith("<svg") and text.endswith("</svg>\n"), text[:80])
    test.check("docs/BENCHMARKS.md is what its results say", bench_report.check() == 0, "run scripts/bench_report.py docs/benchmarks/results.json --write docs")


def main():
    test = checks.Checks()
    test_report(test)
    if test.check("kvb_bench is built", BENCH.exists(), BENCH):
        test_program(test)
    return test.finish()


if __name__ == "__main__":
    sys.exit(main())
