import Foundation
import Testing
import ZeroMQ

@Suite struct WakeupTests {
    @Test func aWakeUpFromAnotherThreadEndsAWaitWithoutEnd() throws {
        let wakeup = try Wakeup()
        let socket = try Socket(.dealer, in: try Context(), options: .inProcess)
        Thread { wakeup.signal() }.start()
        #expect(try Poller.wait(for: [socket.pollSource, wakeup.pollSource], timeout: nil) == [false, true])
    }

    @Test func wakeUpsBeforeTheWaitAreNotLostAndCountAsOne() throws {
        let wakeup = try Wakeup()
        wakeup.signal()
        wakeup.signal()
        #expect(try Poller.wait(for: [wakeup.pollSource], timeout: nil) == [true])
        wakeup.clear()
        #expect(try Poller.wait(for: [wakeup.pollSource], timeout: .zero) == [false])
    }
}
