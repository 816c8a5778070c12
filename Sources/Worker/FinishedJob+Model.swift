internal import Foundation
internal import Generation
internal import Glibc
internal import ImageDecoding
internal import JobModel
internal import JobVocabulary
internal import ResultFiles
internal import Tensors
internal import TokenReduction
internal import VisionLanguage

extension FinishedJob {
    /// A job with its answer.
    static func answered(_ job: PreparedJob, _ result: GenerationResult, model: LoadedModel) throws -> FinishedJob {
        let header = try model.header(job.job.description)
        var row = row(of: job)
        row.describeTiles(of: job, side: model.configuration.vision.side)
        row.answer = result.text
        row.score(against: job.job.item)
        row.visualTokensIn = result.trace.leftAt.count
        row.visualTokensOut = result.trace.kept.count
        row.promptTokens = result.promptTokens
        row.answerTokens = result.tokenIDs.count
        row.finishReason = result.finishReason
        row.reusedFeatures = result.reusedFeatures ? 1 : 0
        row.reusedPrefix = result.reusedPrefix ? 1 : 0
        row.flops.vision = Double(result.flops.vision)
        row.flops.projector = Double(result.flops.projector)
        row.flops.prefill = Double(result.flops.prefill)
        row.flops.decode = Double(result.flops.decode)
        row.seconds.vision = result.seconds.vision
        row.seconds.reduce = result.seconds.reduce
        row.seconds.prefill = result.seconds.prefill
        row.seconds.decode = result.seconds.decode
        row.setTrace(result.trace)
        row.reduceTrace(to: header.trace)
        row.tokenIDs = result.tokenIDs.map { Int32($0) }
        row.tokenLogProbs = result.logProbabilities
        let features: Tensor? =
            switch job.job.description.features {
            case .projected: result.features
            case .tower: result.towerFeatures
            case .none: nil
            }
        if let features {
            row.features = model.backend.convert(features, to: .float16).withUnsafeBytes { bytes in
                Array(bytes.bindMemory(to: Float16.self))
            }
            try UnstorableFeatures.check(row.features, width: features.shape.last ?? 1)
        }
        let summary = JobSummary(
            answer: result.text, visualTokens: UInt32(result.trace.kept.count),
            seconds: row.seconds.load + result.seconds.total)
        return FinishedJob(
            lease: job.job.lease, row: row, header: header, summary: summary)
    }

    /// A job that cannot be answered; `model` is nil if none was loaded.
    static func failed(
        _ job: PreparedJob, because error: any Error, errorClass: ErrorClass, model: LoadedModel?
    ) -> FinishedJob {
        var row = row(of: job)
        row.status = .failed
        row.error = "\(error)"
        row.finishReason = .error
        let fitting = model.flatMap { $0.key == ModelKey(job.job.description) ? $0 : nil }
        let header = (try? fitting?.header(job.job.description)) ?? ShardHeader(withoutModel: job.job.description)
        return FinishedJob(
            lease: job.job.lease, row: row, header: header, summary: JobSummary(), error: row.error,
            errorClass: errorClass)
    }

    private static func row(of job: PreparedJob) -> ResultRow {
        var row = ResultRow(
            id: job.job.item.id.rawValue, images: job.job.item.images, prompt: job.job.item.prompt,
            method: job.job.description.method.name, attempt: job.job.lease.epoch.rawValue)
        row.finishedAt = Date().timeIntervalSince1970
        row.describe(job.job.item)
        row.seconds.queue = job.job.queuedSeconds
        row.seconds.load = job.seconds
        if case .success(let input) = job.input {
            for (index, picture) in input.pictures.enumerated() {
                row.pictures.describe(
                    index, sha256: picture.sha256,
                    notes: picture.notes.map(\.rawValue).joined(separator: "; "),
                    width: picture.tiles[0].geometry.sourceWidth, height: picture.tiles[0].geometry.sourceHeight,
                    orientation: picture.orientation)
            }
        }
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 { row.peakBytes = usage.ru_maxrss * 1024 }
        return row
    }
}

extension ResultRow {
    /// Takes over what the item says besides pictures and prompt, so that results can be scored again without the items.
    mutating func describe(_ item: Item) {
        func json(_ value: some Encodable) -> String {
            (try? JSONEncoder.canonical.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        if !item.answers.isEmpty { expectedAnswers = json(item.answers) }
        if !item.labels.isEmpty { labels = json(item.labels) }
    }

    /// Says whether the answer is one that the item accepts.
    mutating func score(against item: Item) {
        if let isRight = AcceptedAnswers.contain(answer, item.answers) { correct = isRight ? 1 : 0 }
    }

    /// Says what the model saw of each picture, as `side` by `side` patches.
    fileprivate mutating func describeTiles(of job: PreparedJob, side: Int) {
        guard case .success(let input) = job.input else { return }
        for (index, picture) in input.pictures.enumerated() {
            for (tile, window) in picture.tiles.map(\.geometry.window).enumerated() {
                segments.append(
                    picture: index, tile: tile, rows: side, columns: side, left: window.left, top: window.top,
                    width: window.width, height: window.height)
            }
        }
    }

    /// Takes over what became of every visual token.
    fileprivate mutating func setTrace(_ trace: ReductionTrace) {
        tokens.leftAt = trace.leftAt
        tokens.wentTo = trace.wentTo
        tokens.score = trace.scores.map { Float16($0) }
        kept = trace.kept
        for step in trace.steps {
            steps.append(
                layer: UInt8(clamping: step.layer), place: step.place,
                tokensIn: step.tokensIn, tokensOut: step.tokensOut, seconds: step.seconds)
        }
        for merge in trace.merges {
            merges.append(step: merge.step, source: merge.source, target: merge.target, weight: Float16(merge.weight))
        }
    }
}
