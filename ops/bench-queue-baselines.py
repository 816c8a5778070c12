"""No-op jobs through other programs: prints {"name", "jobs", "seconds"} or {"name", "skipped"} for `winnow bench queue`.

Starting the program and its workers is not counted. Both run on two worker processes or slots, like the queue's two workers.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time


def parallel(jobs=300):
    """GNU parallel with a job log, its way of resuming; each job is the shell's `:`, for which it starts a process."""
    name = "GNU parallel --joblog"
    if not shutil.which("parallel"):
        return {"name": name, "skipped": "it is not installed (Debian: parallel)"}
    with tempfile.TemporaryDirectory() as folder:
        command = ["parallel", "--will-cite", "-j2", "--joblog", folder + "/log", ":", ":::"]
        subprocess.run(command + ["0"], check=True)
        start = time.perf_counter()
        subprocess.run(command[:-1] + ["::::", "-"], input="\n".join(map(str, range(jobs))), text=True, check=True)
        return {"name": name, "jobs": jobs, "seconds": time.perf_counter() - start}


def no_op(number):
    return number


def dask(jobs=3_000):
    """Dask's scheduler with two worker processes; it keeps nothing on disk."""
    name = "Dask distributed, in memory only"
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        return {"name": name, "skipped": f"{error} (PyPI: distributed)"}
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.gather(client.map(no_op, range(200), pure=False))
            start = time.perf_counter()
            done = client.gather(client.map(no_op, range(jobs), pure=False))
            seconds = time.perf_counter() - start
    assert len(done) == jobs
    return {"name": name, "jobs": jobs, "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps({"parallel": parallel, "dask": dask}[sys.argv[1]]()))
