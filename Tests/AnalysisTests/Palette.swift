import Foundation

/// The colours that a page's style gives names to, for the light or the dark.
struct Palette {
    /// The colours of batches and phases, by name.
    let colours: [String: [Double]]

    /// Every block of a style that names colours of batches.
    static func all(in html: String) throws -> [Palette] {
        let name = try Regex(
            "--(b[0-9]|unreduced|phase-[a-z-]+): #([0-9a-f]{6})", as: (Substring, Substring, Substring).self)
        return html.components(separatedBy: "}").filter { $0.contains("--b0: #") }.map { block in
            Palette(
                colours: Dictionary(
                    block.matches(of: name).map { (String($0.1), lab($0.2)) }, uniquingKeysWith: { $1 }))
        }
    }

    /// The two colours that are hardest to tell apart, with their distance in CIELAB (CIE 1976): 2 can just be seen.
    var nearest: (first: String, second: String, distance: Double) {
        var found = ("", "", Double.infinity)
        let names = colours.keys.sorted()
        for (place, first) in names.enumerated() {
            for second in names[(place + 1)...] {
                let parts = zip(colours[first] ?? [], colours[second] ?? []).map { ($0 - $1) * ($0 - $1) }
                let distance = parts.reduce(0, +).squareRoot()
                if distance < found.2 { found = (first, second, distance) }
            }
        }
        return found
    }

    /// A colour of sRGB, such as `2f62c9`, in CIELAB under daylight (D65).
    private static func lab(_ hex: Substring) -> [Double] {
        let number = Int(hex, radix: 16) ?? 0
        let rgb = [16, 8, 0].map { shift -> Double in
            let value = Double(number >> shift & 255) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        func row(_ a: Double, _ b: Double, _ c: Double) -> Double {
            let value = a * rgb[0] + b * rgb[1] + c * rgb[2]
            return value > 0.008856 ? cbrt(value) : 7.787 * value + 16 / 116.0
        }
        let x = row(0.4339, 0.3763, 0.1899), y = row(0.2126, 0.7152, 0.0722), z = row(0.0178, 0.1095, 0.8727)
        return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
    }
}
