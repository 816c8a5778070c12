import Tensors
public import TokenReduction

/// A picture after tower and projector.
public struct EncodedPicture: Sendable {
    /// Its tiles, as many as `tiling` has.
    public let tiles: [EncodedTile]
    /// How the picture lies on them.
    public let tiling: PictureTiling

    /// A picture of these tiles.
    public init(_ tiles: [EncodedTile], _ tiling: PictureTiling) {
        precondition(
            tiles.count == tiling.tiles, "\(tiles.count) tiles for a picture of \(tiling.tiles)")
        self.tiles = tiles
        self.tiling = tiling
    }

    /// A picture of one tile.
    public init(_ tile: EncodedTile) {
        self.init([tile], PictureTiling(side: tile.reduction.grid.rows))
    }

    /// Visual tokens of all tiles before any reduction.
    var count: Int { tiles.reduce(0) { $0 + $1.reduction.grid.count } }
}

/// A prompt with what tower and projector made of its pictures.
public struct DecoderInput: Sendable {
    /// Text, and the places of pictures.
    public let prompt: MultimodalPrompt
    /// One for each place.
    public let pictures: [EncodedPicture]
    /// How the pictures are reduced.
    public let plan: ReductionPlan

    /// A prompt of as many places as there are pictures.
    public init(_ prompt: MultimodalPrompt, _ pictures: [EncodedPicture], plan: ReductionPlan) {
        precondition(prompt.pictures == pictures.count, "a prompt and its pictures come together")
        self.prompt = prompt
        self.pictures = pictures
        self.plan = plan
    }

    /// A prompt whose pictures are one tile each.
    public init(_ prompt: MultimodalPrompt, _ tiles: [EncodedTile], plan: ReductionPlan) {
        self.init(prompt, tiles.map { EncodedPicture($0) }, plan: plan)
    }

    /// The tiles of all pictures.
    public var tiles: [EncodedTile] { pictures.flatMap(\.tiles) }

    /// Rows of the whole prompt.
    public var rows: Int { pictures.reduce(prompt.text.count) { $0 + rows(of: $1) } }
    /// Rows up to the last picture's last; all of them where there is no picture.
    public var beginning: Int { rows - prompt.after.count }

    /// Rows of a picture.
    private func rows(of picture: EncodedPicture) -> Int {
        isArranged(picture)
            ? picture.tiling.sequenceLength : picture.tiles.reduce(0) { $0 + $1.features.rows }
    }

    /// Whether the picture's rows stand as its tiling says, newlines among them.
    func isArranged(_ picture: EncodedPicture) -> Bool { picture.tiling.isArranged(under: plan) }

    /// What each row is. A class token that is handed on stands before its tile's visual tokens, and counts as text.
    var layout: TokenLayout {
        var visual: [Range<Int>] = []
        var separators: [Range<Int>] = []
        var row = 0
        for part in prompt.parts {
            switch part {
            case .text(let ids): row += ids.count
            case .picture(let number) where isArranged(pictures[number]):
                for own in pictures[number].tiling.sequence {
                    switch own {
                    case .token: visual.append(row..<row + 1)
                    case .newline: separators.append(row..<row + 1)
                    }
                    row += 1
                }
            case .picture(let number):
                for tile in pictures[number].tiles {
                    row += tile.features.rows
                    visual.append(row - tile.reduction.positions.count..<row)
                }
            }
        }
        return TokenLayout(rows: row, visual: visual, separators: separators)
    }

    /// The tokens that enter the decoder, numbered through all pictures, in the order of the sequence; nil if all that
    /// are left do, tile after tile.
    var entering: [Int]? {
        guard pictures.contains(where: isArranged) else { return nil }
        var entering: [Int] = []
        var first = 0
        for picture in pictures {
            if isArranged(picture) {
                entering += picture.tiling.tokens.map { first + $0 }
            } else {
                var start = first
                for tile in picture.tiles {
                    entering += tile.reduction.positions.map { start + $0 }
                    start += tile.reduction.grid.count
                }
            }
            first += picture.count
        }
        return entering
    }
}
