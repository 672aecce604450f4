"""Build the package, install it into empty environments and use it: on several Pythons, and with the oldest versions.

    python tools/installs.py python3.11 python3.12 python3.13      what users get today
    python tools/installs.py --oldest python3.11                   every dependency at its lower bound
    python tools/installs.py --sdist python3.11                    from the sources instead of the wheel

Each environment is made from nothing, so that this takes minutes and as many GB as torch needs.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USES = (
    ("--version",),
    ("--help",),
    ("sample", "avatars32", "--seeds", "0-3", "--out", "faces.png"),
    ("sample", "avatars32", "--codes", "faces.png", "--out", "again.png"),
    ("edit", "avatars32", "--seed", "3", "--set", "Eyeglasses=1"),
    ("train", "avatars:n=20", "--recipe", "tiny32", "--kimg", "0.1", "--metrics", "none", "--out", "run"),
)
"""Command lines that must end with 0."""


def main() -> None:
    """Install and use; ends with 1 where something fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="+", help="interpreters")
    parser.add_argument("--oldest", action="store_true", help="every dependency at its lower bound")
    parser.add_argument("--sdist", action="store_true", help="install the sdist, which builds a wheel")
    parser.add_argument("--torch", default="", help="a version of torch, for machines that have a wheel of it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder), "sdist" if args.sdist else "wheel")
        found = {python: check(Path(folder), python, built, args) for python in args.python}
    failed = [python for python, works in found.items() if works is False]
    if failed or not any(found.values()):
        raise SystemExit(f"failed on {', '.join(failed)}" if failed else "none of these interpreters is here")


def build(folder: Path, kind: str) -> Path:
    """The wheel or the sdist of this checkout."""
    call(sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder / "dist"), cwd=ROOT)
    (built,) = (folder / "dist").iterdir()
    tell(f"{built.name}: {built.stat().st_size / 1e6:.1f} MB")
    return built


def check(folder: Path, python: str, built: Path, args: argparse.Namespace) -> bool | None:
    """Whether everything works on one interpreter, None without it; says what was installed and how long it took."""
    place = folder / f"env-{Path(python).name}-{len(list(folder.iterdir()))}"
    begin = time.monotonic()
    bounds = folder / "bounds.txt"
    pins = [one for one in oldest() if not (args.torch and one.startswith("torch=="))] if args.oldest else []
    bounds.write_text("\n".join([*pins, *([f"torch=={args.torch}"] if args.torch else [])]) + "\n")
    try:
        call(python, "--version")
    except (OSError, subprocess.CalledProcessError):
        tell(f"{python}: not here, left out")
        return None
    try:
        call(python, "-m", "venv", str(place))
        own = str(place / "bin" / "python")
        call(
            own,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-compile",
            "--disable-pip-version-check",
            "-c",
            str(bounds),
            str(built),
        )
        work = place / "work"
        work.mkdir()
        call(own, "-c", "import stylegenes; stylegenes.open('avatars32').sample(2).save('two.png')", cwd=work)
        for use in USES:
            call(str(place / "bin" / "stylegenes"), *use, cwd=work)
        found = call(own, "-m", "pip", "list", "--format=freeze").split()
    except subprocess.CalledProcessError as error:
        tell(f"{python}: {error.cmd} ends with {error.returncode}\n{error.stdout[-3000:]}")
        return False
    direct = {re.split(r"[<>=\[]", one)[0].lower().replace("_", "-") for one in dependencies()}
    versions = ", ".join(one for one in found if one.partition("==")[0].lower().replace("_", "-") in direct)
    tell(f"{python}: all of it works, {time.monotonic() - begin:.0f} s; {versions}")
    return True


def tell(text: str) -> None:
    """A line for people, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def dependencies() -> list[str]:
    """What the package needs, as pyproject.toml says it."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def oldest() -> list[str]:
    """Every dependency at its lower bound, as pip's constraints."""
    return [re.sub(r">=([\d.]+).*", r"==\1", one) for one in dependencies()]


def call(*command: str, cwd: Path | None = None) -> str:
    """Run a command; its output.

    Raises:
        CalledProcessError: when it does not end with 0.
    """
    done = subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
