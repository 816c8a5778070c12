import Failpoints
import Glibc
import Testing

struct FailpointScriptTests {
    @Test func everyFormIsRead() throws {
        let script = try FailpointScript(
            "a=kill; b.c=kill:50@3 d=stop@2+;e=sleep:250@5..8\nf=error:ENOSPC@10% ;; g=error:EIO seed=7")
        #expect(script.seed == 7)
        #expect(
            script.entries == [
                "a": .init(action: .kill(after: 0), occasion: .times(1...Int.max)),
                "b.c": .init(action: .kill(after: 50), occasion: .times(3...3)),
                "d": .init(action: .stop, occasion: .times(2...Int.max)),
                "e": .init(action: .sleep(250), occasion: .times(5...8)),
                "f": .init(action: .error(ENOSPC), occasion: .percent(10)),
                "g": .init(action: .error(EIO), occasion: .times(1...Int.max)),
            ])
        #expect(try FailpointScript("").entries.isEmpty)
    }

    @Test(arguments: [
        "a", "=kill", "a=", "a=explode", "a=kill:x", "a=stop:1", "a=sleep", "a=error:EWHAT", "a=kill@0", "a=kill@",
        "a=kill@8..5", "a=kill@101%", "a=kill@0+", "seed=x", "a=kill@3..",
    ])
    func whatIsNotUnderstoodIsRefusedWithAdvice(_ text: String) {
        let error = #expect(throws: FailpointScript.Misunderstood.self) { try FailpointScript(text) }
        #expect(error?.description.isEmpty == false)
    }

    @Test func withoutAScriptNothingHappens() {
        #expect(Failpoint.reach("tests.anything") == nil && !Failpoint.fails("tests.anything"))
    }
}
