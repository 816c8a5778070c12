private import CHDF5

/// An identifier that the library gave out and that is given back exactly once.
struct Handle: ~Copyable {
    let id: Int64
    private let release: @convention(c) (Int64) -> Int32

    /// Takes over the identifier that `call` returns, to be closed with `release`.
    init(
        _ operation: StaticString, _ name: String, otherwise fallback: HDF5Error.Code = .other,
        release: @escaping @convention(c) (Int64) -> Int32, _ call: () -> Int64
    ) throws(HDF5Error) {
        // Everything that throws comes before the first assignment: a half-made value would be closed.
        let id = try check(operation, name, otherwise: fallback, call)
        self.id = id
        self.release = release
    }

    /// Closes it and reports what that reveals: written data may reach the disk only now.
    consuming func close(_ operation: StaticString, _ name: String) throws(HDF5Error) {
        let id = id
        let release = release
        discard self
        try check(operation, name) { release(id) }
    }

    deinit {
        let id = id
        let release = release
        HDF5Library.run { _ = release(id) }
    }
}
