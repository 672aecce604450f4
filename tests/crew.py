"""Several processes played by threads, which agree as real ones do: quick, and a failure of one is seen by all."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stylegenes.shares import PartDoneError, Share


def together(count: int, work: Callable[[Share], Any]) -> list[Any]:
    """What each of `count` processes returns; None of those that were done when the first went on alone."""
    barrier, said = threading.Barrier(count, timeout=100), {}

    def one(rank: int) -> Any:
        def agree(value: Any) -> Any:
            if rank == 0:
                said[0] = value
            barrier.wait()
            found = copy.deepcopy(said[0])
            barrier.wait()
            return found

        try:
            return work(Share(rank, count, agree, lambda: (barrier.wait(), None)[1]))
        except PartDoneError:
            return None
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(one, rank) for rank in range(count)]
        errors = [error for future in futures if (error := future.exception()) is not None]
    told = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
    if errors:
        raise (told or errors)[0]
    return [future.result() for future in futures]
