import AccessKeys
import ArgumentParser
import Foundation
import ZeroMQ

/// `winnow keys`: who may talk to a coordinator.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make, list and revoke the keys with which workers and clients connect to a coordinator.",
        subcommands: [NewKeyCommand.self, ListKeysCommand.self, RevokeKeyCommand.self])
}

/// `winnow keys new`: makes keys and lets them in.
struct NewKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key on the coordinator's machine, and print the file to hand out.",
        discussion: """
            Without --role it makes what is missing of three: the coordinator's own key, one for workers and one for \
            clients. A running coordinator lets a new key in within a second.
            """)

    @Option(help: "Whose key it is: worker or client.")
    var role: AccessRole?

    @Option(help: "The name by which it can be revoked; default: the role.")
    var name: String?

    @OptionGroup var folder: KeyFolderArguments

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        guard name == nil || role != nil else { throw ValidationError("--name needs --role worker or --role client") }
    }

    func run() throws {
        let folder = folder.folder
        var made: [String] = []
        do throws(AccessKeyError) {
            if try folder.makeServerKey() { made.append(folder.serverFile) }
            if let role {
                made.append(try folder.makeKey(role, name: name ?? role.rawValue, at: Date()))
            } else {
                let names = Set(try folder.authorised().keys.filter { $0.revoked == nil }.map(\.name))
                for role in AccessRole.allCases where !names.contains(role.rawValue) {
                    made.append(try folder.makeKey(role, name: role.rawValue, at: Date()))
                }
            }
        } catch {
            throw CommandFailure(error.code == .badName ? ExitCodes.usage : ExitCodes.infrastructure, "\(error)")
        }
        switch output {
        case .json: try printJSON(["made": made])
        case .table:
            print(
                made.isEmpty
                    ? "every key exists already; 'winnow keys list' shows them" : made.joined(separator: "\n"))
        case .quiet: if !made.isEmpty { print(made.joined(separator: "\n")) }
        }
    }
}

/// `winnow keys list`: who is let in.
struct ListKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys that the coordinator lets in, and those that were revoked.")

    @OptionGroup var folder: KeyFolderArguments

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    private struct Report: Encodable {
        let role, name, publicKey, created: String
        let revoked: String?
    }

    func run() throws {
        let reports = try folder.folder.authorised().keys.map {
            Report(
                role: $0.role.rawValue, name: $0.name, publicKey: $0.publicKey.text, created: $0.created,
                revoked: $0.revoked)
        }
        switch output {
        case .json: try printJSON(["keys": reports])
        case .table:
            var table = TextTable(["role", "name", "public key", "made", "revoked"], rightAligned: [])
            for report in reports {
                table.add([report.role, report.name, report.publicKey, report.created, report.revoked ?? ""])
            }
            print(table.text())
        case .quiet: for report in reports where report.revoked == nil { print(report.name) }
        }
    }
}

/// `winnow keys revoke`: locks a key out.
struct RevokeKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Lock a key out; a running coordinator notices within a second.")

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var folder: KeyFolderArguments

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func run() throws {
        do throws(AccessKeyError) {
            try folder.folder.revoke(name, at: Date())
        } catch {
            throw CommandFailure(error.code == .unknownName ? ExitCodes.usage : ExitCodes.infrastructure, "\(error)")
        }
        switch output {
        case .json: try printJSON(["revoked": name])
        case .table: print("\(name) is revoked")
        case .quiet: break
        }
    }
}
