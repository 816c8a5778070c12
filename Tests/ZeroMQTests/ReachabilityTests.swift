import Foundation
import Glibc
import Testing
import ZeroMQ

@Suite struct ReachabilityTests {
    /// Whether this machine has IPv6 at all.
    private static let hasIPv6 = {
        let socket = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_addr = in6addr_loopback
        return withUnsafeBytes(of: &place) {
            bind(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) == 0
        }
    }()

    /// What hinders a connection, found within the patience and some.
    private func hindrance(_ endpoint: String) throws -> Reachability.Hindrance? {
        let search = Reachability(of: endpoint)
        let deadline = ContinuousClock.now + .seconds(60)
        while search.hindrance == nil, .now < deadline { Thread.sleep(forTimeInterval: 0.01) }
        return search.hindrance
    }

    @Test func aPortWhereNobodyListensRefuses() throws {
        let endpoint: String
        do {
            let socket = try Socket(.router, in: try Context(), options: .listener)
            endpoint = try socket.bind("tcp://127.0.0.1:*")
        }
        let found = try #require(try hindrance(endpoint))
        #expect(found == .refused(String(endpoint.dropFirst(6))) && !found.isFinal)
        #expect(found.description.contains("nothing listens"))
    }

    @Test func aNameThatNobodyHasIsUnknown() throws {
        let found = try #require(try hindrance("tcp://no-such-host.invalid:5757"))
        #expect(found.isFinal && found.description.contains("no-such-host.invalid"))
    }

    @Test func whereSomebodyListensNothingHinders() throws {
        let socket = try Socket(.router, in: try Context(), options: .listener)
        let endpoint = try socket.bind("tcp://127.0.0.1:*")
        let search = Reachability(of: endpoint) { hindrance in Issue.record("\(hindrance)") }
        Thread.sleep(forTimeInterval: 0.2)
        #expect(search.hindrance == nil)
    }

    @Test(.enabled(if: hasIPv6, "this machine has no IPv6"))
    func messagesTravelOverIPv6() throws {
        let router = try Socket(.router, in: try Context(), options: .listener)
        let endpoint = try router.bind("tcp://[::1]:*")
        #expect(endpoint.hasPrefix("tcp://[::1]:"))
        let dealer = try Socket(.dealer, in: try Context(), options: .inProcess)
        try dealer.connect(endpoint)
        try dealer.send([[1, 2, 3]])
        let deadline = ContinuousClock.now + .seconds(30)
        var frames: [[UInt8]]?
        while frames == nil, .now < deadline {
            frames = try router.receive()
            if frames == nil { _ = try Poller.wait(for: [router.pollSource], timeout: .milliseconds(100)) }
        }
        #expect(frames?.last == [1, 2, 3])
    }
}
