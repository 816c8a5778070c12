import Foundation
import HDF5
import ResultFiles
import TestSupport
import Testing

@Suite struct ReductionCaseTests {
    let folder: TemporaryDirectory
    var path: String { folder.file("case.h5").path }

    init() throws { folder = try TemporaryDirectory() }

    /// Seven rows: a class token, then a 2 × 3 grid.
    private func write(
        attention: [Int] = [2, 7, 7], grid: [Int64] = [2, 3], classToken: Attribute? = .integer(0), keys: Bool = true
    ) throws {
        try File.writing(path) { file in
            try file.root.write((0..<28).map { Float($0) }, to: "hidden", shape: [7, 4])
            try file.root.write(
                (0..<attention.reduce(1, *)).map { Double($0) / 100 }, to: "attention", shape: attention)
            if keys { try file.root.write([Float16](repeating: 0.5, count: 2 * 7 * 3), to: "keys", shape: [2, 7, 3]) }
            if let classToken { try file.root.set("class_token", to: classToken) }
            try file.root.set("image_start", to: .integer(1))
            try file.root.set("image_count", to: .integer(6))
            try file.root.set("grid", to: .integers(grid))
            try file.root.set("precision", to: "f64")
        }
    }

    @Test func everythingIsConvertedToOneType() throws {
        try write()
        let read = try ReductionCase<Double>(contentsOf: path)
        #expect(read.hidden.shape == [7, 4] && read.hidden.values == (0..<28).map { Double($0) })
        #expect(read.attention.shape == [2, 7, 7] && read.attention.values[50] == 0.5)
        #expect(read.keys?.shape == [2, 7, 3] && read.keys?.values.first == 0.5)
        #expect(read.classToken == 0 && read.imageStart == 1 && read.imageCount == 6)
        #expect(read.grid == [2, 3] && read.precision == "f64")
    }

    @Test(arguments: [
        (Attribute?.none, Int?.none), (.integer(-1), nil), (.integer(3), 3), (.boolean(true), 0),
        (.boolean(false), nil),
    ])
    func theClassTokenIsARowOrABoolean(attribute: Attribute?, row: Int?) throws {
        try write(classToken: attribute, keys: false)
        let read = try ReductionCase<Float>(contentsOf: path)
        #expect(read.classToken == row && read.keys == nil)
    }

    @Test func theGridIsOneSideOrTwoAndMayBeLargerThanTheImage() throws {
        try write(grid: [3])
        #expect(try ReductionCase<Double>(contentsOf: path).grid == [3, 3])
        try remove()
        try write(grid: [2, 4])
        #expect(try ReductionCase<Double>(contentsOf: path).grid == [2, 4])
        try remove()
        try write(grid: [1, 2, 3])
        #expect(code { _ = try ReductionCase<Double>(contentsOf: path) } == .corrupt)
        try remove()
        try write(grid: [-6])
        #expect(code { _ = try ReductionCase<Double>(contentsOf: path) } == .corrupt)
    }

    @Test func contradictionsAreErrors() throws {
        try write(attention: [2, 7, 6])
        #expect(code { _ = try ReductionCase<Double>(contentsOf: path) } == .corrupt)
        try remove()
        try write(grid: [2, 2])
        #expect(code { _ = try ReductionCase<Double>(contentsOf: path) } == .corrupt)
        try remove()
        try write(classToken: .integer(7))
        #expect(code { _ = try ReductionCase<Double>(contentsOf: path) } == .corrupt)
        try remove()
        #expect(code { _ = try ReductionCase<Double>(contentsOf: path) } == .notFound)
    }

    private func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
