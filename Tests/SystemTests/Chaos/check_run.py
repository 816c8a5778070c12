"""Checks what a batch left behind, with nothing but SQLite and h5py: none of Winnow's own code is asked.

    check_run.py watch STORE                                        has the store note every change of a job
    check_run.py check STORE BATCH MANIFEST RESULTS ACKNOWLEDGED    prints {"violations": [...], "figures": {...}}

ACKNOWLEDGED holds one line "JOB SHARD" for each row that a worker was told is committed. The invariants are those of
README.md in this folder; answers are those of `winnow worker --null`.
"""

import collections
import hashlib
import json
import os
import sqlite3
import sys

import h5py

WAITING, RUNNING, SUCCEEDED, FAILED, CANCELLED = range(5)

WATCH = """
CREATE TABLE IF NOT EXISTS watched (
    n INTEGER PRIMARY KEY, job INTEGER, state_before INTEGER, state INTEGER, epoch_before INTEGER, epoch INTEGER,
    crashes_before INTEGER, crashes INTEGER, fails_before INTEGER, fails INTEGER
);
CREATE TRIGGER IF NOT EXISTS watch_job AFTER UPDATE ON job BEGIN
    INSERT INTO watched (job, state_before, state, epoch_before, epoch, crashes_before, crashes, fails_before, fails)
    VALUES (new.id, old.state, new.state, old.epoch, new.epoch, old.crash_count, new.crash_count, old.fail_count,
        new.fail_count);
END;
"""

JOBS = """
SELECT job.*, item.item_id AS item_id, outcome.error AS error, shard.path AS path, shard.sha256 AS sha256
FROM job JOIN item ON item.job = job.id LEFT JOIN outcome ON outcome.job = job.id LEFT JOIN shard ON shard.id = job.shard
WHERE job.batch = ?
"""


def answer(item, prompt):
    """What a null worker answers: FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in f"{item}\n{prompt}".encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return f"{value:016x}"


class Check:
    def __init__(self, store, batch, manifest, results, acknowledged):
        self.violations = []
        self.store = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
        self.store.row_factory = sqlite3.Row
        self.batch = self.store.execute("SELECT * FROM batch WHERE name = ?", (batch,)).fetchone()
        self.jobs = self.store.execute(JOBS, (self.batch["id"],)).fetchall()
        with open(manifest) as lines:
            self.items = {item["id"]: item for item in map(json.loads, lines)}
        with open(acknowledged) as lines:
            self.acknowledged = [line.split() for line in lines]
        self.results = results

    def fail(self, invariant, text):
        self.violations.append(f"{invariant}: {text}")

    def run(self):
        integrity = self.store.execute("PRAGMA integrity_check").fetchone()[0]
        if integrity != "ok":
            self.fail("I3", f"the job store is damaged: {integrity}")
        self.every_item_once()
        self.history()
        rows = self.read_shards()
        self.rows_of_jobs(rows)
        self.rows_as_users_find_them(rows)
        self.acknowledgements()
        visible = sum(job["path"] is not None for job in self.jobs)
        return {
            "violations": self.violations[:50],
            "figures": {
                "items": len(self.jobs),
                "attempts": sum(job["epoch"] for job in self.jobs),
                "losses": sum(job["crash_count"] for job in self.jobs),
                "failed": sum(job["state"] == FAILED for job in self.jobs),
                "shards": len(rows),
                "rows_not_visible": sum(map(len, rows.values())) - visible,
                "acknowledged": len(self.acknowledged),
            },
        }

    def every_item_once(self):
        """I1: each accepted item has one job, and that has ended."""
        found = [job["item_id"] for job in self.jobs]
        if sorted(found) != sorted(self.items):
            self.fail("I1", f"{len(found)} jobs for {len(self.items)} items, {len(set(found))} different")
        for job in self.jobs:
            if job["state"] not in (SUCCEEDED, FAILED, CANCELLED):
                self.fail("I1", f"{job['item_id']} has not ended, its state is {job['state']}")

    def history(self):
        """I5 and more: no counter went down, what ended stayed so, and every attempt has an epoch of its own."""
        for change in self.store.execute("SELECT * FROM watched ORDER BY n"):
            change = dict(change)
            before, after = change["state_before"], change["state"]
            if any(change[counter] < change[f"{counter}_before"] for counter in ("epoch", "crashes", "fails")):
                self.fail("I5", f"a counter went down: {change}")
            if before in (SUCCEEDED, FAILED, CANCELLED) and after != before:
                self.fail("I1", f"a job that had ended changed: {change}")
            if change["epoch"] > change["epoch_before"] and (
                change["epoch"] != change["epoch_before"] + 1 or (before, after) != (WAITING, RUNNING)
            ):
                self.fail("I2", f"an attempt began otherwise than from waiting, with the next epoch: {change}")

    def read_shards(self):
        """I4: every shard in its place can be read; returns their rows."""
        rows = {}
        for folder, _, names in os.walk(os.path.join(self.results, "shards")):
            for name in names:
                if not name.endswith(".h5"):
                    continue
                path = os.path.relpath(os.path.join(folder, name), self.results)
                try:
                    with h5py.File(os.path.join(folder, name)) as file:
                        jobs = file["jobs"]
                        columns = [jobs[c].asstr()[:] for c in ("id", "answer", "error")] + [jobs["attempt"][:]]
                        rows[path] = list(zip(*columns))
                except (OSError, KeyError) as error:
                    self.fail("I4", f"{path} cannot be read: {error}")
        return rows

    def rows_of_jobs(self, rows):
        """I2, I4, I8: the row of each job is its own, of its last attempt, and says what a run without faults says."""
        places, digests = set(), {}
        for job in self.jobs:
            name, path = job["item_id"], job["path"]
            if job["state"] == SUCCEEDED and path is None:
                self.fail("I4", f"{name} succeeded without a row")
            if path is None:
                continue
            if path not in rows:
                self.fail("I4", f"{name}: there is no shard {path}")
                continue
            if (path, job["row"]) in places:
                self.fail("I2", f"{name} shares row {job['row']} of {path} with another job")
            places.add((path, job["row"]))
            if path not in digests:
                with open(os.path.join(self.results, path), "rb") as file:
                    digests[path] = hashlib.sha256(file.read()).digest()
                if digests[path] != job["sha256"]:
                    self.fail("I4", f"{path} has another SHA-256 than the store says")
            if job["row"] >= len(rows[path]):
                self.fail("I4", f"{name}: {path} has no row {job['row']}")
                continue
            item, said, error, attempt = rows[path][job["row"]]
            if item != name or attempt != job["won"]:
                self.fail("I2", f"{name} of attempt {job['won']} has the row of {item}, attempt {attempt}")
            prompt = self.items[name]["prompt"]
            expected = "" if prompt == "null:fail" else answer(name, prompt)
            if said != expected or bool(error) != (prompt == "null:fail"):
                self.fail("I8", f"{name} has the answer {said!r}, error {error!r}; expected {expected!r}")
        for job in self.jobs:
            prompt = self.items[job["item_id"]]["prompt"]
            expected = FAILED if prompt in ("null:fail", "null:crash") else SUCCEEDED
            if job["state"] != expected:
                self.fail("I8", f"{job['item_id']} ended as {job['state']}, expected {expected}: {job['error']}")

    def rows_as_users_find_them(self, rows):
        """I9: whoever opens every shard, and asks nothing else, finds each job that has a result once."""
        found = collections.Counter(row[0] for shard in rows.values() for row in shard)
        expected = collections.Counter(job["item_id"] for job in self.jobs if job["path"] is not None)
        for name in (found - expected) + (expected - found):
            self.fail("I9", f"{name} has {found[name]} rows in shards/, not {expected[name]}")

    def acknowledgements(self):
        """I3: what a worker was told is committed is committed, and in that very shard."""
        places = {job["id"]: job["path"] for job in self.jobs}
        for job, shard in self.acknowledged:
            if places.get(int(job)) != shard:
                self.fail("I3", f"job {job} was acknowledged in {shard}, the store says {places.get(int(job))}")


def main(action, *arguments):
    if action == "watch":
        with sqlite3.connect(arguments[0], timeout=30) as store:
            store.executescript(WATCH)
    else:
        print(json.dumps(Check(*arguments).run()))


if __name__ == "__main__":
    main(*sys.argv[1:])
