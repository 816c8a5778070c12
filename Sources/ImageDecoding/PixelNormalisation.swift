/// What each 8-bit sample becomes in each channel: a table of 256 × 3 float32 numbers.
///
/// Hugging Face computes `float32(float64(sample) * rescale_factor)`, then `(value - mean) / std` in float32. There are
/// only 256 samples, so a table gives the same bits.
public struct PixelNormalisation: Sendable {
    /// The values, (256, 3).
    public let table: [Float]

    /// The table for the given settings.
    public init(_ settings: PicturePreprocessing = PicturePreprocessing()) throws(ImageError) {
        try settings.check()
        table = (0..<256).flatMap { sample in
            (0..<3).map { channel in
                (Float(Double(sample) * settings.rescaleFactor) - Float(settings.mean[channel]))
                    / Float(settings.standardDeviation[channel])
            }
        }
    }

    /// The picture as Hugging Face's `pixel_values`: (3, size, size).
    public func channelsFirst(_ picture: PreparedPicture) -> [Float] {
        let area = picture.size * picture.size
        return [Float](unsafeUninitializedCapacity: 3 * area) { out, initialized in
            for (index, sample) in picture.pixels.enumerated() {
                out[index % 3 * area + index / 3] = table[Int(sample) * 3 + index % 3]
            }
            initialized = 3 * area
        }
    }

    /// The picture cut into square patches in raster order: (patches, 3 * side * side).
    ///
    /// A row holds one patch, channel by channel, as a patch embedding's weight (out, 3, side, side) holds its filters, so
    /// that the convolution is one matrix product. Columns and rows left over at the end are dropped, as the convolution
    /// drops them.
    public func patches(_ picture: PreparedPicture, side: Int) -> [Float] {
        precondition(side > 0, "a patch has at least one pixel")
        let perSide = picture.size / side
        return [Float](unsafeUninitializedCapacity: perSide * perSide * 3 * side * side) { out, initialized in
            for patch in 0..<perSide * perSide {
                let top = patch / perSide * side, left = patch % perSide * side
                for channel in 0..<3 {
                    for y in 0..<side {
                        for x in 0..<side {
                            let sample = picture.pixels[((top + y) * picture.size + left + x) * 3 + channel]
                            out[initialized] = table[Int(sample) * 3 + channel]
                            initialized += 1
                        }
                    }
                }
            }
        }
    }
}
