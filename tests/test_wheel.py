"""The wheel holds all that the command needs, outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_runs_outside_the_checkout(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, ROOT],
        check=True,
        env={**os.environ, "PIP_CONSTRAINT": str(ROOT / "scripts" / "constraints.txt")},
    )
    (wheel,) = tmp_path.glob("trio_mev-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(installed)
    assert {
        "trio_mev/py.typed",
        "trio_mev/loopback/demo.tape",
        "trio_mev/cli/public.toml",
        "trio_mev/cli/own-node.toml",
        "trio_mev/sinks/report/assets/page.html",
        "trio_mev/sinks/report/assets/charts.js",
        "trio_mev/sinks/report/assets/style.css",
        "trio_mev/loopback/demo.toml",
    } <= names
    assert not any(name.startswith(("tests", "docs", "scripts")) for name in names)
    where = "import trio_mev, sys; sys.stdout.write(trio_mev.__file__)"
    elsewhere = {**os.environ, "PYTHONPATH": str(installed)}
    run = {"cwd": tmp_path, "env": elsewhere, "capture_output": True, "text": True, "check": True}
    found = subprocess.run([sys.executable, "-c", where], **run).stdout
    assert Path(found).is_relative_to(installed)
    demo = subprocess.run([sys.executable, "-m", "trio_mev", "--for", "2", "--json"], **run)
    summary = json.loads(demo.stdout.splitlines()[-1])
    assert summary["kind"] == "summary"
    assert summary["events"]["quote"] > 0
