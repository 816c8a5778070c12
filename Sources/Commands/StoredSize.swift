import Foundation
import JobModel
import JobVocabulary
import TokenReduction
import VisionLanguage

/// About how many bytes the results of a batch will take.
struct StoredSize {
    /// Bytes of one job: its columns with texts of usual length, and for each of its pictures trace and features.
    let columns = 1_200
    let trace: Int
    let features: Int
    let jobs: Int
    /// Jobs with a picture.
    let pictured: Int
    /// Pictures of all jobs.
    let pictures: Int
    /// Whether most pictures take less.
    let isMost: Bool

    init(_ file: BatchFile) throws {
        let wanted = file.description
        let configuration = try LLaVAConfiguration(directory: wanted.model, visionTower: wanted.visionTower)
        let plan = try ReductionPlan(
            method: wanted.method.name, keep: wanted.method.keep, fromLayer: wanted.method.fromLayer,
            options: wanted.method.options, model: configuration.depth)
        // Where pictures lie on several tiles, as many as the largest canvas has.
        let tiles = configuration.mostTilesPerPicture
        isMost = tiles > 1
        let tokens = configuration.visualTokens
        func left(after places: ReductionPlace...) -> Int {
            tokens - places.flatMap { plan.removals(in: $0) }.reduce(0, +)
        }
        let removed = tokens - left(after: .visionEncoder, .projector, .languageModel)
        switch wanted.trace {
        // One or two merges for each token that leaves, seven bytes each; scores of two bytes; packed indices.
        case .full: trace = tiles * (tokens * 4 + removed * 11)
        case .indices: trace = tiles * (tokens + removed * 2)
        case .none: trace = 0
        }
        switch wanted.features {
        case .projected: features = tiles * 2 * configuration.text.hidden * left(after: .visionEncoder, .projector)
        case .tower: features = tiles * 2 * configuration.vision.hidden * left(after: .visionEncoder)
        case .none: features = 0
        }
        (jobs, pictured, pictures) = (file.itemCount, file.picturedItemCount, file.pictureCount)
    }

    /// One line for the user.
    var text: String {
        guard pictured > 0 else {
            return
                "storing about \(Self.bytes(columns)) a job, \(Self.bytes(columns * jobs)) for \(counted(jobs, "job")), "
                + "all of them text-only"
        }
        let job = columns + trace + features
        let total = columns * jobs + (trace + features) * pictures
        let (which, others) =
            pictured == jobs
            ? (pictures == jobs ? "" : " with one picture", "")
            : (" with a picture", ", \(jobs - pictured) of them without a picture")
        return
            "storing \(isMost ? "at most" : "about") \(Self.bytes(job)) a job\(which) (features \(Self.bytes(features)), "
            + "trace \(Self.bytes(trace))), \(Self.bytes(total)) for \(counted(jobs, "job"))\(others); "
            + "--features and --trace choose what is stored"
    }

    private static func bytes(_ count: Int) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB"]
        var value = Double(count), unit = 0
        while value >= 999.5, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        return value >= 10 || unit == 0
            ? String(format: "%.0f %@", value, units[unit]) : String(format: "%.1f %@", value, units[unit])
    }
}
