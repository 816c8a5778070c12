public import AccessKeys
public import ArgumentParser
import Coordinator
import Foundation
import ZeroMQ

/// Which key to show the coordinator; none is needed on this machine's loopback.
struct KeyArguments: ParsableArguments {
    /// Names a key file where no option does.
    static let variable = "WINNOW_KEY"

    @Option(
        help: ArgumentHelp(
            "The key file to show the coordinator. Needed for every address but loopback.",
            discussion: "Otherwise the file that \(variable) names, or worker.key or client.key in the standard folder."
        ))
    var key: String?

    /// How to protect a connection to an endpoint.
    func security(for endpoint: String, as role: AccessRole) throws -> SocketSecurity {
        let port =
            role == .worker ? CoordinatorConfiguration.defaultWorkerPort : CoordinatorConfiguration.defaultClientPort
        if let flaw = EndpointReach.flaw(of: endpoint, port: port) {
            throw CommandFailure(ExitCodes.usage, flaw)
        }
        let named = key ?? ProcessInfo.processInfo.environment[Self.variable]
        guard named != nil || !EndpointReach.isLoopback(endpoint) else { return .none }
        let path = named ?? KeyFolder.standard.keyFile(role.rawValue)
        do throws(AccessKeyError) {
            return try KeyFile(path: path, role: role).security
        } catch {
            guard error.code == .unreadable, named == nil else { throw CommandFailure(ExitCodes.usage, "\(error)") }
            throw CommandFailure(
                ExitCodes.usage,
                "\(endpoint) is not on this machine, so a key is needed: copy one that 'winnow keys new' made on the "
                    + "coordinator's machine, and name it with --key (\(error))")
        }
    }
}

/// Where the coordinator's keys are.
struct KeyFolderArguments: ParsableArguments {
    /// Names the folder where no option does.
    static let variable = "WINNOW_KEYS"

    @Option(
        help: ArgumentHelp(
            "The folder of the coordinator's keys.",
            discussion: "Otherwise the folder that \(variable) names, or \(KeyFolder.standard.url.path)."))
    var keys: String?

    /// The folder that was named.
    var named: KeyFolder? {
        (keys ?? ProcessInfo.processInfo.environment[Self.variable]).map { KeyFolder(URL(fileURLWithPath: $0)) }
    }

    /// The folder that was named, or else the standard one.
    var folder: KeyFolder { named ?? .standard }
}

extension AccessRole: ExpressibleByArgument {}
