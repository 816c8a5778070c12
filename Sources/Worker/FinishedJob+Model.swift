internal import Foundation
internal import Generation
internal import Glibc
internal import ImageDecoding
internal import JobModel
internal import ResultFiles
internal import Tensors
internal import TokenReduction
internal import VisionLanguage

extension FinishedJob {
    /// A job with its answer.
    static func answered(_ job: PreparedJob, _ result: GenerationResult, model: LoadedModel) throws -> FinishedJob {
        var row = row(of: job)
        row.answer = result.text
        row.visualTokensIn = model.configuration.visualTokens
        row.visualTokensOut = result.trace.kept.count
        row.promptTokens = result.promptTokens
        row.answerTokens = result.tokenIDs.count
        row.finishReason = result.finishReason == .stop ? .stop : .length
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
        row.tokenIDs = result.tokenIDs.map { Int32($0) }
        row.tokenLogProbs = result.logProbabilities
        if job.job.description.features {
            row.features = model.backend.convert(result.features, to: .float16).withUnsafeBytes { bytes in
                Array(bytes.bindMemory(to: Float16.self))
            }
        }
        let summary = JobSummary(
            answer: result.text, visualTokens: UInt32(result.trace.kept.count),
            seconds: row.seconds.load + result.seconds.total)
        return FinishedJob(lease: job.job.lease, row: row, header: try header(of: job, model), summary: summary)
    }

    /// A job that cannot be answered; `model` is nil where none was loaded.
    static func failed(_ job: PreparedJob, because error: any Error, model: LoadedModel?) -> FinishedJob {
        var row = row(of: job)
        row.status = .failed
        row.error = "\(error)"
        row.finishReason = .error
        let fitting = model.flatMap { $0.key == ModelKey(job.job.description) ? $0 : nil }
        let header = (try? fitting.map { try Self.header(of: job, $0) }) ?? Self.header(of: job)
        return FinishedJob(lease: job.job.lease, row: row, header: header, summary: JobSummary(), error: row.error)
    }

    private static func row(of job: PreparedJob) -> ResultRow {
        var row = ResultRow(
            id: job.job.item.id.rawValue, image: job.job.item.image, prompt: job.job.item.prompt,
            method: job.job.description.method.name, attempt: job.job.lease.epoch.rawValue)
        row.seconds.queue = job.job.queuedSeconds
        row.seconds.load = job.seconds
        if case .success(let input) = job.input {
            row.imageSHA256 = input.picture.hash.map { String(format: "%02x", $0) }.joined()
            row.geometry = ResultRow.Geometry(input.picture.geometry, mode: job.job.description.imageMode)
        }
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 { row.peakBytes = usage.ru_maxrss * 1024 }
        return row
    }

    /// What the rows of the batch share, as far as it is known without the model: its grid is unknown then.
    private static func header(of job: PreparedJob) -> ShardHeader {
        let description = job.job.description
        return ShardHeader(
            batch: "", worker: "", model: description.model, modelSHA256: "", methodJSON: "{}", generationJSON: "{}",
            software: "", methods: MethodCatalogue.all.map(\.name), grid: [1, 1])
    }

    private static func header(of job: PreparedJob, _ model: LoadedModel) throws -> ShardHeader {
        let description = job.job.description, side = model.configuration.vision.side
        let plan = try model.plan(description.method)
        var header = header(of: job)
        header.modelSHA256 = try model.modelSHA256()
        header.methodJSON = try MethodAccount(plan).json()
        header.generationJSON = try GenerationAccount(description, backend: model.backend.name).json()
        header.grid = [side, side]
        if description.features {
            header.features = ShardHeader.Features(
                width: model.configuration.text.hidden, layer: model.configuration.featureLayer, space: "decoder input")
        }
        return header
    }
}

/// The method with every parameter, as it stands in a shard.
private struct MethodAccount: Encodable {
    let name: String
    let keep: Int
    let encoderRemovals: [Int]
    let projectorRemovals: [Int]
    let decoderRemovals: [Int]
    let options: [String: String]

    init(_ plan: ReductionPlan) {
        name = plan.method.name
        keep = plan.keep
        encoderRemovals = plan.removals(in: .visionEncoder)
        projectorRemovals = plan.removals(in: .projector)
        decoderRemovals = plan.removals(in: .languageModel)
        options = Dictionary(plan.method.options.map { ($0.name, $0.value) }) { first, _ in first }
    }

    func json() throws -> String { String(decoding: try JSONEncoder.sorted.encode(self), as: UTF8.self) }
}

/// How answers are generated, as it stands in a shard.
private struct GenerationAccount: Encodable {
    let template: BatchDescription.Template
    let imageMode: BatchDescription.ImageMode
    let backend: String
    let generation: BatchDescription.Generation

    init(_ description: BatchDescription, backend: String) {
        template = description.template
        imageMode = description.imageMode
        self.backend = backend
        generation = description.generation
    }

    func json() throws -> String { String(decoding: try JSONEncoder.sorted.encode(self), as: UTF8.self) }
}

extension ResultRow {
    /// Takes over what became of every visual token.
    fileprivate mutating func setTrace(_ trace: ReductionTrace) {
        tokens.leftAt = trace.leftAt
        tokens.wentTo = trace.wentTo
        tokens.score = trace.scores.map { Float16($0) }
        kept = trace.kept
        for step in trace.steps {
            steps.append(
                layer: UInt8(clamping: step.layer), place: ReductionPlace(step.place),
                tokensIn: step.tokensIn, tokensOut: step.tokensOut, seconds: step.seconds)
        }
        for merge in trace.merges {
            merges.append(step: merge.step, source: merge.source, target: merge.target, weight: Float16(merge.weight))
        }
    }
}

extension ReductionPlace {
    /// Where a step happened, as result files name it.
    fileprivate init(_ place: Place) {
        self =
            switch place {
            case .visionEncoder: .encoder
            case .projector: .projector
            case .languageModel: .decoder
            }
    }
}

extension ResultRow.Geometry {
    fileprivate init(_ geometry: PictureGeometry, mode: BatchDescription.ImageMode) {
        self.init()
        sourceWidth = geometry.sourceWidth
        sourceHeight = geometry.sourceHeight
        resizedWidth = geometry.resizedWidth
        resizedHeight = geometry.resizedHeight
        switch mode {
        case .crop:
            (cropLeft, cropTop, cropWidth, cropHeight) = (geometry.cropX, geometry.cropY, geometry.size, geometry.size)
        case .pad:
            (padLeft, padTop) = (geometry.paddingX, geometry.paddingY)
            (padWidth, padHeight) = (geometry.framedWidth, geometry.framedHeight)
        }
    }
}
