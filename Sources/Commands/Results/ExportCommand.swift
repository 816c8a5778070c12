import Analysis
import ArgumentParser
import Foundation
import ResultFiles

/// `winnow results export`: the rows in the formats of other programs.
struct ExportCommand: ParsableCommand {
    /// The formats.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case csv, jsonl, parquet, npz, llava, openai
    }

    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the visible rows as CSV, JSON lines, Parquet, npz, LLaVA answers or OpenAI's batch output.",
        discussion: """
            csv and jsonl hold the columns of the catalogue; parquet and npz the trace as well, npz also the features. \
            These two are written by Python with h5py (parquet: and pyarrow). llava is the answer file that the \
            evaluation scripts of LLaVA read: question_id, prompt, text, answer_id, model_id, metadata. openai is \
            the output file of OpenAI's Batch API: custom_id with a response, or with an error.
            """)

    @OptionGroup var place: FolderArgument
    @OptionGroup var store: StoreOption

    @Option(help: "csv, jsonl, parquet, npz, llava or openai.")
    var format: Format

    @Option(help: "The file to write; default: standard output (not for parquet and npz).")
    var out: String?

    @Option(help: "The Python that writes parquet and npz.")
    var python = "python3"

    @Option(
        help:
            "The model name in the answers of llava and openai; default: the folder of the checkpoint."
    )
    var modelID: String?

    func run() throws {
        let folder = try place.results()
        let catalogue = try store.catalogue(of: folder)
        switch format {
        case .csv: try write { put in try CSV.write(Self.everything, of: catalogue, to: put) }
        case .jsonl: try write { put in try JSONLines.write(Self.everything, of: catalogue, to: put) }
        case .llava: try write { put in try put(LLaVAAnswers(catalogue, modelID: modelID).text()) }
        case .openai: try write { put in try OpenAIOutput.write(catalogue, modelID: modelID, to: put) }
        case .parquet, .npz:
            guard let out else { throw CommandFailure(ExitCodes.usage, "--format \(format) needs --out FILE") }
            // Python has no examination of its own.
            try catalogue.examineShards(reading: format == .npz ? .everything : .rows)
            try OutputFile(out).fill { part in
                try PythonReader.export(format.rawValue, of: folder, to: part, python: python)
            }
        }
    }

    private static let everything = "SELECT * FROM jobs ORDER BY rowid"

    /// Hands on text piece by piece; a file gets its name when it is whole.
    private func write(_ body: (_ put: (String) throws -> Void) throws -> Void) throws {
        guard let out else { return try Self.gather(into: FileHandle.standardOutput, body) }
        try OutputFile(out).write { file in try Self.gather(into: file, body) }
    }

    /// Writes in pieces of a megabyte.
    private static func gather(
        into file: FileHandle, _ body: (_ put: (String) throws -> Void) throws -> Void
    ) throws {
        var text = ""
        try body { piece in
            text += piece
            guard text.utf8.count >= 1 << 20 else { return }
            try file.put(Data(text.utf8))
            text = ""
        }
        try file.put(Data(text.utf8))
    }
}
