"""Reads the results of winnow batches. Needs h5py and numpy; uses pandas and pyarrow where they are installed.

    from winnow_results import open_results

    results = open_results("results/demo")
    results.table                      # one row a job: a pandas DataFrame, or a dict of numpy arrays without pandas
    results.columns["flops_prefill"]   # ('FLOP', 'decoder over the prompt')
    job = results["scene-000/q0"]      # by id, or by number: results[0]
    job.answer, job.visual_tokens_out  # the columns of the table
    job.features                       # (tokens, width) float16: what entered the decoder
    job.feature_index                  # original index of the token of each of these rows
    job.kept                           # original index of each token left at the end
    job.pictures, job.segments         # dicts of arrays: its pictures, and what the model saw of them as grids of tokens
    job.mask(2)                        # grid of booleans: which tokens are there after step 2
    job.masks(2)                       # the same for each segment of a job with several pictures or tiles
    job.steps, job.merges              # dicts of arrays
    results.features(["a", "b"])       # of many jobs at once: each file is opened once, few at a time

A row counts exactly once: `catalogue.sqlite` says which (``winnow results catalogue DIR`` makes it); without it the last
attempt at each job counts. Files are never trusted: links, external storage and unknown filters are refused.

One file, no installation: copy it, or print it with ``winnow results reader``; or ``pip install`` the folder `python` of
winnow. Licence: Apache 2.0.
"""

from __future__ import annotations

import collections
import glob
import math
import os
import sqlite3
import sys
import warnings
from typing import Any, Iterator, Sequence

import h5py
import numpy as np

try:
    import pandas
except ImportError:
    pandas = None

__version__ = "0.1.0"

SURVIVED = 255        # in tokens/left_at: still there after the last step
LEFT_OUT = 254        # in tokens/left_at: shows padding alone and never entered the language model
DISCARDED = 65535     # in tokens/went_to: dropped, merged into nothing

__all__ = ["open_results", "Results", "Job", "BadFile", "NotStored", "SURVIVED", "LEFT_OUT", "DISCARDED"]


class BadFile(Exception):
    """A file that is not a shard of results, is damaged, or would lead out of itself."""


class NotStored(BadFile):
    """A whole group that a shard does not hold: its batch does not store it, or all of its jobs failed early."""


def open_results(folder: str | os.PathLike, max_open: int = 32, use_catalogue: bool = True) -> Results:
    """Opens a results folder, or a single shard. At most `max_open` files are open at a time."""
    return Results(folder, max_open, use_catalogue)


class Results:
    """The visible rows of a results folder."""

    def __init__(self, folder: str | os.PathLike, max_open: int = 32, use_catalogue: bool = True):
        folder = os.fspath(folder)
        self.folder = os.path.dirname(folder) if os.path.isfile(folder) else folder
        self._files = collections.OrderedDict()
        self._max_open = max(1, max_open)
        self._table = self._catalogue = None
        path = os.path.join(self.folder, "catalogue.sqlite")
        if os.path.isfile(folder):
            self._rows = _Scan(self, [os.path.basename(folder)])
        elif use_catalogue and os.path.exists(path):
            self._rows = self._catalogue = _Catalogue(path)
            changed = len(self._catalogue.shards() ^ set(self._found()))
            if changed:
                warnings.warn(f"{changed} shards came or went since the catalogue was made; bring it up to date with: "
                              f"winnow results catalogue {self.folder}", stacklevel=3)
        elif os.path.isdir(os.path.join(self.folder, "shards")):
            self._rows = _Scan(self, sorted(self._found()))
        else:
            raise BadFile(f"{folder} is neither a shard nor a folder with shards in it")

    def _found(self):
        """The shards that are there, relative to the folder."""
        start = len(os.path.join(self.folder, ""))
        return [path[start:] for path in glob.glob(os.path.join(glob.escape(self.folder), "shards", "*", "*.h5"))]

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """What each column of the table means: name -> (units, meaning)."""
        return self._rows.columns()

    @property
    def table(self) -> Any:
        """All jobs: a pandas DataFrame, or a dict of numpy arrays without pandas."""
        if self._table is None:
            columns = self._rows.table()
            self._table = pandas.DataFrame(columns) if pandas is not None else columns
        return self._table

    def query(self, sql: str, parameters: Sequence = ()) -> Any:
        """Runs a SELECT over the catalogue; a DataFrame, or a dict of numpy arrays without pandas."""
        if self._catalogue is None:
            raise BadFile(f"{self.folder} has no catalogue; make it with: winnow results catalogue {self.folder}")
        columns = self._catalogue.query(sql, parameters)
        return pandas.DataFrame(columns) if pandas is not None else columns

    def __len__(self) -> int:
        return self._rows.count()

    def __iter__(self) -> Iterator[Job]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, key: str | int) -> Job:
        """The job of an id, or of a number in the table."""
        if isinstance(key, str):
            places = self._rows.places([key])
            if not places:
                raise KeyError(f"{self.folder} has no result of a job {key!r}")
            return Job(self, *places[0])
        count = len(self)
        if not -count <= key < count:
            raise IndexError(key)
        return Job(self, *self._rows.place(key % count))

    def features(self, keys: Sequence[str] | None = None) -> list[np.ndarray]:
        """The features of many jobs, a list of (tokens, width) float16 in the order of `keys` (ids; all without)."""
        return self.arrays("features", "data", keys)

    def arrays(self, group: str, column: str = "data", keys: Sequence[str] | None = None) -> list[np.ndarray]:
        """One ragged column of many jobs, such as arrays("tokens", "left_at"): a list in the order of `keys`.

        Jobs of a shard without the group, such as one of early failures only, have an empty array; where no shard has
        it, that is NotStored.
        """
        places = self._rows.places(keys)
        if keys is not None and len(places) != len(keys):
            raise KeyError(f"{len(keys) - len(places)} of the {len(keys)} ids are not in {self.folder}")
        found = [None] * len(places)
        by_shard = collections.defaultdict(list)
        for index, (shard, row, *_) in enumerate(places):
            by_shard[shard].append((row, index))
        missing, absent = [], None
        # Each file once, its rows in order.
        for shard in sorted(by_shard):
            wanted = sorted(by_shard[shard])
            try:
                values = self.shard(shard).ragged_rows(group, column, [row for row, _ in wanted])
            except NotStored as error:
                absent = error
                missing += [index for _, index in wanted]
                continue
            for (_, index), value in zip(wanted, values):
                found[index] = value
        if missing:
            like = next((value for value in found if value is not None), None)
            if like is None:
                raise absent
            for index in missing:
                found[index] = like[:0]
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
        return self._file.column(name, self.row, self.row + 1)[0]

    def __repr__(self):
        return f"<job {self.id!r}: {self.answer!r}, row {self.row} of {self.shard}>"

    @property
    def _file(self):
        return self._results.shard(self.shard)

    def _slice(self, group, column="data"):
        return self._file.ragged(group, column, self.row)

    @property
    def attributes(self) -> dict[str, Any]:
        """What the file says of all its rows: model, method with every parameter, software, host."""
        return self._file.attributes()

    @property
    def image(self) -> str:
        """The pictures as the item names them, one a line; empty where there is none."""
        return "\n".join(self._slice("pictures", "image"))

    @property
    def pictures(self) -> dict[str, np.ndarray]:
        """The pictures in the order of the prompt: image, sha256, notes, width, height (pixels), orientation."""
        return self._group("pictures")

    @property
    def segments(self) -> dict[str, np.ndarray]:
        """The tiles that the model saw: picture, tile, rows, columns (patches), first_token, and the window of the picture
        that the patches divide equally: left, top, width, height (pixels of the picture; it may reach beyond the edges)."""
        return self._group("segments")

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Rows and columns of patches of each segment."""
        return [(int(rows), int(columns)) for rows, columns in zip(
            self._slice("segments", "rows"), self._slice("segments", "columns"))]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches of a job with one segment; (0, 0) where there is no picture."""
        grids = self.grids or [(0, 0)]
        if len(grids) > 1:
            raise ValueError(f"job {self.id!r} has {len(grids)} segments: ask for grids")
        return grids[0]

    @property
    def features(self) -> np.ndarray:
        """(tokens, width) float16: what entered the decoder, or the projector, as /features says in `space`."""
        return self._slice("features")

    @property
    def feature_index(self) -> np.ndarray:
        """Original index of the token that each row of `features` is, by the rule `token_of_row` of /features."""
        is_tower = self._file.attribute("space", "features") == "projector input"
        early = ["encoder"] if is_tower else ["encoder", "projector"]
        later = [step for step, place in enumerate(self.steps["place"]) if place not in early]
        left = self.left_at
        return np.flatnonzero((left >= later[0]) & (left != LEFT_OUT)).astype("u2") if later else self.kept

    @property
    def kept(self) -> np.ndarray:
        """Original index of each token left at the end, in sequence order."""
        return self._slice("kept")

    @property
    def left_at(self) -> np.ndarray:
        """For each original token the step at which it left; SURVIVED if it did not, LEFT_OUT if it
        shows padding alone."""
        return self._slice("tokens", "left_at")

    @property
    def went_to(self) -> np.ndarray:
        """For each original token the one that most of its content went to; DISCARDED if none."""
        return self._slice("tokens", "went_to")

    @property
    def score(self) -> np.ndarray:
        """The last score of each original token, float16."""
        return self._slice("tokens", "score")

    @property
    def token_ids(self) -> np.ndarray:
        """The generated tokens."""
        return self._slice("token_ids")

    @property
    def token_logprobs(self) -> np.ndarray:
        """The log probability of each generated token."""
        return self._slice("token_logprobs")

    @property
    def steps(self) -> dict[str, np.ndarray]:
        """The reducing steps: layer, place, tokens_in, tokens_out, seconds."""
        return self._group("steps")

    @property
    def merges(self) -> dict[str, np.ndarray]:
        """Every merge: step, source, target, weight; indices are original positions."""
        return self._group("merges")

    def mask(self, step: int | None = None) -> np.ndarray:
        """Which tokens are there after a step (after the last one without): booleans in the shape of the grid.

        A text-only job has none. Of several segments `masks` gives each its own.
        """
        masks = self.masks(step) or [np.zeros((0, 0), bool)]
        if len(masks) > 1:
            raise ValueError(f"job {self.id!r} has {len(masks)} segments: ask for masks")
        return masks[0]

    def masks(self, step: int | None = None) -> list[np.ndarray]:
        """The mask of each segment, in their order; none where there is no picture."""
        left = self.left_at  # read for every job: where the batch has no trace, this raises NotStored
        there = (left == SURVIVED) if step is None else (left > step) & (left != LEFT_OUT)
        masks, first = [], 0
        for rows, columns in self.grids:
            if first + rows * columns > len(there):
                raise BadFile(f"{self._file.path}: the segments of {self.id!r} do not divide its {len(there)} tokens")
            masks.append(there[first:first + rows * columns].reshape(rows, columns))
            first += rows * columns
        return masks

    def _group(self, group):
        return {column: self._slice(group, column) for column in self._file.group(group) if column != "indptr"}


# What h5py raises where a file is not what it claims to be.
_H5_ERRORS = (OSError, RuntimeError, ValueError, TypeError, KeyError, MemoryError)

_Dataset = collections.namedtuple("_Dataset", ["id", "shape", "dtype"])


def _open(path):
    """Opens a file for reading, also on a disk that gives no locks: a shard does not change, so reading needs none."""
    try:
        # Opened as h5py.File does, or the two could not have the file open at the same time.
        return h5py.h5f.open(path, h5py.h5f.ACC_RDONLY)
    except OSError as error:
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        if "lock" not in str(error).lower() or not hasattr(access, "set_file_locking"):
            raise
        access.set_file_locking(False, True)
        return h5py.h5f.open(path, h5py.h5f.ACC_RDONLY, access)


class _Shard:
    """An open shard, of which nothing is believed before it is checked.

    It uses the lower half of h5py, which is quicker where a few values of many files are wanted.
    """

    def __init__(self, path):
        try:
            self._file = _open(os.fsencode(path))
        except OSError as error:
            raise BadFile(f"{path} cannot be read: {error}") from error
        self.path = path
        self._most = max(64 << 20, 1100 * os.path.getsize(path))
        self._groups = {"": self._file}
        self._checked = {}
        try:
            form, version = _text(self.attribute("format")), _text(self.attribute("format_version"))
            if form != "winnow-results":
                raise BadFile(f"{path} is not a shard of results")
            if version.split(".")[0] != "2":
                raise BadFile(f"{path} has format {version}, this reads 2.0 to 2.1; get the winnow_results.py of its program "
                              "(winnow results reader)")
        except BadFile:
            self.close()
            raise

    def close(self):
        """Closes the file and what is open in it. (h5py.File's close looks through all files: ten times as long.)"""
        self._checked.clear()
        self._groups.clear()
        self._file.close()

    def attribute(self, name, group=""):
        """An attribute of the file or of a group, texts as str; None where there is none."""
        at = self._groups[group] if group in self._groups else self._group(group)
        try:
            if not h5py.h5a.exists(at, name.encode()):
                return None
            return self._value(h5py.h5a.open(at, name.encode()))
        except _H5_ERRORS as error:
            raise BadFile(f"{self.path}: the attribute {name} is damaged: {error}") from error

    def attributes(self):
        """All attributes of the file."""
        try:
            root = h5py.h5g.open(self._file, b"/")
            found = [h5py.h5a.open(root, index=index) for index in range(h5py.h5a.get_num_attrs(root))]
            return {attribute.name.decode(): self._value(attribute) for attribute in found}
        except _H5_ERRORS as error:
            raise BadFile(f"{self.path}: its attributes are damaged: {error}") from error

    def _value(self, attribute):
        shape, dtype = attribute.shape, attribute.dtype
        if math.prod(shape) * dtype.itemsize > 64 << 20:
            raise BadFile(f"{self.path}: an attribute claims {shape} values")
        value = np.empty(shape, dtype)
        attribute.read(value)
        value = value[()]
        return _text(value) if isinstance(value, (bytes, str)) else value

    def group(self, name):
        """The names in a group."""
        return [child.decode("utf-8", "replace") for child in self._group(name)]

    def has(self, name):
        """Whether there is something of this name at the top."""
        return name.encode() in self._file

    def _group(self, name):
        if name not in self._groups:
            group = self._open("", name, NotStored)
            if not isinstance(group, h5py.h5g.GroupID):
                raise BadFile(f"{self.path}: {name} is not a group")
            self._groups[name] = group
        return self._groups[name]

    def _open(self, group, name, absence):
        """What a hard link leads to; other links lead out of the file."""
        at = self._groups[group]
        try:
            link = at.links.get_info(name.encode())  # does not follow it
        except (KeyError, AttributeError, RuntimeError):  # the last from h5py before 3.8
            where = f"{group}/{name}" if group else name
            why = "this batch stored none, or no job of this file has any, as where all failed"
            raise absence(f"{self.path}: there is no {where} in it: {why}") from None
        if link.type != h5py.h5l.TYPE_HARD:
            raise BadFile(f"{self.path}: {name} is a soft or external link, which is not followed")
        try:
            return h5py.h5o.open(at, name.encode())
        except _H5_ERRORS as error:
            raise BadFile(f"{self.path}: {name} is damaged: {error}") from error

    def dataset(self, path):
        """A dataset `group/name` with its shape and type, if nothing on the way or about it leads out of the file."""
        if path not in self._checked:
            group, name = path.split("/")
            self._group(group)
            # A trace of indices has all of the group but this.
            is_less = path == "tokens/score" and self.attribute("trace") == "indices"
            at = self._open(group, name, NotStored if is_less else BadFile)
            if not isinstance(at, h5py.h5d.DatasetID):
                raise BadFile(f"{self.path}: {path} is not a dataset")
            try:
                plist = at.get_create_plist()
                if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
                    raise BadFile(f"{self.path}: {path} keeps its data in another file, which is not followed")
                filters = {plist.get_filter(index)[0] for index in range(plist.get_nfilters())}
                shape, dtype = at.shape, at.dtype
            except _H5_ERRORS as error:
                raise BadFile(f"{self.path}: {path} is damaged: {error}") from error
            if not filters <= {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32}:
                raise BadFile(f"{self.path}: {path} is packed with a filter that is not known")
            if not shape or math.prod(shape) * dtype.itemsize > self._most:
                raise BadFile(f"{self.path}: {path} claims {shape} values, more than the file can hold")
            self._checked[path] = _Dataset(at, shape, dtype)
        return self._checked[path]

    def description(self, path):
        """The units and the meaning of a dataset."""
        attributes = h5py.AttributeManager(h5py.Dataset(self.dataset(path).id))
        return _text(attributes["units"]), _text(attributes["long_name"])

    def ragged(self, group, column, row):
        """What one row owns of a ragged column."""
        return self.ragged_rows(group, column, [row])[0]

    def ragged_rows(self, group, column, rows):
        """What each of some rows owns of a ragged column; `rows` go up. Many of them are read as one piece."""
        first, last = rows[0], rows[-1]
        indptr = self._read(f"{group}/indptr", first, last + 2)
        if indptr.ndim != 1 or indptr.dtype.kind not in "iu":
            raise BadFile(f"{self.path}: {group}/indptr is not a list of whole numbers")
        data = self.dataset(f"{group}/{column}")
        ends = [(int(indptr[row - first]), int(indptr[row - first + 1])) for row in rows]
        if not all(0 <= start <= end <= data.shape[0] for start, end in ends):
            raise BadFile(f"{self.path}: {group}/indptr does not divide {group}/{column}")
        low, high = ends[0][0], ends[-1][1]
        wanted = sum(end - start for start, end in ends)
        if len(rows) > 1 and low <= high <= low + 2 * wanted and all(
                a[1] <= b[0] for a, b in zip(ends, ends[1:])):
            whole = _plain(data.dtype, self._read(f"{group}/{column}", low, high))
            return [whole[start - low:end - low] for start, end in ends]
        return [_plain(data.dtype, self._read(f"{group}/{column}", start, end)) for start, end in ends]

    def column(self, name, start=0, end=None):
        """A column of /jobs, or some rows of it: texts and named codes as str."""
        path = f"jobs/{name}"
        data = self.dataset(path)
        values = self._read(path, start, data.shape[0] if end is None else end)
        return _plain(data.dtype, values)

    def texts(self, path):
        """A dataset of texts."""
        return [_text(value) for value in self._read(path, 0, self.dataset(path).shape[0])]

    def _read(self, path, start, end):
        """Some rows of a dataset."""
        data = self.dataset(path)
        if not 0 <= start <= end <= data.shape[0]:
            raise BadFile(f"{self.path}: {path} has {data.shape[0]} rows, not {start} to {end}")
        shape = (end - start,) + data.shape[1:]
        values = np.empty(shape, data.dtype)
        if values.size:
            try:
                space = data.id.get_space()
                space.select_hyperslab((start,) + (0,) * (len(shape) - 1), shape)
                data.id.read(h5py.h5s.create_simple(shape), space, values)
            except _H5_ERRORS as error:
                raise BadFile(f"{self.path}: {path} is damaged: {error}") from error
        return values


class _Catalogue:
    """The rows as the catalogue lists them."""

    def __init__(self, path):
        self._path = path
        try:
            self._database = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
            self._database.execute("PRAGMA trusted_schema = OFF")
            self._database.execute("PRAGMA mmap_size = 2147418112")
            self._names = [row[1] for row in self._database.execute("PRAGMA table_xinfo(jobs)")]
        except sqlite3.Error as error:
            raise BadFile(f"{path}: {error}; delete it and run: winnow results catalogue DIR") from error
        if not {"id", "shard", "row"} <= set(self._names):
            raise BadFile(f"{path} is not a catalogue of results; delete it and run: winnow results catalogue DIR")

    def shards(self):
        tables = {name for name, in self._fetch("SELECT name FROM sqlite_master WHERE type = 'table'")}
        lists = [self._fetch(f"SELECT path FROM {table}") for table in tables & {"shards", "unreadable"}]
        return {path for rows in lists for path, in rows}

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
            name = shard.attribute("shard")
            firsts = np.full(len(ids), name, dtype=object)
            if shard.has("sources"):
                names, sources = shard.texts("sources/shard"), shard.column("source")
                if len(sources) and not 0 <= min(sources) <= max(sources) < len(names):
                    raise BadFile(f"{shard.path}: /sources does not say where its rows come from")
                firsts = np.array([names[source] for source in sources], dtype=object)
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
                found[name] = shard.description(f"jobs/{name}")
            found["image"] = ("1", "pictures as the item names them, one a line; empty if there is none")
            found["pictures"] = ("1", "number of pictures")
            found["image_sha256"] = ("1", "SHA-256 of each picture file, one a line")
            found["picture_notes"] = ("1", "what was let pass in each picture file, one a line; empty if nothing")
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
            ascending = sorted(set(places))
            for name, column in [("image", "image"), ("image_sha256", "sha256"), ("picture_notes", "notes")]:
                owned = dict(zip(ascending, shard.ragged_rows("pictures", column, ascending)))
                lists = [owned[row] for row in places]
                texts = ["\n".join(texts) if any(texts) else "" for texts in lists]
                parts.setdefault(name, []).append(np.array(texts, dtype=object))
            parts.setdefault("pictures", []).append(np.array([len(texts) for texts in lists]))
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


def _plain(dtype, values):
    """Texts as str, and codes under their names."""
    if h5py.check_string_dtype(dtype):
        return np.array([_text(value) for value in values], dtype=object)
    codes = h5py.check_enum_dtype(dtype)
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
            except NotStored:
                continue
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
            except NotStored:
                continue
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
