import Dispatch
import Foundation

/// Calls back when the process is asked to end, as long as it is kept.
final class Signals {
    private let sources: [any DispatchSourceSignal]

    /// `action` gets how often the process was asked so far, from 1, by any of the signals, and the name of the last. A
    /// hang-up that the process was told to ignore, as `nohup` does, stays ignored.
    init(
        _ signals: [Int32] = [SIGINT, SIGTERM], _ action: @escaping @Sendable (_ times: Int, _ name: String) -> Void
    ) {
        let queue = DispatchQueue(label: "winnow.signals")
        let count = Count()
        sources = signals.filter { $0 != SIGHUP || !Self.isIgnored($0) }.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                count.value += 1
                action(count.value, Self.names[number] ?? "signal \(number)")
            }
            source.resume()
            return source
        }
    }

    private static let names = [
        SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2",
    ]

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    deinit { for source in sources { source.cancel() } }

    /// Touched on the queue of the sources only.
    private final class Count: @unchecked Sendable { var value = 0 }
}
