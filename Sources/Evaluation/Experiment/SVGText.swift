import Foundation

/// A rectangle in pixels.
struct PlotBox {
    let left, top, right, bottom: Double

    init(_ left: Double, _ top: Double, _ right: Double, _ bottom: Double) {
        (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    }

    func overlaps(_ other: PlotBox) -> Bool {
        left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
}

/// A line of text at a place.
struct SVGText {
    private let x, y, size: Double
    private let text, colour, anchor, weight: String

    init(
        _ x: Double, _ y: Double, _ text: String, size: Double = 12, colour: String = "#000", anchor: String = "start",
        weight: String = "normal"
    ) {
        (self.x, self.y, self.text, self.size) = (x, y, text, size)
        (self.colour, self.anchor, self.weight) = (colour, anchor, weight)
    }

    var svg: String {
        "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(size)\" fill=\"\(colour)\" text-anchor=\"\(anchor)\" font-weight=\"\(weight)\">"
            + Self.escaped(text) + "</text>"
    }

    /// What it covers, with digits of the usual width.
    var box: PlotBox {
        let length = Double(text.count) * size * 0.6
        let left = anchor == "start" ? x : anchor == "end" ? x - length : x - length / 2
        return PlotBox(left, y - size * 0.8, left + length, y + 1)
    }

    static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
