"""State dicts as PyTorch 1.6 and later save them, written with Python's own pickle and zipfile; PyTorch is not needed.

Classes with PyTorch's names stand in for its storages and functions, so that the pickles have the opcodes that torch.save gives
them: protocol 2, storages by persistent ids, tensors by torch._utils._rebuild_tensor_v2. Run it in this folder with Python 3.11.
"""
import collections, io, json, pickle, struct, sys, types, zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})
FORMATS = {"Half": "e", "Float": "f", "Double": "d", "Long": "q"}
for kind in ["BFloat16", *FORMATS]:
    setattr(torch, kind + "Storage", type(kind + "Storage", (), {"__module__": "torch"}))


def function(name):
    def made(*arguments):
        raise NotImplementedError
    made.__name__ = made.__qualname__ = name
    made.__module__ = "torch._utils"
    setattr(utils, name, made)
    return made


rebuild_tensor, rebuild_parameter = function("_rebuild_tensor_v2"), function("_rebuild_parameter")


class Storage:
    def __init__(self, kind, numbers):
        self.kind, self.numbers = kind, numbers

    def bytes(self):
        if self.kind == "BFloat16":
            return b"".join(struct.pack("<f", n)[2:] for n in self.numbers)
        return struct.pack(f"<{len(self.numbers)}{FORMATS[self.kind]}", *self.numbers)


class Tensor:
    def __init__(self, storage, shape, offset=0, strides=None, notes=None):
        if strides is None:
            strides, step = [], 1
            for size in reversed(shape):
                strides.insert(0, step)
                step *= size
        self.arguments = (storage, offset, tuple(shape), tuple(strides), False, collections.OrderedDict())
        if notes is not None:
            self.arguments += (notes,)

    def __reduce__(self):
        return rebuild_tensor, self.arguments


class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return rebuild_parameter, (self.tensor, True, collections.OrderedDict())


def save(path, state, folder="archive", byteorder="little"):
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            if not isinstance(thing, Storage):
                return None
            if thing not in storages:
                storages.append(thing)
            kind = getattr(torch, thing.kind + "Storage")
            return "storage", kind, str(storages.index(thing)), "cpu", len(thing.numbers)

    out = io.BytesIO()
    Pickler(out, protocol=2).dump(state)
    with zipfile.ZipFile(path, "w") as archive:
        def record(name, data):
            # torch.save aligns every record to 64 bytes by an extra field of zeros.
            header = archive.fp.tell() + 30 + len(f"{folder}/{name}")
            padding = -(header + 4) % 64
            info = zipfile.ZipInfo(f"{folder}/{name}", (2020, 1, 1, 0, 0, 0))
            info.extra = struct.pack("<HH", 0x4246, padding) + b"Z" * padding
            archive.writestr(info, data)

        record("data.pkl", out.getvalue())
        if byteorder:
            record("byteorder", byteorder)
        for key, storage in enumerate(storages):
            record(f"data/{key}", storage.bytes())
        record("version", "3\n")


def numbers(count, start):
    return [(start + i) / 8 for i in range(count)]


shared = Storage("Float", numbers(24, -5))
state = collections.OrderedDict(
    half=Tensor(Storage("Half", numbers(6, 1)), [2, 3]),
    brain=Tensor(Storage("BFloat16", numbers(4, -2)), [4]),
    single=Tensor(shared, [2, 12]),
    view=Tensor(shared, [3, 4], offset=8),
    tied=Tensor(shared, [2, 12]),
    double=Tensor(Storage("Double", numbers(2, 3)), [1, 2, 1]),
    scalar=Tensor(Storage("Float", [0.5]), []),
    empty=Tensor(Storage("Float", []), [0, 3]),
    parameter=Parameter(Tensor(Storage("Half", numbers(3, 7)), [3])),
    positions=Tensor(Storage("Long", [0, 1, 2]), [1, 3]),
)
state._metadata = collections.OrderedDict({"": {"version": 1}, "layer": {"version": 2}})
save("state.bin", state)
save("plain.bin", {"a": Tensor(Storage("Float", [1.0, 2.0]), [2]), "epoch": 3, "loss": 0.25, "name": "x", "steps": [1, 2]}, "model", None)
save("transposed.bin", {"turned": Tensor(shared, [12, 2], strides=[1, 12])})
save("big-endian.bin", {"a": Tensor(shared, [24])}, byteorder="big")
save("negated.bin", {"a": Tensor(shared, [2], notes={"neg": True})})
save("beyond.bin", {"a": Tensor(shared, [5, 5])})


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("echo run",)


save("evil.bin", {"a": Evil()})
with open("legacy.bin", "wb") as file:
    for part in [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]:
        pickle.dump(part, file, protocol=2)
with open("expected.json", "w") as file:
    json.dump({
        "half": numbers(6, 1), "brain": numbers(4, -2), "single": numbers(24, -5), "view": numbers(12, 3), "tied": numbers(24, -5),
        "double": numbers(2, 3), "scalar": [0.5], "empty": [], "parameter": numbers(3, 7)}, file, indent=1)
    file.write("\n")
