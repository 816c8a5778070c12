public import Tensors

/// The third verb: how content gets to the tokens that stay.
public protocol Compress: Sendable {
    /// One line for the table of methods.
    var summary: String { get }
    /// Writes the merged content into the target rows of `tokens`, (N, width), in place; no other row changes.
    func merge(_ correlation: Correlation, into tokens: Tensor) throws(ReductionError)
}
