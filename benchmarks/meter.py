"""Time and memory of peers, interleaved: every round calls each of them, and the best round counts.

A slow moment of the machine then hits all alike. Peers that take seconds sit out the later rounds: for them a slow moment is
a small part. Memory is the highest resident size during a call beyond that before it.
"""

import ctypes
import gc
import threading
import time
from dataclasses import dataclass

import psutil


LONG, LONG_ROUNDS = 2.0, 2  # seconds; rounds for peers that take longer


@dataclass
class Result:
    """The best time of a peer (seconds), the memory it took beyond the data (MB), and what it last returned."""

    seconds: float = float("inf")
    megabytes: float = float("inf")
    value: object = None


def race(peers, rounds, calls=1):
    """peers: name -> function without arguments. Returns name -> Result, the time per call. calls: in a row in each round."""
    results = {name: Result() for name in peers}
    for k in range(rounds):
        for name, run in peers.items():
            result = results[name]
            if k >= LONG_ROUNDS and result.seconds > LONG:
                continue
            start = time.perf_counter()
            for _ in range(calls):
                value = run()
                if hasattr(value, "seconds"):  # it has repeated itself
                    break
            seconds = getattr(value, "seconds", None) or (time.perf_counter() - start) / calls
            result.seconds, result.value = min(result.seconds, seconds), value
    for name, run in peers.items():
        results[name].megabytes = extra_memory(run)
    return results


def extra_memory(run):
    """MB of resident memory that a call takes at its highest point beyond what was held before."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # so that memory freed earlier is not handed out unseen
    except (AttributeError, OSError):
        pass
    process, done = psutil.Process(), threading.Event()
    before = highest = process.memory_info().rss

    def watch():
        nonlocal highest
        while not done.is_set():
            highest = max(highest, process.memory_info().rss)
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    return max(highest, process.memory_info().rss) / 1e6 - before / 1e6
