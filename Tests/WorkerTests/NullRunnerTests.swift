import JobModel
import JobVocabulary
import ResultFiles
import Testing
import Worker

/// What the runner without a model records.
@Suite struct NullRunnerTests {
    private func finished(_ item: String, trace: StoredTrace) throws -> FinishedJob {
        var description = try BatchDescription.forTests(name: "b", results: "/results")
        description.trace = trace
        let runner = NullRunner(capacity: 1)
        runner.admit(
            LeasedJob(
                lease: Lease(job: JobID(1), epoch: Epoch(1)), batch: BatchID("b"), description: description,
                item: try Item(json: item), queuedSeconds: 0))
        let ended = try runner.step(RunnerProgress())
        return try #require(ended.first)
    }

    @Test(arguments: StoredTrace.allCases)
    func rowsFitTheirShardWithAPictureAndWithout(trace: StoredTrace) throws {
        for (pictures, tokens) in [
            (#""image":"a.png""#, 1), (#""image":null"#, 0), (#""images":["a.png","b.png"]"#, 2),
        ] {
            let job = try finished(#"{"id":"a",\#(pictures),"prompt":"What?"}"#, trace: trace)
            let row = job.row
            #expect(job.error == nil && row.answer == NullRunner.answer(id: "a", prompt: "What?"))
            #expect(row.pictures.image == Array(["a.png", "b.png"].prefix(tokens)))
            #expect(row.visualTokensIn == tokens && row.visualTokensOut == tokens)
            #expect(row.kept.count == (trace == .none ? 0 : tokens))
            #expect(job.summary.visualTokens == UInt32(tokens))
            var writer = ShardWriter(folder: ResultsFolder("/nowhere"), header: job.header)
            try writer.add(row, at: .now)
            #expect(writer.rows == [row])
        }
    }

    @Test func aPromptAboutNoPictureMayAskForTrouble() throws {
        let job = try finished(#"{"id":"a","image":null,"prompt":"null:fail"}"#, trace: .full)
        #expect(job.error != nil && job.row.status == .failed && job.row.pictures.isEmpty)
        var writer = ShardWriter(folder: ResultsFolder("/nowhere"), header: job.header)
        try writer.add(job.row, at: .now)
        #expect(writer.rows.count == 1)
    }
}
