internal import Foundation
public import ImageDecoding
public import ResultFiles

/// What the model saw as one tile of a job's pictures, on which the tile's patches lie as a grid.
public struct ModelView: Sendable {
    /// The pixels.
    public let picture: Picture
    /// Patches from top to bottom, and from left to right.
    public let rows, columns: Int
    /// The number of the first patch among the job's visual tokens.
    public let firstToken: Int
    /// The numbers of its patches.
    var tokens: Range<Int> { firstToken..<firstToken + rows * columns }

    /// What no model exceeds: how many pixels of a picture a pixel of its own may stand for.
    private static let mostShrunk = 1024.0

    /// Reads the picture of a row's segment again.
    ///
    /// - Parameters:
    ///   - segment: Which of the row's segments.
    ///   - images: The folder that item paths start from.
    ///   - side: The side of the square in pixels; nil gives every patch fourteen.
    public init(_ row: ResultRow, segment: Int = 0, images: String, side: Int? = nil) throws {
        let s = row.segments
        guard segment < s.count else {
            throw AnalysisError(
                .badRequest,
                row.pictures.isEmpty
                    ? "job \(row.id) is text-only: there is nothing to draw"
                    : "job \(row.id) has \(s.count) segments, there is none with number \(segment)")
        }
        let number = Int(s.picture[segment]), name = row.pictures.image[number]
        let root = images.hasSuffix("/") ? String(images.dropLast()) : images
        guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
            throw AnalysisError(.badRequest, "the picture '\(name)' of job \(row.id) is outside of its folder")
        }
        let source = try Picture(
            contentsOf: URL(fileURLWithPath: "\(root)/\(name)"),
            options: DecodingOptions(appliesOrientation: row.pictures.orientation[number] != 1))
        let (width, height) = (row.pictures.width[number], row.pictures.height[number])
        guard source.width == width, source.height == height else {
            throw AnalysisError(
                .badRequest,
                "\(root)/\(name) is not the picture that job \(row.id) was about: it has \(source.width)×\(source.height) "
                    + "pixels, then it had \(width)×\(height)")
        }
        rows = Int(s.rows[segment])
        columns = Int(s.columns[segment])
        firstToken = Int(s.firstToken[segment])
        let window = PictureWindow(
            left: s.left[segment], top: s.top[segment], width: s.width[segment], height: s.height[segment])
        let size = side ?? min(14 * max(rows, columns), 4096)
        // A window of this picture, a little beyond its edges at most.
        let most = Double(4 * max(width, height))
        guard rows > 0, columns > 0, window.width > 0, window.height > 0,
            max(window.width, window.height) <= min(most, Self.mostShrunk * Double(size)),
            abs(window.left) <= most, abs(window.top) <= most
        else {
            throw AnalysisError(
                .badRequest,
                "the row of job \(row.id) is damaged: it says that the model saw \(window.width)×\(window.height) pixels "
                    + "of \(width)×\(height) as \(rows)×\(columns) patches")
        }
        picture = source.shown(in: window, size: size)
    }

    /// A view of given pixels, as the only tile of a job.
    public init(picture: Picture, rows: Int, columns: Int) {
        self.picture = picture
        self.rows = rows
        self.columns = columns
        firstToken = 0
    }

    /// The visual token of the patch at a pixel.
    func token(x: Int, y: Int) -> Int {
        firstToken + min(y * rows / picture.height, rows - 1) * columns
            + min(x * columns / picture.width, columns - 1)
    }

    /// The view with patches that are not kept faded towards a neutral grey.
    public func fading(where isKept: (Int) -> Bool) -> Picture {
        var pixels = picture.pixels
        for y in 0..<picture.height {
            for x in 0..<picture.width where !isKept(token(x: x, y: y)) {
                let place = (y * picture.width + x) * 3
                let grey = (Int(pixels[place]) * 3 + Int(pixels[place + 1]) * 6 + Int(pixels[place + 2])) / 10
                for channel in 0..<3 { pixels[place + channel] = UInt8(26 + grey * 34 / 255) }
            }
        }
        return Picture(width: picture.width, height: picture.height, pixels: pixels)
    }

    /// The view with every patch tinted in the colour of the token that holds most of its content in the end; patches
    /// whose content is gone are dark.
    public func colouringGroups(_ tokens: ResultRow.Tokens) -> Picture {
        let targets = TokenFlow.finalTargets(tokens)
        var pixels = picture.pixels
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let place = (y * picture.width + x) * 3
                let token = token(x: x, y: y)
                let target = token < targets.count ? targets[token] : nil
                let colour = target.map { GroupColour.rgb($0) } ?? (20, 20, 24)
                let share = target == nil ? 85 : target == token ? 20 : 42
                for (channel, value) in [colour.0, colour.1, colour.2].enumerated() {
                    pixels[place + channel] = UInt8(
                        (Int(pixels[place + channel]) * (100 - share) + value * share) / 100)
                }
            }
        }
        return Picture(width: picture.width, height: picture.height, pixels: pixels)
    }
}

/// Where the content of tokens ends up.
public enum TokenFlow {
    /// For each token the one that holds most of its content in the end: itself where it survived, nil where it is gone.
    public static func finalTargets(_ tokens: ResultRow.Tokens) -> [Int?] {
        tokens.leftAt.indices.map { start in
            var token = start
            // Each hop is to a token that leaves later, so there are no more hops than tokens.
            for _ in tokens.leftAt.indices {
                if tokens.leftAt[token] == ResultRow.Tokens.survived { return token }
                let next = tokens.wentTo[token]
                guard next != ResultRow.Tokens.discarded, Int(next) < tokens.leftAt.count, Int(next) != token else {
                    return nil
                }
                token = Int(next)
            }
            return nil
        }
    }
}

/// A colour for each token, far from those of its neighbours.
enum GroupColour {
    static func rgb(_ token: Int) -> (Int, Int, Int) {
        // Steps of the golden ratio around the circle of hues never come close to where they were.
        let hue = (Double(token) * 0.618033988749895).truncatingRemainder(dividingBy: 1) * 6
        let fraction = hue - hue.rounded(.down)
        let (low, high) = (60.0, 240.0)
        let rising = Int(low + (high - low) * fraction), falling = Int(high - (high - low) * fraction)
        return switch Int(hue) {
        case 0: (Int(high), rising, Int(low))
        case 1: (falling, Int(high), Int(low))
        case 2: (Int(low), Int(high), rising)
        case 3: (Int(low), falling, Int(high))
        case 4: (rising, Int(low), Int(high))
        default: (Int(high), Int(low), falling)
        }
    }
}
