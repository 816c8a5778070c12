public import Foundation
internal import ImageDecoding
internal import JobVocabulary
internal import Mustache
internal import ResultFiles

/// Batches as one HTML page that needs nothing else: summary, charts, failures, and a gallery of what became of patches.
public struct ReportPage {
    /// A batch and where its pictures are; nil leaves them to `batch.yaml`.
    public struct Source {
        /// Its results.
        public var catalogue: Catalogue
        /// The folder that items' pictures start from.
        public var images: String?

        /// A batch.
        public init(_ catalogue: Catalogue, images: String? = nil) {
            self.catalogue = catalogue
            self.images = images
        }
    }

    /// Pixels of a side of a picture in the page.
    private static let side = 336

    private struct Payload: Encodable {
        var batches: [BatchAccount]
        var gallery: [GalleryItem] = []
        var images: [String] = []
    }

    /// The page.
    public let html: String
    /// What could not be shown, such as pictures that are gone.
    public private(set) var remarks: [String] = []

    /// Makes the page.
    ///
    /// - Parameters:
    ///   - gallery: Jobs in the gallery, shared out among the batches; text-only jobs only fill up.
    ///   - now: What the page says about when it was made.
    public init(_ sources: [Source], title: String?, gallery: Int = 48, software: String, now: Date) throws {
        var payload = Payload(batches: try sources.map { try BatchAccount($0.catalogue) })
        var remarks: [String] = []
        for (number, source) in sources.enumerated() {
            let share = gallery * (number + 1) / sources.count - gallery * number / sources.count
            try Self.fill(&payload, with: source, number: number, count: share, &remarks)
        }
        self.remarks = remarks
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What is no number, from a file that somebody tampered with, must not cost the whole page; the page knows the
        // zero byte, which no text of a shard holds.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "\0", negativeInfinity: "\0", nan: "\0")
        // A "<" inside of data must not look like the end of the element that holds them.
        let data = String(decoding: try encoder.encode(payload), as: UTF8.self).replacing("<", with: "\\u003c")
        let names = payload.batches.map(\.name)
        let models = Set(payload.batches.map(\.model)).sorted().joined(separator: ", ")
        let hosts = Set(payload.batches.map(\.host)).sorted().joined(separator: ", ")
        let template = try MustacheTemplate(string: String(decoding: PackageResources.report_html, as: UTF8.self))
        html = template.render([
            "title": title ?? names.joined(separator: ", "),
            "provenance": "\(models) · \(hosts) · \(now.formatted(.iso8601))",
            "style": String(decoding: PackageResources.report_css, as: UTF8.self),
            "script": String(decoding: PackageResources.report_js, as: UTF8.self),
            "data": data, "software": software,
            "folders": payload.batches.map(\.folder).joined(separator: ", "),
        ])
    }

    /// Ids of jobs, evenly over those of a batch that are about a picture, or over those that are about none.
    private static func ids(_ count: Int, pictured: Bool, in catalogue: Catalogue) throws -> [String] {
        guard count > 0 else { return [] }
        let wanted = pictured ? "pictures > 0" : "pictures = 0"
        return try catalogue.query(
            """
            SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY rowid) - 1 AS number FROM jobs WHERE \(wanted))
            WHERE number % MAX(1, (SELECT COUNT(*) FROM jobs WHERE \(wanted)) / \(count)) = 0
            ORDER BY number LIMIT \(count)
            """
        ).rows.map { $0[0].text }
    }

    /// Adds jobs of a batch, those about a picture first, and what became of their tokens layer by layer.
    private static func fill(
        _ payload: inout Payload, with source: Source, number: Int, count: Int, _ remarks: inout [String]
    ) throws {
        let images = source.images ?? (try? BatchImages.folder(of: source.catalogue.folder))
        let pictured = try ids(count, pictured: true, in: source.catalogue)
        let others = try ids(count - pictured.count, pictured: false, in: source.catalogue)
        var pictures: [String: Int] = [:]
        var rows: [ResultRow] = []
        for id in pictured + others {
            let row: ResultRow
            do {
                row = try FoundJob.find(id, in: source.catalogue).row
            } catch {
                remarks.append("\(error)")
                continue
            }
            if row.status == .ok, !row.pictures.isEmpty { rows.append(row) }
            for segment in 0..<max(1, row.segments.count) {
                var image = row.pictures.isEmpty ? GalleryItem.noPicture : GalleryItem.notShown
                if segment < row.segments.count {
                    let key = row.viewKey(of: segment)
                    if let known = pictures[key] {
                        image = known
                    } else {
                        do {
                            guard let images else {
                                throw AnalysisError(.badRequest, "the folder of pictures is not known")
                            }
                            let view = try ModelView(row, segment: segment, images: images, side: side)
                            let bytes = try view.picture.webP(quality: 78)
                            payload.images.append("data:image/webp;base64," + Data(bytes).base64EncodedString())
                            image = payload.images.count - 1
                        } catch {
                            remarks.append("\(error)")
                        }
                        pictures[key] = image
                    }
                }
                payload.gallery.append(GalleryItem(row, segment: segment, batch: number, image: image))
            }
        }
        payload.batches[number].layers = layers(rows)
    }

    /// The mean number of tokens after each step that all rows have.
    private static func layers(_ rows: [ResultRow]) -> [BatchAccount.Layer] {
        guard let first = rows.first else { return [] }
        let alike = rows.filter { $0.steps.layer == first.steps.layer }
        return first.steps.layer.indices.map { step in
            BatchAccount.Layer(
                place: first.steps.place[step].rawValue, layer: Int(first.steps.layer[step]),
                tokens: alike.reduce(0) { $0 + Double($1.steps.tokensOut[step]) } / Double(alike.count))
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
