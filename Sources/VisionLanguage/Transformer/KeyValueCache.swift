import Tensors

/// The keys and values of one sequence, layer by layer.
///
/// Layers may hold different numbers of rows: a layer after a reduction has seen fewer tokens.
final class KeyValueCache {
    private var layers: [Layer]

    private struct Layer {
        var keys: Tensor
        var values: Tensor
        var length = 0
    }

    /// An empty cache.
    init(layers count: Int) {
        layers = Array(repeating: Self.nothing, count: count)
    }

    private static var nothing: Layer {
        let nothing = Tensor(shape: [0, 1], type: .float32)
        return Layer(keys: nothing, values: nothing)
    }

    /// The contents of another cache, with room for `room` more rows in every layer that holds any.
    init(copying other: KeyValueCache, room: Int) {
        layers = other.layers
        for layer in layers.indices where other.length(layer) > 0 {
            grow(layer, to: other.length(layer) + room, like: other.layers[layer].keys)
        }
    }

    /// Copies of the first rows of another cache, in the first of its layers.
    init(beginningOf other: KeyValueCache, rows: Int, layers count: Int) {
        layers = other.layers.indices.map { index in
            guard index < count else { return Self.nothing }
            let held = other.contents(index)
            return Layer(keys: held.keys.copy(of: 0..<rows), values: held.values.copy(of: 0..<rows), length: rows)
        }
    }

    /// Rows that `layer` holds.
    func length(_ layer: Int) -> Int { layers[layer].length }

    /// Bytes of all keys and values held.
    var bytes: Int { layers.reduce(0) { $0 + 2 * $1.length * $1.keys.width * $1.keys.type.size } }

    /// Appends rows `(rows, kvHeads·size)`; the first time, room for `room` more rows is set aside with them.
    func append(_ keys: Tensor, _ values: Tensor, layer: Int, room: Int) {
        let rows = layers[layer].length..<layers[layer].length + keys.rows
        if rows.upperBound > layers[layer].keys.rows { grow(layer, to: rows.upperBound + room, like: keys) }
        layers[layer].keys.rows(rows).copy(from: keys)
        layers[layer].values.rows(rows).copy(from: values)
        layers[layer].length = rows.upperBound
    }

    /// What `layer` holds.
    func contents(_ layer: Int) -> KeysAndValues {
        let rows = 0..<layers[layer].length
        return KeysAndValues(keys: layers[layer].keys.rows(rows), values: layers[layer].values.rows(rows))
    }

    private func grow(_ layer: Int, to capacity: Int, like rows: Tensor) {
        let old = contents(layer)
        let shape = [capacity, rows.width]
        layers[layer].keys = Tensor(shape: shape, type: rows.type)
        layers[layer].values = Tensor(shape: shape, type: rows.type)
        guard old.keys.rows > 0 else { return }
        layers[layer].keys.rows(0..<old.keys.rows).copy(from: old.keys)
        layers[layer].values.rows(0..<old.values.rows).copy(from: old.values)
    }
}
