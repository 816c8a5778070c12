internal import Foundation
internal import JobModel
internal import JobVocabulary
public import ResultFiles

/// Finds the visible row of a job by its id.
public enum FoundJob {
    /// The row, without its features, and what it shares with the others of its shard; throws if it contradicts itself,
    /// which a shard may that another program has edited.
    public static func find(_ id: String, in catalogue: Catalogue) throws -> (row: ResultRow, header: ShardHeader) {
        guard let place = try catalogue.places(of: [id]).first else {
            throw AnalysisError(
                .badRequest,
                "there is no result of a job '\(id)' in \(catalogue.folder.path); "
                    + "'winnow results query \"SELECT id FROM jobs\" \(catalogue.folder.path)' lists those there are")
        }
        let reader = try catalogue.shards.reader(place.shard)
        guard (0..<reader.rowCount).contains(place.row),
            let row = try reader.rows(place.row..<place.row + 1, features: false).first, row.id == id
        else {
            throw AnalysisError(
                .catalogue,
                "the catalogue of \(catalogue.folder.path) does not fit its shards; "
                    + "make it again with 'winnow results catalogue'")
        }
        do {
            try row.check(against: reader.header)
        } catch {
            throw AnalysisError(
                .contradiction, "\(reader.path): the row of job '\(id)' cannot be trusted: \(error.message)")
        }
        return (row, reader.header)
    }
}

extension ResultRow {
    /// Which picture and tile a segment is; empty if the row has no other.
    public func name(ofSegment segment: Int) -> String {
        guard segments.count > 1, segment < segments.count else { return "" }
        let picture = Int(segments.picture[segment]), tiles = segments.picture.count { $0 == picture }
        let tile = tiles > 1 ? ", tile \(segments.tile[segment] + 1) of \(tiles)" : ""
        return "picture \(picture + 1) of \(pictures.count)" + tile
    }
}

/// Where the pictures of a batch are.
public enum BatchImages {
    /// The folder that the batch's file beside the results names.
    public static func folder(of results: ResultsFolder) throws -> String {
        let url = URL(fileURLWithPath: results.path).appendingPathComponent(ResultsLayout.batchFile)
        guard let images = BatchFile.path("images", in: url) else {
            throw AnalysisError(
                .badRequest, "\(url.path) does not say where the pictures are; name their folder with --images")
        }
        return images
    }
}
