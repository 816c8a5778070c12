import JobModel
import Testing

@Suite struct QueueOptionsTests {
    @Test func limitsAreReadAndWritten() {
        #expect(FailureLimit("100") == .count(100) && FailureLimit("1_000") == .count(1000))
        #expect(FailureLimit("3%") == .percent(3) && FailureLimit("0.5%") == .percent(0.5))
        for text in ["", "-1", "101%", "%", "many", "3 %x"] { #expect(FailureLimit(text) == nil, "\(text)") }
        #expect(TimeLimit("90") == .seconds(90) && TimeLimit("1h 30m") == .seconds(5400))
        #expect(TimeLimit("2d") == .seconds(172_800) && TimeLimit("300%") == .percentOfMedian(300))
        let unusable = [
            "", "0", "-5s", "100%", "1h 30", "soon", "5x", "1e300s", "1e30d", "9e18%", "inf", "nan%",
        ]
        for text in unusable { #expect(TimeLimit(text) == nil, "\(text)") }
        for limit in [FailureLimit.count(7), .percent(3), .percent(2.5)] {
            #expect(FailureLimit(limit.description) == limit)
        }
        for limit in [TimeLimit.seconds(90), .seconds(0.5), .percentOfMedian(250)] {
            #expect(TimeLimit(limit.description) == limit)
        }
    }

    @Test func aShareOfAllJobsMayFail() {
        #expect(!FailureLimit.percent(3).isExceeded(failed: 3, of: 100))
        #expect(FailureLimit.percent(3).isExceeded(failed: 4, of: 100))
        #expect(!FailureLimit.count(0).isExceeded(failed: 0, of: 10))
        #expect(FailureLimit.count(0).isExceeded(failed: 1, of: 10))
    }

    @Test func descriptionsFromBeforeHaveTheDefaults() throws {
        let old = """
            {"name":"b","model":"/m","items":"/i","images":"/p","results":"/r","method":{"name":"none","options":{}},
             "template":"none","imageMode":"crop","precision":"f32",
             "generation":{"maxTokens":8,"temperature":0,"topP":1,"seed":1,"stop":[]},"features":false}
            """
        var description = try BatchDescription(json: old)
        #expect(description.queue == QueueOptions())
        description.queue = QueueOptions(
            priority: -3, labels: ["a": "b"], maxFails: .percent(3), retries: 4, crashLimit: 2,
            timeout: .percentOfMedian(300), secondRuns: true)
        #expect(try BatchDescription(json: description.json()) == description)
        // How a batch is queued does not change its results.
        #expect(try BatchDescription(json: old).differences(from: description) == [])
        var other = description
        other.method.keep = 64
        other.generation.seed = 9
        #expect(other.differences(from: description) == ["method.keep: none → 64", "generation.seed: 1 → 9"])
        description.queue.crashLimit = 0
        #expect(throws: JobModelError.self) { try BatchDescription(json: description.json()) }
    }
}
