import Analysis
import ArgumentParser

/// `winnow results reader`: the Python module.
struct ReaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reader", abstract: "Print winnow_results.py, which reads results from Python.",
        discussion: "winnow results reader > winnow_results.py; its own documentation says how to use it.")

    func run() throws { print(PythonReader.source, terminator: "") }
}
