"""What the tests of the wfl command's tools share: a scratch folder and a way to run the command in it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

WFL = os.path.abspath(os.environ.get("WFL") or shutil.which("wfl") or "wfl")


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.assertTrue(os.path.exists(WFL), "set WFL to the wfl command")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wfl-tools-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "WFL_GLOBAL_CONFIG_PATH": str(self.folder / "no-such-file"),
        }
        # Under sanitizers, what they were told from outside holds.
        self.environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def wfl(self, *arguments, text="", code=None):
        done = subprocess.run([WFL, *arguments], input=text.encode(), capture_output=True, cwd=self.folder,
                              env=self.environment, timeout=60)
        result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
        if code is not None:
            self.assertEqual(result.code, code, result.out + result.err)
        return result
