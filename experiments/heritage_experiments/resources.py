"""What a run costs: CPU seconds and memory of the whole process tree, Ray's processes and workers included."""

from __future__ import annotations

import resource
import sys
import threading
import time
from types import TracebackType
from typing import Self


class ResourceMeter:
    """Measures wall time, CPU time and peak memory of this process and everything below it.

    Processes that end unseen by their parent (Ray detaches some) are counted up to the last sample, so the meter
    samples every ``period_s`` seconds while it is open.

    Parameters
    ----------
    period_s : float
        Time between samples in seconds.
    """

    def __init__(self, period_s: float = 1.0) -> None:
        self._period_s = period_s
        self._cpu_of: dict[tuple[int, float], float] = {}
        self._peak_bytes = 0
        self._began = time.perf_counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="resource-meter", daemon=True)

    def __enter__(self) -> Self:
        """Begin to sample."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    @property
    def wall_s(self) -> float:
        """Wall time since the meter was made, in seconds."""
        return time.perf_counter() - self._began

    @property
    def peak_rss_bytes(self) -> int:
        """Largest sampled sum of resident memory over the tree (shared pages count in each), or our own peak."""
        unit = 1 if sys.platform == "darwin" else 1024
        return max(self._peak_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)

    def cpu_s(self) -> float:
        """Return CPU seconds of this process since it began, and of all below it since the meter was made."""
        self.sample()
        living_and_gone = sum(self._cpu_of.values())
        # Children that were waited for are in the kernel's own sum; whichever way saw more of them is right.
        return _own_cpu_s() + max(living_and_gone, _waited_cpu_s())

    def sample(self) -> None:
        """Read the tree once."""
        import psutil

        total = 0
        try:
            me = psutil.Process()
            total = me.memory_info().rss
            below = me.children(recursive=True)
        except psutil.Error:
            return
        for process in below:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    used = times.user + times.system
                    self._cpu_of[(process.pid, process.create_time())] = used
                    total += process.memory_info().rss
            except psutil.Error:
                continue
        self._peak_bytes = max(self._peak_bytes, total)

    def _watch(self) -> None:
        while not self._stop.wait(self._period_s):
            self.sample()


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _waited_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
