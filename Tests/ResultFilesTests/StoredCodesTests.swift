import HDF5
import JobVocabulary
import ResultFiles
import Testing

/// Readers of other programs go by the numbers and names in the file: they are part of the format.
@Suite struct StoredCodesTests {
    @Test func everyCodeKeepsItsNumberAndItsName() throws {
        let results = try ResultsFixture()
        var sample = SampleRows(seed: 31)
        var rows = (0..<3).map { sample.row($0) }
        rows.append(sample.failed(3))
        var writer = ShardWriter(folder: results.folder, header: SampleRows.header())
        for row in rows { try writer.add(row, at: .now) }
        let reader = try ShardReader(results.path(try writer.seal(as: ResultsFixture.id(1))))
        try File.reading(reader.path) { file in
            let status = try file.root.dataset("jobs/status"), reason = try file.root.dataset("jobs/finish_reason")
            #expect(try status.enumerationNames() == [0: "ok", 1: "failed"])
            #expect(try status.read(UInt8.self) == [0, 0, 0, 1])
            #expect(try reason.enumerationNames() == [0: "stop", 1: "length", 2: "error"])
            #expect(try reason.read(UInt8.self) == [1, 0, 1, 2])
            let place = try file.root.dataset("steps/place")
            #expect(try place.enumerationNames() == [0: "encoder", 1: "decoder", 2: "projector"])
            #expect(try place.read(UInt8.self) == [0, 1, 0, 1, 0, 1])
        }
    }

    @Test func everyWordIsTheFormats() {
        #expect(StoredTrace.allCases.map(\.rawValue) == ["full", "indices", "none"])
        #expect(PictureFraming.allCases.map(\.rawValue) == ["crop", "pad"])
        #expect(FinishReason.allCases.map(\.rawValue) == ["stop", "length", "error"])
        #expect(ReductionPlace.allCases.map(\.rawValue) == ["encoder", "projector", "decoder"])
        #expect(JobStatus.allCases.map(\.rawValue) == ["ok", "failed"])
    }

    @Test func everyNameInAResultsFolderIsTheFormats() throws {
        let id = try #require(ULID("01J00000000000000000000000")), name = ShardName(id)
        #expect(name.path == "shards/\(id.folder)/\(id).h5" && name.pendingPath == "pending/\(id).h5")
        #expect(name.partPath == "tmp/\(id).h5.part" && ResultsLayout.movedSuffix == ".moved")
        #expect(ResultsLayout.token == "shards/.token" && ResultsLayout.batchFile == "batch.yaml")
        #expect(ResultsLayout.jobStore == "jobs.sqlite" && ResultsLayout.catalogue == "catalogue.sqlite")
        #expect(ResultsLayout.superseded == "superseded" && ResultsLayout.damaged == "damaged")
        #expect(ResultsLayout.report == "report.html")
    }
}
