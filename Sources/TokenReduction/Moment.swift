/// At what point of a layer a reduction happens.
public enum Moment: String, Sendable, Hashable, CaseIterable {
    /// After the attention has been added, before the second norm and the MLP.
    case afterAttention = "after-attention"
    /// After the whole layer.
    case afterLayer = "after-layer"
}
