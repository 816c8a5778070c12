import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct RoundTripTests {
    let folder: TemporaryDirectory
    var path: String { folder.file("values.h5").path }

    init() throws { folder = try TemporaryDirectory() }

    /// Writes and reads back a column in every layout.
    private func roundTrip<Value: Element & Equatable>(_ values: [Value]) throws {
        let layouts: [DatasetLayout] = [.contiguous, .chunked([3]), .chunked([3], compressed: true)]
        let path = folder.file("\(Value.self).h5").path
        try File.writing(path) { file throws in
            for (index, layout) in layouts.enumerated() {
                try file.root.write(values, to: "values\(index)", layout: layout)
            }
        }
        try File.reading(path) { file throws in
            for index in layouts.indices {
                let dataset = try file.root.dataset("values\(index)")
                #expect(dataset.shape == [values.count])
                #expect(dataset.elementType == Value.elementType)
                #expect(try dataset.read(Value.self) == values)
                #expect(try dataset.read(Value.self, rows: 1..<3) == Array(values[1..<3]))
                #expect(try dataset.read(Value.self, rows: 2..<2) == [])
            }
        }
    }

    @Test func everyNumberComesBackWithItsBits() throws {
        try roundTrip([Int8.min, -1, 0, .max])
        try roundTrip([Int16.min, -1, 0, .max])
        try roundTrip([Int32.min, -1, 0, .max])
        try roundTrip([Int64.min, -1, 0, .max])
        try roundTrip([Int.min, -1, 0, .max])
        try roundTrip([UInt8.min, 1, 255])
        try roundTrip([UInt16.min, 1, .max, 7])
        try roundTrip([UInt32.min, 1, .max, 7])
        try roundTrip([UInt64.min, 1, .max, 7])
        try roundTrip([Float16(-0.5), 65504, 6e-8, .infinity])
        try roundTrip([Float(-0.1), .greatestFiniteMagnitude, .leastNonzeroMagnitude, -.infinity])
        try roundTrip([-0.1, Double.greatestFiniteMagnitude, .leastNonzeroMagnitude, -.infinity])
    }

    @Test func matricesComeBackByRows() throws {
        let values = (0..<24).map { Float16($0) }
        try File.writing(path) { file throws in
            let group = try file.root.createGroup("features")
            let dataset = try group.createDataset("data", of: Float16.self, shape: [6, 4], layout: .chunked([4, 4]))
            try dataset.write(Array(values[8...]), atRow: 2)
            try dataset.write(Array(values[..<8]), atRow: 0)
            try dataset.close()
            try group.close()
        }
        try File.reading(path) { file throws in
            let dataset = try file.root.dataset("features/data")
            #expect(dataset.shape == [6, 4])
            #expect(try dataset.read(Float16.self) == values)
            #expect(try dataset.read(Float16.self, rows: 3..<5) == Array(values[12..<20]))
            #expect(try dataset.read(Double.self, rows: 3..<4) == [12, 13, 14, 15])
        }
    }

    @Test func floatsConvertIntoEachOther() throws {
        let values: [Double] = [1, -2.5, 0.1, 1e-3]
        try File.writing(path) { file throws in
            try file.root.write(values, to: "f64")
            try file.root.write(values.map(Float.init), to: "f32")
            try file.root.write(values.map { Float16($0) }, to: "f16")
        }
        try File.reading(path) { file throws in
            let f64 = try file.root.dataset("f64")
            let f32 = try file.root.dataset("f32")
            let f16 = try file.root.dataset("f16")
            let read = (
                try f64.read(Float.self), try f64.read(Float16.self), try f32.read(Double.self),
                try f16.read(Float.self), try f16.read(Double.self)
            )
            #expect(read.0 == values.map { Float($0) })
            #expect(read.1 == values.map { Float16($0) })
            #expect(read.2 == values.map { Double(Float($0)) })
            #expect(read.3 == values.map { Float(Float16($0)) })
            #expect(read.4 == values.map { Double(Float16($0)) })
        }
    }

    @Test func integersWidenButNeverNarrow() throws {
        try File.writing(path) { file throws in
            try file.root.write([UInt8(200), 3], to: "u8")
            try file.root.write([Int32(-7), 70_000], to: "i32")
        }
        try File.reading(path) { file throws in
            #expect(try file.root.dataset("u8").read(Int16.self) == [200, 3])
            #expect(try file.root.dataset("i32").read(Int.self) == [-7, 70_000])
            #expect(try file.root.dataset("i32").read(Double.self) == [-7, 70_000])
            #expect(code { _ = try file.root.dataset("i32").read(Int16.self) } == .typeMismatch)
            #expect(code { _ = try file.root.dataset("i32").read(UInt64.self) } == .typeMismatch)
            #expect(code { _ = try file.root.dataset("u8").strings() } == .typeMismatch)
        }
    }

    @Test func textComesBackWhateverItHolds() throws {
        let texts = ["", "plain", "née 猫 🐈", String(repeating: "long ", count: 50_000), "line\nbreak"]
        try File.writing(path) { file throws in
            try file.root.write(texts, to: "text", layout: .chunked([2]))
            try file.root.write(["a\0b"], to: "zero")
            try file.root.write([String](), to: "none", layout: .chunked([2]))
        }
        try File.reading(path) { file throws in
            #expect(try file.root.dataset("text").strings() == texts)
            #expect(try file.root.dataset("text").strings(rows: 2..<3) == [texts[2]])
            #expect(try file.root.dataset("zero").strings() == ["a\u{FFFD}b"])
            #expect(try file.root.dataset("none").strings() == [])
        }
    }

    @Test func codesKeepTheirNames() throws {
        try File.writing(path) { file throws in
            try file.root.write(
                codes: [0, 2, 1], named: ["stop", "length", "error"], to: "reason", layout: .chunked([9]))
        }
        try File.reading(path) { file throws in
            let dataset = try file.root.dataset("reason")
            #expect(dataset.elementType == .uint8)
            #expect(try dataset.read(UInt8.self) == [0, 2, 1])
            #expect(try dataset.enumerationNames() == [0: "stop", 1: "length", 2: "error"])
        }
    }

    @Test func attributesComeBack() throws {
        let attributes: [(String, Attribute)] = [
            ("text", .string("née")), ("empty", .string("")), ("texts", .strings(["a", "", "c"])),
            ("integer", .integer(-3)), ("grid", .integers([24, 24])), ("float", .float(0.1)),
            ("floats", .floats([1.5, -2])), ("long", .string(String(repeating: "x", count: 100_000))),
        ]
        try File.writing(path) { file throws in
            let group = try file.root.createGroup("group")
            for (name, value) in attributes { try group.set(name, to: value) }
            try group.close()
            try file.root.write([1.0], to: "data", attributes: ["units": "s"])
        }
        try File.reading(path) { file throws in
            let group = try file.root.group("group")
            for (name, value) in attributes { #expect(try group.attribute(name) == value) }
            #expect(try group.attribute("absent") == nil)
            #expect(try file.root.dataset("data").attribute("units") == .string("s"))
        }
    }

    @Test func emptyArraysKeepTheirShape() throws {
        try File.writing(path) { file throws in
            try file.root.write([UInt16](), to: "none", layout: .chunked([1024], compressed: true))
            try file.root.write([Float16](), to: "rows", shape: [0, 8], layout: .chunked([64, 8]))
        }
        try File.reading(path) { file throws in
            #expect(try file.root.dataset("none").read(UInt16.self) == [])
            #expect(try file.root.dataset("rows").shape == [0, 8])
            #expect(try file.root.dataset("rows").read(Float16.self) == [])
            #expect(try file.root.names() == ["none", "rows"])
        }
    }

    @Test func equalContentGivesEqualBytes() throws {
        for name in ["a.h5", "b.h5"] {
            try File.writing(folder.file(name).path) { file throws in
                let group = try file.root.createGroup("jobs")
                try group.write((0..<5000).map { Int32($0) }, to: "n", layout: .chunked([1024], compressed: true))
                try group.write(["x", "y"], to: "text", layout: .chunked([2]))
                try group.close()
            }
        }
        let bytes = try ["a.h5", "b.h5"].map { try Data(contentsOf: folder.file($0)) }
        #expect(bytes[0] == bytes[1])
    }
}

/// The kind of HDF5 failure that `body` ends with, or nil where it succeeds.
func code(_ body: () throws -> Void) -> HDF5Error.Code? {
    do {
        try body()
        return nil
    } catch let error as HDF5Error {
        return error.code
    } catch {
        Issue.record("not an HDF5Error: \(error)")
        return nil
    }
}
