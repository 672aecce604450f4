"""Work in real processes: what they agree on, and what is told when one of them fails, dies or is asked to end."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from stylegenes.errors import UserError
from stylegenes.shares import Share
from stylegenes.sharing import share_out


def _agree(folder: Path, share: Share, device: str) -> None:
    share.meet_in(folder)
    said = share.agree(f"said by {share.rank}")
    (folder / str(share.rank)).write_text(f"{said} of {share.count} on {device}: {share.of('abcde')}")
    share.join()
    (folder / "after").write_text(f"{sorted(path.name for path in folder.iterdir())} {share.rank}")


def test_processes_agree_and_the_first_goes_on_alone(tmp_path):
    share_out(partial(_agree, tmp_path), device="cpu", devices=2)
    assert (tmp_path / "0").read_text() == "said by 0 of 2 on cpu: ace"
    assert (tmp_path / "1").read_text() == "said by 0 of 2 on cpu: bd"
    assert (tmp_path / "after").read_text() == "['0', '1'] 0"


def _fail(how: str, share: Share, device: str) -> None:
    if share.rank == 1:
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise UserError("the second has a reason")
    share.wait()


_REFUSED = pytest.param("refused", "the second has a reason", marks=pytest.mark.slow)


@pytest.mark.parametrize(("how", "words"), [("killed", r"process 1 of 2 died|lost another"), _REFUSED])
def test_a_process_that_fails_ends_all_and_says_why(how, words):
    with pytest.raises(UserError, match=words):
        share_out(partial(_fail, how), device="cpu", devices=2)


def test_one_process_is_this_one():
    found = []
    share_out(lambda share, device: found.append((share.count, device, os.getpid())), device="cpu")
    assert found == [(1, "cpu", os.getpid())]


@pytest.mark.parametrize(("device", "devices", "words"), [
    ("cpu", 0, "at least 1; got 0"), ("cpu", -2, "at least 1; got -2"), ("cpu:0", 2, "is one device"),
    ("gpu", 2, "not known"),
])  # fmt: skip
def test_devices_that_are_not_there_are_refused(device, devices, words):
    with pytest.raises(UserError, match=words):
        share_out(lambda share, device: None, device=device, devices=devices)


_SLOW = """
import sys, time
from pathlib import Path
from stylegenes.sharing import share_out
def work(share, device):
    place = Path(sys.argv[1]) / str(share.rank)
    try:
        place.touch()
        time.sleep(300)
    finally:
        place.write_text("saved")
if __name__ == "__main__":
    share_out(work, device="cpu", devices=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_wish_to_end_reaches_every_process_which_saves(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(_SLOW)
    process = subprocess.Popen([sys.executable, script, tmp_path], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 200
    while not all((tmp_path / rank).exists() for rank in "01") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(100) != 0
    assert [(tmp_path / rank).read_text() for rank in "01"] == ["saved", "saved"]


_LAUNCHED = """
import sys
from functools import partial
from pathlib import Path
from stylegenes.errors import UserError
from stylegenes.sharing import share_out
def work(share, device):
    place = Path(sys.argv[1])
    share.meet_in(place)
    (place / str(share.rank)).write_text(f"{share.agree(share.rank)} of {share.count}: {share.of('abcde')}")
    share.join()
    (place / "after").write_text(str(share.rank))
if __name__ == "__main__":
    share_out(work, device="cpu")
"""


@pytest.mark.slow
def test_torchruns_processes_share_too(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(_LAUNCHED)
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29566", script, tmp_path]
    made = subprocess.run([sys.executable, *launch], capture_output=True, text=True, timeout=280, check=False)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "0").read_text() == "0 of 2: ace" and (tmp_path / "1").read_text() == "0 of 2: bd"
    assert (tmp_path / "after").read_text() == "0"
