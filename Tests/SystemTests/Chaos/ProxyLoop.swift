import Glibc
import TestSupport

/// The loop of a `ChaosProxy`: accepts, reads, and passes on as it was ordered.
struct ProxyLoop {
    private typealias Instant = ContinuousClock.Instant

    /// One direction of one connection.
    private struct Channel {
        let direction: ChaosProxy.Direction
        let source: Int32
        let target: Int32
        var stream = MessageStream()
        /// A message that its successor is to overtake.
        var heldBack: [UInt8]?
        /// What is to be written, and not before when.
        var waiting: [(due: Instant, bytes: [UInt8])] = []
        var isOver = false
    }

    private static let tick: Int32 = 3  // milliseconds
    /// Nothing more is read while so much waits to be written.
    private static let mostWaiting = 4096

    private let listener: Int32
    private let coordinator: UInt16
    private let watch: @Sendable ([[UInt8]]) -> Void
    private var random: SeededGenerator
    /// Two for each connection, one behind the other.
    private var channels: [Channel] = []

    init(
        listener: Int32, coordinator: UInt16, seed: UInt64, watch: @escaping @Sendable ([[UInt8]]) -> Void
    ) {
        self.listener = listener
        self.coordinator = coordinator
        self.watch = watch
        random = SeededGenerator(seed: seed)
    }

    /// Runs until it is ordered to end.
    mutating func run(_ orders: () -> ChaosProxy.Orders) {
        while true {
            let orders = orders()
            if orders.mustCut || orders.mustEnd { for index in channels.indices { channels[index].isOver = true } }
            removeEnded()
            if orders.mustEnd { break }
            accept()
            for index in channels.indices where !orders.stalled.contains(channels[index].direction) {
                read(index, orders.mischief)
                write(index)
            }
            wait(orders)
        }
        close(listener)
    }

    private mutating func accept() {
        while true {
            let worker = Glibc.accept(listener, nil, nil)
            guard worker >= 0 else { return }
            guard let coordinator = TCP.connect(coordinator) else {
                close(worker)  // as the coordinator's machine would refuse
                continue
            }
            _ = fcntl(worker, F_SETFL, O_NONBLOCK)
            channels.append(Channel(direction: .toCoordinator, source: worker, target: coordinator))
            channels.append(Channel(direction: .toWorker, source: coordinator, target: worker))
        }
    }

    private mutating func read(_ index: Int, _ mischief: ChaosProxy.Mischief) {
        guard channels[index].waiting.count < Self.mostWaiting else { return }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(channels[index].source, &bytes, bytes.count, 0)
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { channels[index].isOver = true }
            return
        }
        do {
            for piece in try channels[index].stream.take(bytes[..<count]) { pass(piece, index, mischief) }
        } catch {
            channels[index].isOver = true
        }
    }

    private mutating func pass(_ piece: MessageStream.Piece, _ index: Int, _ mischief: ChaosProxy.Mischief) {
        let delay = Duration.milliseconds(Int.random(in: mischief.delay, using: &random))
        // One that is delayed less must not overtake, or frames would mix.
        let due = max(.now + delay, channels[index].waiting.last?.due ?? .now)
        func send(_ bytes: [UInt8]) { channels[index].waiting.append((due, bytes)) }
        switch piece {
        case .connection(let bytes): send(bytes)
        case .message(let bytes, let frames):
            if channels[index].heldBack == nil, chance(mischief.swap) {
                channels[index].heldBack = bytes
            } else {
                send(bytes)
                if let held = channels[index].heldBack { send(held) }
                channels[index].heldBack = nil
            }
            if chance(mischief.duplicate) { send(bytes) }
            if channels[index].direction == .toWorker { watch(frames) }
        }
    }

    private mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }

    private mutating func write(_ index: Int) {
        while let first = channels[index].waiting.first, first.due <= .now {
            let count = send(channels[index].target, first.bytes, first.bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            guard count >= 0 else {
                channels[index].isOver = true
                return
            }
            if count == first.bytes.count {
                channels[index].waiting.removeFirst()
            } else {
                channels[index].waiting[0].bytes.removeFirst(count)
            }
        }
    }

    /// Ends connections of which either direction has ended.
    private mutating func removeEnded() {
        var index = 0
        while index < channels.count {
            if channels[index].isOver || channels[index + 1].isOver {
                close(channels[index].source)
                close(channels[index].target)
                channels.removeSubrange(index...index + 1)
            } else {
                index += 2
            }
        }
    }

    private func wait(_ orders: ChaosProxy.Orders) {
        var watched = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        for channel in channels where !orders.stalled.contains(channel.direction) {
            watched.append(pollfd(fd: channel.source, events: Int16(POLLIN), revents: 0))
        }
        let isPending = channels.contains { !$0.waiting.isEmpty && !orders.stalled.contains($0.direction) }
        poll(&watched, nfds_t(watched.count), isPending ? Self.tick : 10 * Self.tick)
    }
}
