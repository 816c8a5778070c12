internal import Foundation
internal import ImageDecoding
internal import JobVocabulary
internal import ResultFiles

/// The jobs that a report shows with their pictures, each picture once.
struct Gallery {
    /// Pixels of a side of a picture in the page.
    private static let side = 336

    private(set) var items: [GalleryItem] = []
    /// The pictures as addresses that hold them.
    private(set) var images: [String] = []
    /// What could not be shown, such as pictures that are gone.
    private(set) var remarks: [String] = []
    /// Places in `images` by picture and window; nil for what could not be read.
    private var pictures: [String: Int?] = [:]
    /// Answered jobs about a picture, by the number of their method.
    private var answered: [Int: [ResultRow.Steps]] = [:]

    /// Adds a job as one method answered it, an item for each of its tiles.
    mutating func add(_ id: String, of method: any ReportedMethod, number: Int) {
        let row: ResultRow
        do {
            row = try method.row(id)
        } catch {
            remarks.append("\(error)")
            return
        }
        if row.status == .ok, !row.pictures.isEmpty { answered[number, default: []].append(row.steps) }
        for segment in 0..<max(1, row.segments.count) {
            let image =
                row.pictures.isEmpty
                ? GalleryItem.noPicture : image(of: row, segment: segment, from: method.images) ?? GalleryItem.notShown
            items.append(GalleryItem(row, segment: segment, batch: number, image: image))
        }
    }

    /// The place of what the model saw as a tile; nil if that cannot be shown.
    private mutating func image(of row: ResultRow, segment: Int, from folder: String?) -> Int? {
        guard segment < row.segments.count else { return nil }
        let key = "\(folder ?? "") \(row.viewKey(of: segment))"
        if let known = pictures[key] { return known }
        do {
            guard let folder else { throw AnalysisError(.badRequest, "the folder of pictures is not known") }
            let view = try ModelView(row, segment: segment, images: folder, side: Self.side)
            let bytes = try view.picture.webP(quality: 78)
            images.append("data:image/webp;base64," + Data(bytes).base64EncodedString())
            pictures[key] = images.count - 1
        } catch {
            remarks.append("\(error)")
            pictures[key] = .some(nil)
        }
        return pictures[key] ?? nil
    }

    /// The mean number of tokens after each step that all answered jobs of a method have.
    func layers(of number: Int) -> [BatchAccount.Layer] {
        guard let all = answered[number], let first = all.first else { return [] }
        let alike = all.filter { $0.layer == first.layer }
        return first.layer.indices.map { step in
            BatchAccount.Layer(
                place: first.place[step].rawValue, layer: Int(first.layer[step]),
                tokens: alike.reduce(0) { $0 + Double($1.tokensOut[step]) } / Double(alike.count))
        }
    }
}

extension ResultRow {
    /// Equal keys mean the same pixels.
    fileprivate func viewKey(of segment: Int) -> String {
        let picture = Int(segments.picture[segment])
        let window = [segments.left, segments.top, segments.width, segments.height].map { "\($0[segment])" }
        return "\(pictures.sha256[picture]) \(pictures.image[picture]) \(window)"
    }
}
