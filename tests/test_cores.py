"""One thread of a process computes on all cores; threads beside it keep to one each."""

import subprocess
import sys

import pytest

CORES = 4
SCRIPT = """
import threading, psutil, torch
torch.set_num_threads({cores})
large = torch.empty(2**20)

def teams():
    # Threads that are not Python's: those that help to compute.
    return psutil.Process().num_threads() - threading.active_count()

before = teams()
{work}
print(teams() - before)
"""
FEED = """
large.add_(1)
from tiny_run import TinyData
from stylegenes.training.feed import Feed
class Data(TinyData):
    def images(self, indices):
        large.add_(1)
        return super().images(indices)
feed = Feed(Data(), total=16, rank=0, ranks=1, mirror=True, labels=False, seed=5, device=large.device)
for position in range(0, 64, 16):
    feed.batch(position)
assert torch.get_num_threads() == {cores}
"""
KEPT = """
from stylegenes.devices import keep_to_one_core
keep_to_one_core()
large.add_(1)
assert torch.get_num_threads() == 1
def work():
    large.add_(1)
    print(torch.get_num_threads())
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def printed(work: str) -> list[str]:
    script = SCRIPT.format(cores=CORES, work=work.format(cores=CORES))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd="tests", timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="counts a process's threads as Linux does")
def test_fetching_batches_takes_no_helpers_from_the_training():
    assert printed(FEED) == [str(CORES - 1)]


@pytest.mark.skipif(sys.platform != "linux", reason="counts a process's threads as Linux does")
def test_one_team_is_what_these_tests_count():
    assert printed("large.add_(1)") == [str(CORES - 1)]


def test_a_thread_that_keeps_to_one_core_leaves_all_to_others():
    assert printed(KEPT)[0] == str(CORES)
