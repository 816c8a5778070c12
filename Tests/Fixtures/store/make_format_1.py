#!/usr/bin/env python3
"""Writes format-1.sqlite: a job store as winnow wrote it before the tables of jobs and items were parted.

The statements are those of format 1, word for word. The store holds a batch that is over, one in the middle of its work
and one whose submission broke off. Needs nothing but Python.
"""
import pathlib
import sqlite3

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    results TEXT NOT NULL,
    state INTEGER NOT NULL,
    total INTEGER NOT NULL DEFAULT 0,
    opened_at REAL NOT NULL,
    closed_at REAL,
    finished_at REAL,
    reason TEXT
);
CREATE TABLE shard (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL REFERENCES batch(id),
    path TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    worker TEXT NOT NULL,
    UNIQUE (batch, path)
);
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL REFERENCES batch(id),
    ordinal INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    item TEXT NOT NULL,
    image TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    crash_count INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    shard INTEGER REFERENCES shard(id),
    row INTEGER,
    error TEXT,
    answer TEXT,
    visual_tokens INTEGER,
    seconds REAL,
    UNIQUE (batch, item_id),
    UNIQUE (batch, ordinal)
);
PRAGMA user_version = 1;
"""

# batch, name, state, jobs as (item, state, epoch, crashes, worker, row, error, answer)
BATCHES = [
    (1, "over", 2, [("a", 2, 1, 0, "ann", 0, None, "yes"), ("b", 3, 5, 5, "bob", None, "given up", None)]),
    (2, "half", 1, [("a", 2, 2, 1, "ann", 1, None, "no"), ("b", 1, 3, 2, "bob", None, None, None), ("c", 0, 0, 0) + (None,) * 4]),
    (3, "open", 0, [("a", 0, 0, 0) + (None,) * 4]),
]
DESCRIPTION = (
    '{"features":true,"generation":{"maxTokens":64,"seed":0,"stop":[],"temperature":0,"topP":1},"imageMode":"crop",'
    '"images":"/pictures","items":"/items.jsonl","method":{"name":"none","options":{}},"model":"/model","name":"%s",'
    '"precision":"auto","results":"/results/%s","template":"vicuna_v1"}'
)

path = pathlib.Path(__file__).with_name("format-1.sqlite")
path.unlink(missing_ok=True)
store = sqlite3.connect(path)
store.executescript(TABLES)
for number, name, state, jobs in BATCHES:
    store.execute(
        "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, 1000, ?, ?, NULL)",
        (number, name, DESCRIPTION % (name, name), f"/results/{name}", state, len(jobs), 1001 if state else None,
         1002 if state == 2 else None))
    if state:
        store.execute("INSERT INTO shard VALUES (?, ?, ?, ?, ?, ?)", (number, number, "shards/00/x.h5", b"\1\2", 9, "ann"))
    for ordinal, (item, its, epoch, crashes, worker, row, error, answer) in enumerate(jobs, 1):
        body = '{"id":"%s","image":"%s.jpg","prompt":"?"}' % (item, item)
        store.execute(
            "INSERT INTO job (batch, ordinal, item_id, item, image, state, epoch, crash_count, worker, shard, row, error,"
            " answer, visual_tokens, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, ordinal, item, body, f"{item}.jpg", its, epoch, crashes, worker, number if row is not None else None,
             row, error, answer, 192 if answer else None, 1.5 if answer else None))
store.commit()
store.close()
