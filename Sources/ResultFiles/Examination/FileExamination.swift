public import Foundation
private import Synchronization

/// Reads HDF5 files of unknown origin in another process first.
///
/// A file can make libhdf5 1.10 crash or loop for ever in places that no check reaches beforehand, such as a global heap
/// with an object of no bytes; a seal says nothing about it, since whoever makes the file can make its seal. So a program
/// that reads files of other people lets a process of its own, with limits, read the same parts before it does: where
/// that one ends, the file is refused with a typed error and the program lives.
///
/// A file that changes between the two readings is not what was examined; this protects from files, not from somebody who
/// may write to the folder at that very moment.
public enum FileExamination {
    /// What somebody is about to read.
    public enum Parts: String, Codable, Sendable {
        /// A shard's description, and the columns with one value for each job.
        case scalars
        /// The rows as well, but for their features.
        case rows
        /// All of a shard.
        case everything
        /// The tensors of a reduction case.
        case reductionCase

        /// Whether an examination of these parts has read everything that one of `others` reads.
        func comprise(_ others: Parts) -> Bool {
            switch (self, others) {
            case (.everything, .scalars), (.everything, .rows), (.rows, .scalars): true
            default: self == others
            }
        }
    }

    private static let examiner = Mutex<FileExaminer?>(nil)

    /// From now on every file that this process reads as a shard or a reduction case is examined first, by a process of
    /// `program` with these arguments, which is to call ``serve()``.
    public static func begin(by program: URL, _ arguments: [String]) {
        examiner.withLock { $0 = FileExaminer(program: program, arguments: arguments) }
    }

    /// Returns once a file has been examined, at once where nobody asked for examinations.
    static func examine(_ path: String, _ parts: Parts) throws(ResultFileError) {
        let refusal = examiner.withLock { examiner -> ResultFileError? in
            guard let examiner else { return nil }
            do throws(ResultFileError) {
                try examiner.examine(path, parts)
                return nil
            } catch {
                return error
            }
        }
        if let refusal { throw refusal }
    }
}

/// What the examining process is asked: one JSON object a line.
struct ExaminationRequest: Codable {
    let path: String
    let parts: FileExamination.Parts
}

/// What it answers: one JSON object a line, with neither where the file was read.
struct ExaminationAnswer: Codable {
    var code: ResultFileError.Code?
    var reason: String?
}
