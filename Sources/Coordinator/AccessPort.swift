internal import AccessKeys

/// The two ports of a coordinator, and who may use them.
enum AccessPort: String, CaseIterable {
    case workers, clients

    /// Whose keys open it.
    var role: AccessRole {
        switch self {
        case .workers: .worker
        case .clients: .client
        }
    }
}
