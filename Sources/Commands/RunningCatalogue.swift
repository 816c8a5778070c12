import Analysis
import Foundation
import Intervals
import JobStore
import JobVocabulary
import ResultFiles

/// Keeps the catalogue of a batch up to date while it runs on this machine.
struct RunningCatalogue {
    private static let pause = Duration.seconds(5)
    private let folder: ResultsFolder
    private var last = ContinuousClock.now

    /// The catalogue of the results folder of `winnow run`, which holds the job store, too.
    init(results: String) { folder = ResultsFolder(results) }

    /// Adds what is new, unless that was done just now.
    mutating func refreshNowAndThen() {
        guard ContinuousClock.now - last > Self.pause else { return }
        refresh()
        last = .now
    }

    /// Adds what is new, and says how many answers are right; nil if that is not known.
    func accuracy() -> Proportion? {
        do {
            return try refresh()?.accuracy()
        } catch {
            printError("winnow: the catalogue does not say how many answers are right: \(error)")
            return nil
        }
    }

    /// Adds new rows. Results do not depend on it: after an error, which is printed, the batch goes on without a catalogue.
    @discardableResult
    func refresh() -> Catalogue? {
        do {
            let store = URL(fileURLWithPath: folder.path).appendingPathComponent(ResultsLayout.jobStore)
            return try Catalogue(folder) {
                CommittedRows(try StoredResults(store: store, folder: folder.path, named: nil))
            }
        } catch {
            printError("winnow: the catalogue is not up to date: \(error)")
            return nil
        }
    }
}
