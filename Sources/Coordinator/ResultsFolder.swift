internal import Foundation
internal import JobModel

/// The results folder of a batch, as far as the coordinator makes it: workers add the shards.
enum ResultsFolder {
    /// The file that says what was asked for, with every default filled in.
    static let descriptionFile = "batch.yaml"

    /// Whether a folder already belongs to a batch.
    static func isTaken(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: folder + "/" + descriptionFile)
    }

    /// Makes the folder and those inside it.
    static func make(_ folder: String) throws(CoordinatorError) {
        do {
            for name in ["shards", "tmp"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
        } catch {
            throw CoordinatorError(
                .resultsFolder, "The results folder \(folder) cannot be made. Check permissions.", cause: error)
        }
    }

    /// Writes the description, whole or not at all.
    static func write(_ description: BatchDescription) throws(CoordinatorError) {
        let path = "\(description.results)/\(descriptionFile)"
        do {
            try Data(description.yaml().utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CoordinatorError(
                .resultsFolder, "\(path) cannot be written. Check disk and permissions.", cause: error)
        }
    }
}
