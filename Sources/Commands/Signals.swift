import Dispatch
import Foundation

/// Calls back when the process is asked to end, as long as it is kept.
final class Signals {
    private let sources: [any DispatchSourceSignal]

    /// `action` gets how often the process was asked so far, from 1, by SIGINT or SIGTERM.
    init(_ action: @escaping @Sendable (_ times: Int) -> Void) {
        let queue = DispatchQueue(label: "winnow.signals")
        let count = Count()
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                count.value += 1
                action(count.value)
            }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }

    /// Touched on the queue of the sources only.
    private final class Count: @unchecked Sendable { var value = 0 }
}
