import Foundation
import HDF5
import JobVocabulary
import ResultFiles
import Testing

/// What a shard holds of what became of each token is the batch's choice.
@Suite struct StoredTraceTests {
    let results: ResultsFixture

    init() throws { results = try ResultsFixture() }

    private func seal(_ rows: [ResultRow], trace: StoredTrace) throws -> ShardReader {
        var writer = ShardWriter(folder: results.folder, header: SampleRows.header(trace: trace))
        for row in rows { try writer.add(row, at: .now) }
        return try ShardReader(results.path(try writer.seal(as: ResultsFixture.id(1))))
    }

    @Test(arguments: [
        (
            StoredTrace.full,
            [
                "features", "jobs", "kept", "merges", "pictures", "segments", "steps", "token_ids", "token_logprobs",
                "tokens",
            ]
        ),
        (
            .indices,
            ["features", "jobs", "kept", "pictures", "segments", "steps", "token_ids", "token_logprobs", "tokens"]
        ),
        (.none, ["features", "jobs", "pictures", "segments", "token_ids", "token_logprobs"]),
    ])
    func onlyWhatWasAskedForIsThere(trace: StoredTrace, groups: [String]) throws {
        var sample = SampleRows(seed: 21)
        var rows = sample.rows(9)
        for index in rows.indices { rows[index].reduceTrace(to: trace) }
        let reader = try seal(rows, trace: trace)
        #expect(reader.header == SampleRows.header(trace: trace))
        #expect(try reader.rows() == rows)
        #expect(try reader.verify().map(\.id) == rows.map(\.id))
        let found = try File.reading(reader.path) { file in try file.root.names() }
        #expect(found == groups)
        let columns = try File.reading(reader.path) { file in
            try file.root.contains("tokens") ? file.root.group("tokens").names() : []
        }
        #expect(columns.contains("score") == (trace == .full))
    }

    @Test(arguments: StoredTrace.allCases) func jobsAboutNoPictureMakeAShardAlone(trace: StoredTrace) throws {
        var sample = SampleRows(seed: 24)
        let rows = (0..<3).map { sample.textAlone($0) }
        let reader = try seal(rows, trace: trace)
        #expect(reader.header == SampleRows.header(trace: trace))
        #expect(try reader.rows() == rows)
        #expect(try reader.verify() == rows)
        #expect(try reader.featureOffsets() == [0, 0, 0, 0])
    }

    @Test(arguments: [StoredTrace.indices, .none]) func rowsWithMoreThanThatAreRefused(trace: StoredTrace) throws {
        var sample = SampleRows(seed: 22)
        let row = sample.row(0)
        var writer = ShardWriter(folder: results.folder, header: SampleRows.header(trace: trace))
        let failure = code { try writer.add(row, at: .now) }
        #expect(failure == .invalidRow)
    }

    @Test func whatItTakesShrinks() throws {
        var sizes: [Int] = []
        for trace in StoredTrace.allCases {
            var sample = SampleRows(seed: 23)
            var rows = sample.rows(400, features: false)
            for index in rows.indices { rows[index].reduceTrace(to: trace) }
            var writer = ShardWriter(folder: results.folder, header: SampleRows.header(features: false, trace: trace))
            for row in rows { try writer.add(row, at: .now) }
            sizes.append(try writer.seal(as: ResultsFixture.id(UInt64(sizes.count) + 1)).bytes)
        }
        #expect(sizes == sizes.sorted(by: >))
    }
}
