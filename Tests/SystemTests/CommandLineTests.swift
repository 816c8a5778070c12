import Foundation
import Testing

extension BlackBox {
    /// The command line itself.
    @Suite struct CommandLineTests {
        private static let commands = [
            "run", "coordinator", "worker", "submit", "jobs", "status", "watch", "wait", "cancel", "forget", "retry",
            "pause",
            "resume", "drain", "explain", "workers", "doctor", "answer", "reduce", "methods",
            "flops", "model", "bench",
        ]

        @Test func helpNamesEveryCommand() async throws {
            let help = try await winnow("--help")
            #expect(help.code == 0 && help.errors.isEmpty)
            for command in Self.commands {
                #expect(help.output.contains("\n  \(command) "))
                let own = try await winnow(command, "--help")
                #expect(own.code == 0 && own.output.contains("USAGE: winnow \(command)"))
            }
            let version = try await winnow("--version")
            #expect(version.code == 0 && version.output.hasPrefix("winnow "))
        }

        @Test(arguments: [
            ["run"], ["run", "a.yaml", "--workers", "0"], ["answer", "--model", "m"],
            ["status", "--items"],
            ["submit", "a.yaml", "--max-fails", "many"], ["submit", "a.yaml", "--new", "--force"], ["retry", "b"],
            ["drain"], ["jobs", "b", "--limit", "0"], ["worker", "--threads", "0"], ["coordinator", "--lease", "0"],
            ["run", "--model", "", "--images", "x"], ["submit", "--model", "m", "--items", ""],
            ["answer", "--model", "", "--prompt", "x"], ["answer", "--model", "m", "--prompt", "x", "--stop", ""],
            ["eval", "run", "a.yaml", "--out", ""], ["alloc", "list", "--queues", ""], ["methods", "--output", "xml"],
            ["reduce", "case.h5", "--method", "ficoco-v"],
        ])
        func wrongUsageHasAnExitCodeOfItsOwn(arguments: [String]) async throws {
            let end = try await winnow(arguments)
            #expect(end.code == 2 && end.output.isEmpty && end.errors.contains("Usage:"), "\(end)")
        }

        @Test(arguments: [
            (["sumbit", "a.yaml"], "there is no command 'winnow sumbit' (did you mean submit?)"),
            (["xyzzy"], "there is no command 'winnow xyzzy'; 'winnow --help' lists"),
            (["help", "statsu"], "(did you mean status?)"),
            (["results", "sohw", "a"], "there is no command 'winnow results sohw' (did you mean show?)"),
            (["help", "results", "merg"], "(did you mean merge?)"),
            (["methods", "shwo", "fastv"], "there is no command 'winnow methods shwo' (did you mean show?)"),
            (["methods", "show", "ficoco-b"], "there is no method ficoco-b (did you mean ficoco-v?)"),
            (["answer", "--kep", "64"], "'winnow answer' has no option --kep (did you mean --keep?)"),
            (
                ["run", "a.yaml", "--resmue", "--keep", "x"],
                "'winnow run' has no option --resmue (did you mean --resume?)"
            ),
            (
                ["results", "merge", "--drty-run=1"],
                "'winnow results merge' has no option --drty-run; 'winnow results merge --help'"
            ),
            (["-k"], "'winnow' has no option -k;"),
            (["flops", "--model", "lava-1.5-7b", "--method", "none"], "(did you mean llava-1.5-7b?)"),
            (
                [
                    "flops", "--model", "llava-1.5-7b", "--method", "composed", "--keep", "64", "--set",
                    "filter=attention-rolout",
                ], "filter=attention-rolout is not possible (did you mean attention-rollout?)"
            ),
            (
                ["flops", "--model", "llava-1.5-7b", "--method", "ficoco-v", "--keep", "64", "--set", "socres=logits"],
                "has no option socres (did you mean scores?)"
            ),
            (["methods", "--output", "tabel"], "--output takes table, json, quiet, not 'tabel' (did you mean table?)"),
            (["run", "--model", "m", "--images", ".", "--weights=int9"], "not 'int9' (did you mean int8?)"),
            (["status", "--connect", "node7:5758"], "begins with tcp://, such as tcp://node7:5758"),
            (["status", "--connect", "5758"], "such as tcp://127.0.0.1:5758"),
            (
                ["status", "--connect", "tcp://127.0.0.1"],
                "'tcp://127.0.0.1' lacks its port, as in tcp://127.0.0.1:5758"
            ),
            (["status", "--connect", "http://node7:9090"], "begins with tcp:// and not with http://"),
            (["worker", "--connect", "tcp://127.0.0.1:91294"], "has no port from 1 to 65535"),
            (["alloc", "add", "slurm", "--endpoint", "tcp://head:99999"], "has no port from 1 to 65535"),
            (["coordinator", "--workers", "6757"], "such as tcp://127.0.0.1:6757"),
            (["run", "a.yaml", "--max-tokens", "-3"], "write --max-tokens=-3"),
            (["worker", "--connect", "node7:5757"], "begins with tcp://, such as tcp://node7:5757"),
        ])
        func nearMissesAreRecognised(arguments: [String], message: String) async throws {
            let end = try await winnow(arguments)
            #expect(end.code == 2 && end.output.isEmpty && end.errors.contains(message), "\(end)")
        }

        @Test func whatFollowsTheEndOfOptionsIsNoOption() async throws {
            let end = try await winnow("answer", "--temperature", "-1", "--", "--kep")
            #expect(end.code == 2 && !end.errors.contains("has no option"), "\(end)")
        }

        @Test func helpOfACommandIsHelpOfThat() async throws {
            let end = try await winnow("help", "results", "merge")
            #expect(end.code == 0 && end.output.contains("USAGE: winnow results merge"), "\(end)")
        }

        @Test(arguments: [
            ["run"], ["submit"], ["worker"], ["coordinator"], ["eval", "run"], ["bench", "queue"], ["answer"],
        ])
        func helpFitsANarrowTerminal(command: [String]) async throws {
            let program = try RunningWinnow(["help"] + command, environment: ["COLUMNS": "60"])
            let help = try await program.end()
            let lines = help.output.split(separator: "\n").map(String.init)
            #expect(help.code == 0 && lines.contains { $0.hasPrefix("USAGE: winnow \(command[0])") })
            #expect(lines.filter { $0.count > 60 } == [])
            let wrong = try await RunningWinnow(command + ["--no-such"], environment: ["COLUMNS": "60"]).end()
            #expect(wrong.code == 2, "\(wrong)")
        }

        @Test func methodsPrintsTheCatalogue() async throws {
            struct Method: Decodable {
                let name, place, filter, correlate, compress, schedule: String
                let options: [String: String]
            }
            let json = try await winnow("methods", "--output", "json")
            let methods = try [Method](printed: json.output)
            let names = Set(methods.map(\.name))
            #expect(names.isSuperset(of: ["none", "tome", "fastv", "divprune", "ficoco-v", "ficoco-l", "ficoco-vl"]))
            #expect(methods.count { $0.name == "ficoco-vl" } == 2)
            // The reading that makes no difference between tokens is never the default.
            let options = try #require(methods.first { $0.name == "ficoco-v" }?.options)
            #expect(options["axis"] != "row" || options["scores"] != "probabilities")

            let table = try await winnow("methods")
            #expect(table.code == 0)
            for heading in ["filter", "correlate", "compress"] { #expect(table.output.contains(heading)) }
            for method in methods {
                #expect(table.output.contains(method.name) && table.output.contains(method.filter))
                for option in method.options.keys { #expect(table.output.contains(option)) }
            }
        }
    }
}
