import Foundation

/// Where the XDG rules put what a program keeps between its runs.
enum StateFolder {
    /// The folder of this program, which need not be there yet.
    static var url: URL {
        let state =
            ProcessInfo.processInfo.environment["XDG_STATE_HOME"].map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/state")
        return state.appendingPathComponent("winnow")
    }
}
