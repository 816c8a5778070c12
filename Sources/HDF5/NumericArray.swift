/// Numbers with a shape, in row-major order.
public struct NumericArray<Scalar: Element & Hashable>: Sendable, Hashable {
    /// The length of each dimension.
    public let shape: [Int]
    /// As many numbers as the shape says; the last dimension varies fastest.
    public let values: [Scalar]
}

extension Group {
    /// Reads a whole dataset, converted like ``Dataset/read(_:)`` does.
    ///
    /// - Parameter rank: The number of dimensions it must have; any if nil.
    public func array<Scalar: Element & Hashable>(
        _ path: String, of _: Scalar.Type = Scalar.self, rank: Int? = nil
    ) throws(HDF5Error) -> NumericArray<Scalar> {
        let dataset = try dataset(path)
        if let rank, dataset.shape.count != rank {
            throw HDF5Error(
                code: .typeMismatch, message: "\(dataset.name) has shape \(dataset.shape) and needs \(rank) dimensions")
        }
        return NumericArray(shape: dataset.shape, values: try dataset.read(Scalar.self))
    }
}
