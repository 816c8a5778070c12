/// A part of a picture, in pixels of the picture as decoded; it may reach beyond the edges.
public struct PictureWindow: Sendable, Hashable {
    /// The left edge.
    public var left: Double
    /// The upper edge.
    public var top: Double
    /// Columns.
    public var width: Double
    /// Rows.
    public var height: Double

    /// The part with these edges.
    public init(left: Double, top: Double, width: Double, height: Double) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }
}

extension PictureGeometry {
    /// What the model's square shows of the picture.
    public var window: PictureWindow {
        let across = Double(framedWidth) / Double(resizedWidth), down = Double(framedHeight) / Double(resizedHeight)
        return PictureWindow(
            left: Double(cropX) * across - Double(paddingX), top: Double(cropY) * down - Double(paddingY),
            width: Double(size) * across, height: Double(size) * down)
    }
}

extension Picture {
    /// What a window shows, to the nearest pixel, resized to `size` by `size`; what lies beyond the edges is grey.
    public func shown(in window: PictureWindow, size: Int) -> Picture {
        let (left, top) = (Int(window.left.rounded()), Int(window.top.rounded()))
        let columns = max(1, Int(window.width.rounded())), rows = max(1, Int(window.height.rounded()))
        let inside = max(left, 0)..<max(min(left + columns, width), max(left, 0))
        let across = ResamplingAxis(input: columns, output: size, start: 0, count: size)
        let down = ResamplingAxis(input: rows, output: size, start: 0, count: size)
        var narrow: [UInt8] = []
        for y in down.inputRange {
            var row = [UInt8](repeating: 127, count: columns * 3)
            if (0..<height).contains(top + y), !inside.isEmpty {
                let source = ((top + y) * width + inside.lowerBound) * 3
                row.replaceSubrange(
                    (inside.lowerBound - left) * 3..<(inside.upperBound - left) * 3,
                    with: pixels[source..<source + inside.count * 3])
            }
            narrow += [UInt8](unsafeUninitializedCapacity: size * 3) { out, initialized in
                row.withUnsafeBufferPointer { across.resampleRow($0, into: out) }
                initialized = size * 3
            }
        }
        return Picture(width: size, height: size, pixels: down.resampleRows(narrow, rowBytes: size * 3))
    }
}
