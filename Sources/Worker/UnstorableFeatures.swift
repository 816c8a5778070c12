internal import ResultFiles

/// Features that the type of results cannot hold: as float16 they would be infinite.
struct UnstorableFeatures: Error, CustomStringConvertible {
    /// The first token with such a number, among those whose features are stored.
    let token: Int

    var description: String {
        "the features of visual token \(token) are not finite in float16, which holds up to 65504; submit the batch with "
            + "'features: none', or with 'features: tower' if it stores 'projected'"
    }

    /// Throws if a number is infinite or none; `features` is (tokens, width).
    static func check(_ features: [Float16], width: Int) throws(UnstorableFeatures) {
        guard !features.isFinite, let place = features.firstIndex(where: { !$0.isFinite }) else { return }
        throw UnstorableFeatures(token: place / max(1, width))
    }
}
