/// Called after every layer that was loaded or run, as a sign of progress for a caller that waits.
public final class LayerProgress {
    /// What happens after a layer.
    public var action: () -> Void

    /// Does `action` after every layer; nothing by default.
    public init(_ action: @escaping () -> Void = {}) { self.action = action }
}
