import Foundation
import HDF5
import ResultFiles
import Testing

@Suite struct ShardRoundTripTests {
    let results: ResultsFixture

    init() throws { results = try ResultsFixture() }

    @Test(arguments: [1, 2, 37, 300])
    func everyColumnComesBack(count: Int) throws {
        var sample = SampleRows(seed: UInt64(count))
        let rows = sample.rows(count)
        let shard = try results.seal(rows)
        let reader = try ShardReader(results.path(shard))
        #expect(reader.header == SampleRows.header())
        #expect(reader.id == ResultsFixture.id(1))
        #expect(reader.rowCount == count)
        let read = try reader.rows()
        #expect(read == rows)
        #expect(shard.jobs == rows.map(\.id))
    }

    @Test func anyRangeOfRowsComesBack() throws {
        var sample = SampleRows(seed: 9)
        let rows = sample.rows(12)
        let reader = try ShardReader(results.path(try results.seal(rows)))
        for range in [0..<0, 0..<1, 3..<4, 5..<11, 11..<12, 12..<12] {
            let read = try reader.rows(range)
            #expect(read == Array(rows[range]))
        }
        #expect(code { _ = try reader.rows(5..<13) } == .notFound)
    }

    @Test func aJobAboutNoPictureHasNoTokensAndComesBack() throws {
        var sample = SampleRows(seed: 4)
        let rows = [sample.row(0), sample.textAlone(1), sample.row(2)]
        let read = try ShardReader(results.path(try results.seal(rows))).rows()
        #expect(read == rows)
    }

    @Test func featuresAreOptional() throws {
        var sample = SampleRows(seed: 3)
        let rows = sample.rows(6, features: false)
        let reader = try ShardReader(results.path(try results.seal(rows, features: false)))
        #expect(reader.header.features == nil)
        let read = try reader.rows()
        #expect(read == rows)

        let withFeatures = sample.rows(6)
        let other = try ShardReader(results.path(try results.seal(withFeatures, as: 2)))
        let without = try other.rows(features: false)
        #expect(without.allSatisfy { $0.features.isEmpty })
        #expect(without.map(\.kept) == withFeatures.map(\.kept))
    }

    @Test func onlyFailedJobsMakeAShardToo() throws {
        var sample = SampleRows(seed: 4)
        let rows = (0..<3).map { sample.failed($0) }
        let reader = try ShardReader(results.path(try results.seal(rows)))
        let read = try reader.rows()
        #expect(read == rows)
    }

    @Test func strangeTextSurvives() throws {
        var sample = SampleRows(seed: 5)
        var rows = sample.rows(3)
        rows[0].prompt = "zero \0 byte"
        rows[1].answer = String(decoding: [0x61, 0xFF, 0x62], as: UTF8.self)
        rows[2].answer = String(repeating: "🐈 long ", count: 2_000_000)
        let reader = try ShardReader(results.path(try results.seal(rows)))
        let read = try reader.rows()
        #expect(read[0].prompt == "zero \u{FFFD} byte")
        #expect(read[1].answer == "a\u{FFFD}b")
        #expect(read[2].answer == rows[2].answer)
    }

    @Test func equalRowsGiveEqualBytes() throws {
        var sample = SampleRows(seed: 6)
        let rows = sample.rows(20)
        let first = try results.seal(rows)
        let other = try ResultsFixture()
        let second = try other.seal(rows)
        #expect(first == second)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: results.path(first)))
        #expect(first.bytes == bytes.count)
        let sum = Process()
        let output = Pipe()
        sum.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
        sum.arguments = [results.path(first)]
        sum.standardOutput = output
        try sum.run()
        let printed = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(
            printed.hasPrefix(first.sha256.map { String(($0 >> 4), radix: 16) + String($0 & 15, radix: 16) }.joined()))
    }

    /// Memory is used again from shard to shard, and nothing of one may show in the next.
    @Test func whatWasSealedBeforeLeavesNoTrace() throws {
        var sample = SampleRows(seed: 8)
        let (small, large) = (sample.rows(3), sample.rows(400))
        let alone = try results.seal(small)
        for _ in 0..<3 {
            let other = try ResultsFixture()
            _ = try other.seal(large, as: 2)
            let again = try other.seal(small)
            #expect(again == alone)
        }
    }

    /// As in a merged shard: much text, none of it enormous.
    @Test func muchTextIsChecksummed() throws {
        var sample = SampleRows(seed: 10)
        var rows = sample.rows(3000, features: false)
        for index in rows.indices { rows[index].prompt = String(repeating: "long \(index % 7) ", count: 800) }
        let path = results.path(try results.seal(rows, features: false))
        let isChecksummed = try File.reading(path) { file throws in
            try file.root.dataset("jobs/prompt").isChecksummed
        }
        #expect(isChecksummed)
        let read = try ShardReader(path).rows(2990..<3000)
        #expect(read == Array(rows[2990...]))
    }

    @Test func everyDatasetIsDescribedAndChecksummed() throws {
        var sample = SampleRows(seed: 7)
        let shard = try results.seal(sample.rows(10))
        try File.reading(results.path(shard)) { file throws in
            for group in try file.root.names() {
                for name in try file.root.group(group).names() {
                    let dataset = try file.root.dataset("\(group)/\(name)")
                    let isChecksummed = dataset.isChecksummed
                    #expect(isChecksummed, "\(group)/\(name)")
                    let units = try dataset.attribute("units")
                    let longName = try dataset.attribute("long_name")
                    guard case .string = units, case .string(let text) = longName, !text.isEmpty else {
                        Issue.record("\(dataset.name) is not described")
                        continue
                    }
                }
            }
        }
    }
}
