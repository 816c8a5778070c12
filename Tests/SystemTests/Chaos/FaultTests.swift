import TestSupport
import Testing

extension BlackBox {
    /// The faults of the catalogue in README.md that can be told apart by where they strike, one at a time.
    @Suite(
        .enabled(if: SystemPython.hasH5py, "python3-h5py is not installed: nobody independent can check the results"))
    struct FaultTests {
        struct Fault: CustomTestStringConvertible, Sendable {
            let number: String
            let testDescription: String
            let plan: ChaosPlan

            init(_ number: String, _ what: String, _ change: (inout ChaosPlan) -> Void) {
                self.number = number
                testDescription = "\(number): \(what)"
                var plan = ChaosPlan()
                change(&plan)
                self.plan = plan
            }
        }

        static let faults: [Fault] = [
            Fault("1", "a worker is killed while it computes") { $0.workerFailpoints[0] = "runner.step=kill@9" },
            Fault("2", "a worker is killed while it writes a shard") {
                $0.workerFailpoints[0] = "shard.written=kill@2"
            },
            Fault("3", "a worker is killed between close and rename") {
                $0.workerFailpoints[0] = "shard.closed=kill@2"
            },
            Fault("4", "a worker is killed between rename and report") {
                $0.workerFailpoints[0] = "shard.published=kill@2"
            },
            Fault("5", "a worker is killed between report and answer") {
                $0.workerFailpoints = ["link.reported=kill:30@2", "link.answered=kill@2", ""]
            },
            Fault("7", "a worker hangs for longer than a lease while it still talks") {
                $0.workerFailpoints[0] = "runner.step=sleep:5000@5"
            },
            Fault("8", "a worker stands still for longer than a lease and goes on") {
                $0.steps = [.init(milliseconds: 300, event: .stopWorker(0, milliseconds: 4000))]
            },
            Fault("9", "disks are so slow that rows come in faster than they are written") {
                $0.workerFailpoints = Array(repeating: "shard.sync=sleep:250@1+", count: ChaosPlan.workers)
                $0.sealRows = 1
                $0.jobs = 90
                $0.mustNotLose = true
            },
            Fault("10", "the coordinator is killed before a commit") {
                $0.coordinatorFailpoints = "store.commit=kill@6"
            },
            Fault("10", "the coordinator is killed after a commit, before the answers") {
                $0.coordinatorFailpoints = "store.committed=kill@6"
            },
            Fault("11, 12", "the coordinator is away for longer than a lease") {
                $0.steps = [.init(milliseconds: 300, event: .killCoordinator(downMilliseconds: 3000))]
            },
            Fault("15", "no space is left for results, then there is") {
                $0.workerFailpoints = ["shard.write=error:ENOSPC@1+", "shard.sync=error:ENOSPC@1+", ""]
            },
            Fault("16", "syncing a shard fails once") { $0.workerFailpoints[0] = "shard.sync=error:EIO@2" },
            Fault("17", "the results folder becomes read-only") {
                $0.workerFailpoints = ["shard.publish=error:EROFS@2+", "shard.publish=error:ESTALE@1+", ""]
            },
            Fault("20, 22", "a worker is cut off both ways, silently") {
                $0.steps = [
                    .init(milliseconds: 300, event: .stall(0, [.toCoordinator, .toWorker], milliseconds: 4000))
                ]
            },
            Fault("21", "a worker is heard but hears nothing") {
                $0.steps = [.init(milliseconds: 300, event: .stall(0, [.toWorker], milliseconds: 4000))]
            },
            Fault("21", "a worker hears but is not heard") {
                $0.steps = [.init(milliseconds: 300, event: .stall(0, [.toCoordinator], milliseconds: 4000))]
            },
            Fault("23", "everything takes up to 200 ms") {
                $0.mischief = $0.mischief.map { _ in ChaosProxy.Mischief(delay: 50...200) }
            },
            Fault("23", "connections break again and again") {
                $0.steps = (0..<9).map { .init(milliseconds: 100 + 150 * $0, event: .cut($0 % ChaosPlan.workers)) }
            },
            Fault("26, 27", "half of all messages come twice, a third in the wrong order") {
                $0.mischief = $0.mischief.map { _ in ChaosProxy.Mischief(duplicate: 0.5, swap: 0.33) }
            },
            Fault("31", "everybody stands still for longer than a lease") {
                $0.steps =
                    [.init(milliseconds: 300, event: .stopCoordinator(milliseconds: 3000))]
                    + (0..<ChaosPlan.workers).map {
                        .init(milliseconds: 300, event: .stopWorker($0, milliseconds: 3000))
                    }
            },
            Fault("32", "a job kills every worker that runs it") { $0.poison = 1 },
        ]

        @Test(arguments: faults)
        func theInvariantsHoldAfterwards(_ fault: Fault) async throws {
            let findings = try await ChaosRun(fault.plan).run()
            #expect(findings.violations.isEmpty, "\(findings.violations.joined(separator: "\n"))\n\(fault.plan)")
            #expect(findings.figures["items"] == fault.plan.jobs)
            let isAboutMessages =
                fault.plan.poison == 0 && fault.plan.workerFailpoints.allSatisfy(\.isEmpty)
                && fault.plan.steps.isEmpty && fault.plan.coordinatorFailpoints.isEmpty
            if isAboutMessages || fault.plan.mustNotLose {
                // Trouble with messages alone costs nobody anything, nor does slowness.
                #expect(findings.figures["losses"] == 0, "\(findings.figures)")
            }
        }
    }
}
