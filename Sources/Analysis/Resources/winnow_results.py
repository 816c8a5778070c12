"""Reads the results of winnow batches. Needs h5py and numpy; uses pandas and pyarrow where they are installed.

    from winnow_results import open_results

    results = open_results("results/demo")
    results.table                      # one row a job: a pandas DataFrame, or a dict of numpy arrays without pandas
    results.columns["flops_prefill"]   # ('FLOP', 'decoder over the prompt')
    job = results["scene-000/q0"]      # by id, or by number: results[0]
    job.answer, job.visual_tokens_out  # the columns of the table
    job.features                       # (tokens, width) float16: what entered the decoder
    job.kept                           # original index of each token left at the end
    job.mask(2)                        # grid of booleans: which tokens are there after step 2
    job.steps, job.merges              # dicts of arrays
    results.features(["a", "b"])       # of many jobs at once: each file is opened once, few at a time

A row counts exactly once: `catalogue.sqlite` says which (``winnow results catalogue DIR`` makes it); without it the last
attempt at each job counts. Files are never trusted: links, external storage and unknown filters are refused.

One file, no installation: copy it, or print it with ``winnow results reader``. Licence: Apache 2.0.
"""

import collections
import glob
import os
import sqlite3
import sys

import h5py
import numpy as np

try:
    import pandas
except ImportError:
    pandas = None

SURVIVED = 255        # in tokens/left_at: still there after the last step
DISCARDED = 65535     # in tokens/went_to: dropped, merged into nothing

__all__ = ["open_results", "Results", "Job", "BadFile", "SURVIVED", "DISCARDED"]


class BadFile(Exception):
    """A file that is not a shard of results, is damaged, or would lead out of itself."""


def open_results(folder, max_open=32, use_catalogue=True):
    """Opens a results folder, or a single shard. At most `max_open` files are open at a time."""
    return Results(folder, max_open, use_catalogue)


class Results:
    """The visible rows of a results folder."""

    def __init__(self, folder, max_open=32, use_catalogue=True):
        self.folder = os.path.dirname(folder) if os.path.isfile(folder) else folder
        self._files = collections.OrderedDict()
        self._max_open = max(1, max_open)
        self._table = self._catalogue = None
        path = os.path.join(self.folder, "catalogue.sqlite")
        if os.path.isfile(folder):
            self._rows = _Scan(self, [os.path.basename(folder)])
        elif use_catalogue and os.path.exists(path):
            self._rows = self._catalogue = _Catalogue(path)
        elif os.path.isdir(os.path.join(self.folder, "shards")):
            found = glob.glob(os.path.join(glob.escape(self.folder), "shards", "*", "*.h5"))
            self._rows = _Scan(self, sorted(os.path.relpath(f, self.folder) for f in found))
        else:
            raise BadFile(f"{folder} is neither a shard nor a folder with shards in it")

    @property
    def columns(self):
        """What each column of the table means: name -> (units, meaning)."""
        return self._rows.columns()

    @property
    def table(self):
        """All jobs: a pandas DataFrame, or a dict of numpy arrays without pandas."""
        if self._table is None:
            columns = self._rows.table()
            self._table = pandas.DataFrame(columns) if pandas is not None else columns
        return self._table

    def query(self, sql, parameters=()):
        """Runs a SELECT over the catalogue; a DataFrame, or a dict of numpy arrays without pandas."""
        if self._catalogue is None:
            raise BadFile(f"{self.folder} has no catalogue; make it with: winnow results catalogue {self.folder}")
        columns = self._catalogue.query(sql, parameters)
        return pandas.DataFrame(columns) if pandas is not None else columns

    def __len__(self):
        return self._rows.count()

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def __getitem__(self, key):
        """The job of an id, or of a number in the table."""
        if isinstance(key, str):
            places = self._rows.places([key])
            if not places:
                raise KeyError(key)
            return Job(self, *places[0])
        count = len(self)
        if not -count <= key < count:
            raise IndexError(key)
        return Job(self, *self._rows.place(key % count))

    def features(self, keys=None):
        """The features of many jobs, a list of (tokens, width) float16 in the order of `keys` (ids; all without)."""
        return self.arrays("features", "data", keys)

    def arrays(self, group, column="data", keys=None):
        """One ragged column of many jobs, such as arrays("tokens", "left_at"): a list in the order of `keys`."""
        places = self._rows.places(keys)
        if keys is not None and len(places) != len(keys):
            raise KeyError(f"{len(keys) - len(places)} of the {len(keys)} ids are not in {self.folder}")
        found = [None] * len(places)
        # Each file once, its rows in order.
        for index in sorted(range(len(places)), key=lambda i: places[i][:2]):
            shard, row = places[index][:2]
            found[index] = self.shard(shard).ragged(group, column, row)
        return found

    def shard(self, path):
        """A shard by its path in the folder; it may be closed again after others were opened."""
        if path in self._files:
            self._files.move_to_end(path)
        else:
            while len(self._files) >= self._max_open:
                self._files.popitem(last=False)[1].close()
            self._files[path] = _Shard(_inside(self.folder, path))
        return self._files[path]

    def close(self):
        """Closes every file."""
        while self._files:
            self._files.popitem()[1].close()
        self._rows.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Job:
    """One job: the columns of the table as attributes, and its arrays, which are read when asked for."""

    def __init__(self, results, shard, row):
        self._results, self.shard, self.row = results, shard, row

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self._file.column(name, slice(self.row, self.row + 1))[0]

    def __repr__(self):
        return f"<job {self.id!r}: {self.answer!r}, row {self.row} of {self.shard}>"

    @property
    def _file(self):
        return self._results.shard(self.shard)

    def _slice(self, group, column="data"):
        return self._file.ragged(group, column, self.row)

    @property
    def attributes(self):
        """What the file says of all its rows: model, method with every parameter, software, host."""
        return dict(self._file.file.attrs)

    @property
    def grid(self):
        """Rows and columns of patches."""
        return tuple(int(n) for n in self._file.file.attrs["grid"])

    @property
    def features(self):
        """(tokens, width) float16: what entered the decoder, or the projector, as /features says in `space`."""
        return self._slice("features")

    @property
    def kept(self):
        """Original index of each token left at the end, in sequence order."""
        return self._slice("kept")

    @property
    def left_at(self):
        """For each original token the step at which it left; SURVIVED if it did not."""
        return self._slice("tokens", "left_at")

    @property
    def went_to(self):
        """For each original token the one that most of its content went to; DISCARDED if none."""
        return self._slice("tokens", "went_to")

    @property
    def score(self):
        """The last score of each original token, float16."""
        return self._slice("tokens", "score")

    @property
    def token_ids(self):
        """The generated tokens."""
        return self._slice("token_ids")

    @property
    def token_logprobs(self):
        """The log probability of each generated token."""
        return self._slice("token_logprobs")

    @property
    def steps(self):
        """The reducing steps: layer, place, tokens_in, tokens_out, seconds."""
        return self._group("steps")

    @property
    def merges(self):
        """Every merge: step, source, target, weight; indices are original positions."""
        return self._group("merges")

    def mask(self, step=None):
        """Which tokens are there after a step (after the last one without): booleans in the shape of the grid."""
        left = self.left_at
        return ((left == SURVIVED) if step is None else (left > step)).reshape(self.grid)

    def _group(self, group):
        return {column: self._slice(group, column) for column in self._file.group(group) if column != "indptr"}


class _Shard:
    """An open shard, of which nothing is believed before it is checked."""

    def __init__(self, path):
        try:
            self.file = h5py.File(path, "r")
        except OSError as error:
            raise BadFile(f"{path} cannot be read: {error}") from error
        self.path = path
        self._checked = {}
        if _text(self.file.attrs.get("format")) != "winnow-results":
            raise BadFile(f"{path} is not a shard of results")
        if _text(self.file.attrs.get("format_version", "")).split(".")[0] != "1":
            raise BadFile(f"{path} has format {self.file.attrs['format_version']}; get a newer winnow_results.py")

    def close(self):
        """Closes the file. (h5py's own close looks for open objects of all files, which takes ten times as long.)"""
        self._checked.clear()
        self.file.id.close()

    def group(self, name):
        """The names in a group."""
        self._hard_link(self.file.id, name)
        return list(self.file[name])

    def dataset(self, path):
        """A dataset below the root, if nothing on the way or about it leads out of the file."""
        if path not in self._checked:
            at = self.file.id
            for name in path.split("/"):
                self._hard_link(at, name)
                at = h5py.h5o.open(at, name.encode())
            if not isinstance(at, h5py.h5d.DatasetID):
                raise BadFile(f"{self.path}: {path} is not a dataset")
            at = h5py.Dataset(at)
            plist = at.id.get_create_plist()
            if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
                raise BadFile(f"{self.path}: {path} keeps its data in another file, which is not followed")
            filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
            if not set(filters) <= {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32}:
                raise BadFile(f"{self.path}: {path} is packed with a filter that is not known")
            if at.size * at.dtype.itemsize > max(64 << 20, 1100 * os.path.getsize(self.path)):
                raise BadFile(f"{self.path}: {path} claims {at.shape} values, more than the file can hold")
            self._checked[path] = at
        return self._checked[path]

    def _hard_link(self, at, name):
        try:
            link = at.links.get_info(name.encode())  # does not follow it
        except (KeyError, AttributeError):
            raise BadFile(f"{self.path}: there is no {name} in it; was it stored for this batch?") from None
        if link.type != h5py.h5l.TYPE_HARD:
            raise BadFile(f"{self.path}: {name} is a soft or external link, which is not followed")

    def ragged(self, group, column, row):
        """What one row owns of a ragged column."""
        start, end = (int(n) for n in self._read(f"{group}/indptr", slice(row, row + 2)))
        data = self.dataset(f"{group}/{column}")
        if not 0 <= start <= end <= data.shape[0]:
            raise BadFile(f"{self.path}: {group}/indptr does not divide {group}/{column}")
        return _named(data, self._read(f"{group}/{column}", slice(start, end)))

    def column(self, name, rows=slice(None)):
        """A column of /jobs: texts and named codes as str."""
        data = self.dataset(f"jobs/{name}")
        if h5py.check_string_dtype(data.dtype):
            return np.array([_text(value) for value in self._read(f"jobs/{name}", rows)], dtype=object)
        return _named(data, self._read(f"jobs/{name}", rows))

    def _read(self, path, selection):
        try:
            return self.dataset(path)[selection]
        except OSError as error:
            raise BadFile(f"{self.path}: {path} is damaged: {error}") from error


class _Catalogue:
    """The rows as the catalogue lists them."""

    def __init__(self, path):
        self._path = path
        try:
            self._database = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
            self._database.execute("PRAGMA trusted_schema = OFF")
            self._names = [row[1] for row in self._database.execute("PRAGMA table_xinfo(jobs)")]
        except sqlite3.Error as error:
            raise BadFile(f"{path}: {error}") from error
        if not {"id", "shard", "row"} <= set(self._names):
            raise BadFile(f"{path} is not a catalogue of results; delete it and run: winnow results catalogue DIR")

    def columns(self):
        return {name: (units, text) for name, units, text in self._fetch("SELECT name, units, long_name FROM columns")}

    def count(self):
        return self._fetch("SELECT COUNT(*) FROM jobs")[0][0]

    def table(self):
        return self.query("SELECT %s FROM jobs ORDER BY rowid" % ", ".join(f'"{name}"' for name in self._names))

    def query(self, sql, parameters=()):
        try:
            cursor = self._database.execute(sql, parameters)
        except sqlite3.Error as error:
            raise BadFile(f"{self._path}: {error}") from error
        names = [column[0] for column in cursor.description or ()]
        columns = list(zip(*cursor)) or [()] * len(names)
        return {name: _array(values) for name, values in zip(names, columns)}

    def place(self, index):
        return self._fetch("SELECT shard, row FROM jobs ORDER BY rowid LIMIT 1 OFFSET ?", (index,))[0]

    def places(self, keys=None):
        if keys is None:
            return self._fetch("SELECT shard, row FROM jobs ORDER BY rowid")
        found = {}
        keys = list(keys)
        for start in range(0, len(keys), 500):
            part = keys[start:start + 500]
            sql = "SELECT id, shard, row FROM jobs WHERE id IN (%s)" % ",".join("?" * len(part))
            found.update({name: (shard, row) for name, shard, row in self._fetch(sql, part)})
        return [found[key] for key in keys if key in found]

    def _fetch(self, sql, parameters=()):
        try:
            return self._database.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise BadFile(f"{self._path}: {error}") from error

    def close(self):
        self._database.close()


class _Scan:
    """The rows as the shards themselves list them: of each job the last attempt, of copies the newest file's."""

    def __init__(self, results, shards):
        self._results = results
        last = {}
        for path in shards:
            shard = results.shard(path)
            ids, attempts = shard.column("id"), shard.column("attempt")
            name = _text(shard.file.attrs["shard"])
            firsts = np.full(len(ids), name, dtype=object)
            if "sources" in shard.file:
                names = [_text(value) for value in shard.dataset("sources/shard")[:]]
                firsts = np.array([names[source] for source in shard.column("source")], dtype=object)
            for row, (job, attempt, first) in enumerate(zip(ids, attempts, firsts)):
                rank = (int(attempt), first, name)
                if job not in last or last[job][0] < rank:
                    last[job] = (rank, path, row)
        self._places = {job: (path, row) for job, (_, path, row) in last.items()}
        self._order = list(self._places.values())
        self._shards = shards

    def columns(self):
        found = {}
        for path in self._shards[:1]:
            shard = self._results.shard(path)
            for name in shard.group("jobs"):
                attributes = shard.dataset(f"jobs/{name}").attrs
                found[name] = (_text(attributes["units"]), _text(attributes["long_name"]))
        return found

    def count(self):
        return len(self._order)

    def table(self):
        rows = collections.OrderedDict()
        for path, row in self._order:
            rows.setdefault(path, []).append(row)
        parts = collections.OrderedDict()
        for path, places in rows.items():
            shard = self._results.shard(path)
            for name in shard.group("jobs"):
                parts.setdefault(name, []).append(shard.column(name)[places])
            parts.setdefault("shard", []).append(np.full(len(places), path, dtype=object))
            parts.setdefault("row", []).append(np.array(places))
        return {name: np.concatenate(part) for name, part in parts.items() if name not in ("source", "source_row")}

    def place(self, index):
        return self._order[index]

    def places(self, keys=None):
        if keys is None:
            return list(self._order)
        return [self._places[key] for key in keys if key in self._places]

    def close(self):
        pass


def _array(values):
    if values and all(isinstance(value, str) for value in values):
        return np.array(values, dtype=object)
    return np.array(values)


def _text(value):
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value[()]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else str(value)


def _named(data, values):
    """Codes under their names."""
    codes = h5py.check_enum_dtype(data.dtype)
    if not codes:
        return values
    names = {code: name for name, code in codes.items()}
    return np.array([names.get(int(code), f"code {int(code)}") for code in values], dtype=object)


def _inside(folder, path):
    """A path that stays in the folder."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise BadFile(f"the shard {path!r} is not inside {folder}")
    return os.path.join(folder, *parts)


def _quoted(path):
    return os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def export_parquet(folder, target):
    """All jobs as one Parquet file: the table, and the trace of each job in list columns. Needs pyarrow."""
    import pyarrow
    import pyarrow.parquet

    with open_results(folder) as results:
        columns = results._rows.table()
        arrays = {name: pyarrow.array(values.tolist()) for name, values in columns.items()}
        for group, column in [("kept", "data"), ("tokens", "left_at"), ("tokens", "went_to"), ("token_ids", "data")]:
            try:
                lists = results.arrays(group, column)
            except BadFile:
                continue  # not stored for this batch
            offsets = np.concatenate([[0], np.cumsum([len(values) for values in lists])]).astype("i8")
            flat = np.concatenate(lists) if lists else np.zeros(0, "u1")
            name = group if column == "data" else column
            arrays[name] = pyarrow.LargeListArray.from_arrays(pyarrow.array(offsets), pyarrow.array(flat))
        pyarrow.parquet.write_table(pyarrow.table(arrays), target)


def export_npz(folder, target):
    """All jobs as one .npz file: every column, and ragged arrays end to end with `<name>_indptr`."""
    with open_results(folder) as results:
        arrays = {}
        for name, values in results._rows.table().items():
            arrays[name] = values.astype("U") if values.dtype == object else values
        ragged = [
            ("kept", "data"), ("tokens", "left_at"), ("tokens", "went_to"), ("tokens", "score"), ("token_ids", "data"),
            ("token_logprobs", "data"), ("features", "data"),
        ]
        for group, column in ragged:
            try:
                lists = results.arrays(group, column)
            except BadFile:
                continue  # not stored for this batch
            name = group if column == "data" else column
            arrays[name] = np.concatenate(lists) if lists else np.zeros(0)
            arrays[name + "_indptr"] = np.concatenate([[0], np.cumsum([len(values) for values in lists])]).astype("i8")
        with open(target, "wb") as file:
            np.savez(file, **arrays)


if __name__ == "__main__":
    actions = {"parquet": export_parquet, "npz": export_npz}
    if len(sys.argv) != 4 or sys.argv[1] not in actions:
        sys.exit("usage: winnow_results.py parquet|npz RESULTS-FOLDER TARGET")
    try:
        actions[sys.argv[1]](sys.argv[2], sys.argv[3])
    except (BadFile, ImportError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
