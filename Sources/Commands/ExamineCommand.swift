import ArgumentParser
import Foundation
import ResultFiles

/// `winnow examine`, which the program calls itself: reads HDF5 files that may crash or stop their reader.
struct ExamineCommand: ParsableCommand {
    static let name = "examine"
    /// This very program.
    static let program = ChildProcess.thisProgram

    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Read the HDF5 files that standard input names, within limits.",
        shouldDisplay: false)

    func run() throws { FileExamination.serve() }
}
