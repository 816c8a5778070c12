import Generation
import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// Requests join and leave while others are being answered.
struct JoiningTests {
    /// A prompt, a method and a length each: no two end in the same step.
    private static let jobs: [(prompt: Int, method: String, keep: Int?, length: Int)] = [
        (0, "none", nil, 4), (1, "ficoco-v", 6, 9), (2, "ficoco-l", 5, 2), (3, "ficoco-vl", 4, 13),
        (4, "none", nil, 1), (5, "ficoco-l", 1, 7), (6, "ficoco-v", 15, 11), (7, "none", nil, 3),
    ]

    private func requests(_ questioner: Questioner) throws -> [GenerationRequest] {
        try Self.jobs.enumerated().map { id, job in
            try questioner.request(
                job.prompt, id: UInt64(id), method: job.method, keep: job.keep, maxTokens: job.length)
        }
    }

    @Test("eight requests, three at a time, are answered as if alone", arguments: ["cpu-f32", "portable-f64"])
    func joining(backend: String) throws {
        let questioner = try Questioner(
            "small",
            backend: backend == "portable-f64"
                ? PortableBackend(type: .float64) : CPUBackend(precision: .float32, threads: 2))
        #expect(questioner.model.backend.name.hasPrefix(backend))
        let requests = try requests(questioner)
        let answers = try questioner.engine(capacity: 3).answers(requests)
        for (request, job) in zip(requests, Self.jobs) {
            let result = try #require(answers[request.id]).get()
            let alone = try questioner.engine(capacity: 1).answer(request)
            #expect(result.tokenIDs == alone.tokenIDs)
            #expect(result.tokenIDs.count == job.length)
            #expect(result.trace.kept == alone.trace.kept)
            #expect(result.trace.kept.count == job.keep ?? 16)
            #expect(result.flops == alone.flops)
            #expect(result.cacheBytes == alone.cacheBytes)
            if backend == "portable-f64" { #expect(result.logProbabilities == alone.logProbabilities) }
        }
    }

    @Test("as many as there is room for are answered at a time, in the order they came")
    func capacity() throws {
        let questioner = try Questioner("small"), engine = questioner.engine(capacity: 3)
        for index in 0..<7 { engine.admit(try questioner.request(index, maxTokens: 2)) }
        var ended: [[UInt64]] = []
        while !engine.isIdle { ended.append(try engine.step().map(\.id)) }
        // Prefill writes the first token and the same step decodes the second.
        #expect(ended == [[0, 1, 2], [3, 4, 5], [6]])
    }
}
