/// A file that holds tensors by name, memory-mapped: they are views of the file and cost no memory until they are read.
protocol TensorFile: Sendable {
    /// Where the file is.
    var path: String { get }
    /// Every tensor, in the order of the file.
    var names: [String] { get }
    /// Whether there is a tensor of this name, of whatever type.
    func contains(_ name: String) -> Bool
    /// Extents of a tensor, nil if there is none of this name.
    func shape(of name: String) -> [Int]?
    /// How a tensor is stored, nil if there is none of this name or its type is not one that tensors have.
    func type(of name: String) -> ElementType?
    /// The tensor of this name, sharing the mapping, which lives as long as it does; it must not be written to.
    /// Throws `missingTensor`, or `unsupportedType` for integers and the like.
    func tensor(_ name: String) throws(TensorError) -> Tensor
    /// Gives back the memory that reading this tensor took; it is read from the file again if it is needed again.
    func release(_ name: String)
}

extension SafetensorsFile: TensorFile {}
