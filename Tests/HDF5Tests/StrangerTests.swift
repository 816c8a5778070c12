import Foundation
import HDF5
import TestSupport
import Testing

/// Files that somebody else wrote, with or without bad intentions.
@Suite struct StrangerTests {
    let folder: TemporaryDirectory
    var path: String { folder.file("strange.h5").path }

    init() throws { folder = try TemporaryDirectory() }

    @Test func anAbsentFileIsNotFound() {
        let failure = code { try File.reading(path) { _ in } }
        #expect(failure == .notFound)
    }

    @Test func anExistingFileIsNotReplaced() throws {
        try File.writing(path) { _ in }
        let failure = code { try File.writing(path) { _ in } }
        #expect(failure == .alreadyExists)
    }

    @Test(arguments: [0, 1, 7, 100, 4096, 100_000])
    func randomBytesAreCorrupt(count: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        try Data(bytes).write(to: folder.file("strange.h5"))
        let failure = code { try File.reading(path) { _ in } }
        #expect(failure == .corrupt)
    }

    @Test func foldersAndDevicesAreRefused() {
        #expect(code { try File.reading(folder.url.path) { _ in } } == .refused)
        #expect(code { try File.reading("/dev/zero") { _ in } } == .refused)
    }

    @Test func everyTruncationIsAnError() throws {
        try File.writing(path) { file in
            try file.root.write((0..<3000).map { Int32($0) }, to: "n", layout: .chunked([1000], compressed: true))
        }
        let whole = try Data(contentsOf: folder.file("strange.h5"))
        for length in stride(from: 0, to: whole.count - 1, by: 37) {
            try whole.prefix(length).write(to: folder.file("strange.h5"))
            let failure = code { try File.reading(path) { file in _ = try file.root.dataset("n").read(Int32.self) } }
            #expect(failure != nil, "cut to \(length) of \(whole.count) bytes")
        }
    }

    @Test func aDamagedChunkIsFoundByItsChecksum() throws {
        try File.writing(path) { file in
            try file.root.write([Int32](repeating: 0x5A5A_1234, count: 3000), to: "n", layout: .chunked([1000]))
        }
        var bytes = try Data(contentsOf: folder.file("strange.h5"))
        let pattern = Data([0x34, 0x12, 0x5A, 0x5A, 0x34, 0x12])
        let place = try #require(bytes.range(of: pattern))
        bytes[place.lowerBound + 2] ^= 4
        try bytes.write(to: folder.file("strange.h5"))
        let failure = code { try File.reading(path) { file in _ = try file.root.dataset("n").read(Int32.self) } }
        #expect(failure == .corrupt)
    }

    /// The index of chunks (a "TREE" node: 24 bytes of header, then size, skipped filters and offset of the first chunk)
    /// has no checksum of its own.
    @Test(arguments: [(28, 1), (28, 2), (28, 4), (28, 128), (37, 1)])
    func aDamagedIndexIsFound(byte: Int, bit: UInt8) throws {
        try File.writing(path) { file in
            try file.root.write((0..<3000).map { Int32($0 / 7) }, to: "n", layout: .chunked([4000], compressed: true))
        }
        var bytes = try Data(contentsOf: folder.file("strange.h5"))
        let node = try #require(bytes.range(of: Data("TREE".utf8)))
        bytes[node.lowerBound + byte] ^= bit
        try bytes.write(to: folder.file("strange.h5"))
        let failure = code { try File.reading(path) { file in _ = try file.root.dataset("n").read(Int32.self) } }
        #expect(failure == .corrupt)
    }

    @Test func pathsDoNotLeaveTheirGroup() throws {
        try File.writing(path) { file in
            let group = try file.root.createGroup("a")
            try group.write([1], to: "x")
            try group.close()
        }
        try File.reading(path) { file throws in
            #expect(try file.root.dataset("/a/x").read(Int.self) == [1])
            let group = try file.root.group("a")
            #expect(try group.contains("x"))
            #expect(try file.root.contains("a/x"))
            #expect(try !file.root.contains("b/x"))
            for name in ["", ".", "..", "x/y", "y", "x\0"] {
                let failure = code { _ = try group.dataset(name) }
                #expect(failure != nil, "\(name)")
            }
            let failure = code { _ = try file.root.group("a/x") }
            #expect(failure != nil)
        }
    }

    @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
    func whatReachesBeyondTheFileIsRefused() throws {
        let secret = folder.file("secret.h5").path
        let raw = folder.file("secret.bin").path
        _ = try SystemPython.run(
            """
            import h5py, numpy as np, sys
            path, secret, raw = sys.argv[1:]
            open(raw, "wb").write(bytes(64))
            with h5py.File(secret, "w") as f: f["x"] = np.arange(8)
            with h5py.File(path, "w", libver=("v108", "v110")) as f:
                f["plain/x"] = np.arange(8)
                f["soft"] = h5py.SoftLink("/plain/x")
                f["softgroup"] = h5py.SoftLink("/plain")
                f["external"] = h5py.ExternalLink(secret, "/x")
                f["externalgroup"] = h5py.ExternalLink(secret, "/")
                f["dangling"] = h5py.SoftLink("/nowhere")
                f.create_dataset("raw", (8,), "i8", external=[(raw, 0, 64)])
                layout = h5py.VirtualLayout((8,), "i8")
                layout[:] = h5py.VirtualSource(secret, "x", (8,))
                f.create_virtual_dataset("virtual", layout)
                f.create_dataset("lzf", data=np.arange(8), chunks=(8,), compression="lzf")
                f.create_dataset("compound", data=np.zeros(3, [("a", "i4"), ("b", "f4")]))
                f.create_dataset("huge", (1 << 40,), "f8", chunks=(1024,), compression="gzip")
                f.create_dataset("chunk", (1 << 30,), "f8", chunks=(1 << 28,))
                f["vlen"] = np.array([np.arange(3), np.arange(5)], dtype=object).astype(h5py.vlen_dtype("i4"))
            """, path, secret, raw)
        try File.reading(path) { file throws in
            #expect(try file.root.dataset("plain/x").read(Int.self) == Array(0..<8))
            let expected: [(String, HDF5Error.Code)] = [
                ("soft", .refused), ("softgroup/x", .refused), ("external", .refused), ("externalgroup/x", .refused),
                ("dangling", .refused), ("raw", .refused), ("virtual", .refused), ("lzf", .filterMissing),
                ("compound", .typeMismatch), ("chunk", .refused), ("vlen", .typeMismatch), ("huge", .refused),
                ("plain", .typeMismatch), ("absent", .notFound),
            ]
            for (name, code) in expected {
                let failure = HDF5Tests.code { _ = try file.root.dataset(name).read(Double.self) }
                #expect(failure == code, "\(name)")
            }
            // A few rows of something huge are no harm.
            #expect(try file.root.dataset("huge").read(Double.self, rows: 7..<9) == [0, 0])
        }
    }

    @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
    func whatH5pyWritesIsRead() throws {
        _ = try SystemPython.run(
            """
            import h5py, numpy as np, sys
            with h5py.File(sys.argv[1], "w") as f:
                f["hidden"] = np.arange(12, dtype=">f4").reshape(3, 4)
                f["half"] = np.array([0.5, -2], "f2")
                f["flags"] = np.array([True, False])
                f["fixed"] = np.array([b"ab", b"c"])
                f["text"] = ["née", "", "猫"]
                f["ascii"] = np.array([b"x", b"yz"], dtype=h5py.string_dtype("ascii"))
                f["scalar"] = 3.5
                f["empty"] = h5py.Empty("f4")
                f.attrs.update(text="née", flag=np.True_, n=7, u=np.uint8(200), x=0.5, grid=[2, 3], names=["a", "b"])
                f.attrs["bytes"] = np.bytes_(b"f32")
                f.attrs["one"] = np.array([5])
                f.attrs["nothing"] = h5py.Empty("f4")
            """, path)
        try File.reading(path) { file throws in
            let hidden = try file.root.array("hidden", of: Double.self, rank: 2)
            #expect(hidden.shape == [3, 4])
            #expect(hidden.values == (0..<12).map { Double($0) })
            #expect(code { _ = try file.root.array("hidden", of: Double.self, rank: 3) } == .typeMismatch)
            #expect(try file.root.dataset("half").read(Float.self) == [0.5, -2])
            #expect(try file.root.dataset("flags").read(Int8.self) == [1, 0])
            #expect(try file.root.dataset("flags").read(Int.self) == [1, 0])
            #expect(try file.root.dataset("fixed").strings() == ["ab", "c"])
            #expect(try file.root.dataset("text").strings() == ["née", "", "猫"])
            #expect(try file.root.dataset("ascii").strings() == ["x", "yz"])
            #expect(try file.root.dataset("scalar").shape == [])
            #expect(try file.root.dataset("scalar").read(Double.self) == [3.5])
            #expect(try file.root.dataset("empty").read(Float.self) == [])
            let attributes: [(String, Attribute)] = [
                ("text", "née"), ("flag", .boolean(true)), ("n", .integer(7)), ("u", .integer(200)), ("x", .float(0.5)),
                ("grid", .integers([2, 3])), ("names", .strings(["a", "b"])), ("bytes", "f32"), ("one", .integers([5])),
                ("nothing", .floats([])),
            ]
            for (name, value) in attributes { #expect(try file.root.attribute(name) == value, "\(name)") }
        }
    }
}
