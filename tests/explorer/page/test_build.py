"""The committed page is what its sources build, and its genetics pass their own tests. Needs npm."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from stylegenes.explorer.page import PAGE
from stylegenes.latents.genome import Genome

SOURCES = Path(__file__).parents[3] / "explorer"


@pytest.fixture(scope="module")
def npm():
    found = shutil.which("npm")
    if found is None:
        pytest.skip("no npm here: the page cannot be rebuilt")
    if not (SOURCES / "node_modules/vite").is_dir():
        done = subprocess.run([found, "ci", "--no-audit", "--no-fund"], cwd=SOURCES, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm ci did not succeed here: {done.stderr[-200:]}")
    return found


def run(*line):
    done = subprocess.run(line, cwd=SOURCES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def files(folder):
    """The files of a page by name; packed ones as what is in them, since packers differ."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in found.items()}


def test_the_committed_page_is_what_the_sources_build(npm, tmp_path):
    run(npm, "run", "--silent", "build", "--", "--outDir", str(tmp_path / "page"), "--logLevel", "warn")
    built, kept = files(tmp_path / "page"), files(PAGE)
    assert sorted(built) == sorted(kept), "build it again: npm run build (in explorer/), and commit"
    assert [name for name in built if built[name] != kept[name]] == []


def test_the_genetics_pass_their_own_tests(npm):
    run(npm, "test", "--silent")


def test_the_strings_that_the_page_is_tested_with_are_ours():
    for shape in json.loads((SOURCES / "test/strings.json").read_text()):
        genome = Genome(shape["genes"], shape["genes"], num_variants=shape["variants"])
        assert genome.from_strings(shape["strings"]).tolist() == shape["codes"]


def test_sources_name_no_other_host():
    for path in (*SOURCES.glob("src/**/*.ts*"), *SOURCES.glob("src/**/*.css")):
        assert "://" not in path.read_text(), path
