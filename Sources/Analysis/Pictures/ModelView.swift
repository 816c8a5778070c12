internal import Foundation
public import ImageDecoding
public import ResultFiles

/// The square of a job's picture that the model saw, on which its patches lie as a grid.
public struct ModelView: Sendable {
    /// The pixels.
    public let picture: Picture
    /// Rows and columns of patches.
    public let grid: [Int]

    /// What no model exceeds: the side of what it sees, that of the picture it is cut from, and how they compare.
    private static let mostSeen = 4096
    private static let mostResized = 65_536
    private static let mostShrunk = 8

    /// Reads the picture of a row again and prepares it as the row's geometry says.
    ///
    /// - Parameters:
    ///   - images: The folder that item paths start from.
    ///   - side: The side of the square in pixels; nil is the model's own.
    public init(_ row: ResultRow, grid: [Int], images: String, side: Int? = nil) throws {
        guard !row.image.isEmpty else {
            throw AnalysisError(.badRequest, "job \(row.id) is about no picture")
        }
        let root = images.hasSuffix("/") ? String(images.dropLast()) : images
        guard !row.image.hasPrefix("/"), !row.image.split(separator: "/").contains("..") else {
            throw AnalysisError(.badRequest, "the picture '\(row.image)' of job \(row.id) is outside of its folder")
        }
        let source = try Picture(contentsOf: URL(fileURLWithPath: "\(root)/\(row.image)"))
        let geometry = row.geometry
        let isPadded = geometry.padWidth > 0
        // The square is as wide as the window that was cut out, or as the whole after padding.
        let seen = isPadded ? geometry.resizedWidth : geometry.cropWidth
        let shortest = min(geometry.resizedWidth, geometry.resizedHeight)
        guard seen <= Self.mostSeen, max(geometry.resizedWidth, geometry.resizedHeight) <= Self.mostResized,
            shortest <= Self.mostShrunk * max(1, seen)
        else {
            throw AnalysisError(
                .badRequest,
                "the row of job \(row.id) is damaged: it says that the model saw \(seen) pixels of "
                    + "\(geometry.resizedWidth)×\(geometry.resizedHeight)")
        }
        guard seen > 0, shortest >= seen, source.width == geometry.sourceWidth, source.height == geometry.sourceHeight
        else {
            throw AnalysisError(
                .badRequest,
                "\(root)/\(row.image) is not the picture that job \(row.id) was about: it has "
                    + "\(source.width)×\(source.height) pixels, then it had \(geometry.sourceWidth)×\(geometry.sourceHeight)"
            )
        }
        let size = side ?? seen
        let prepared = try PreparedPicture(
            source,
            settings: PicturePreprocessing(
                framing: isPadded ? .pad : .crop, shortestEdge: shortest * size / seen, cropSize: size))
        picture = Picture(width: size, height: size, pixels: prepared.pixels)
        self.grid = grid
    }

    /// A view of given pixels.
    public init(picture: Picture, grid: [Int]) {
        self.picture = picture
        self.grid = grid
    }

    /// The patch at a pixel.
    func patch(x: Int, y: Int) -> Int {
        min(y * grid[0] / picture.height, grid[0] - 1) * grid[1] + min(x * grid[1] / picture.width, grid[1] - 1)
    }

    /// The view with patches that are not kept faded towards a neutral grey.
    public func fading(where isKept: (Int) -> Bool) -> Picture {
        var pixels = picture.pixels
        for y in 0..<picture.height {
            for x in 0..<picture.width where !isKept(patch(x: x, y: y)) {
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
                let patch = patch(x: x, y: y)
                let target = patch < targets.count ? targets[patch] : nil
                let colour = target.map { GroupColour.rgb($0) } ?? (20, 20, 24)
                let share = target == nil ? 85 : target == patch ? 20 : 55
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
