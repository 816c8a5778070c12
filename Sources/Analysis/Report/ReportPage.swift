public import Foundation
internal import Mustache

/// Results as one HTML page that needs nothing else: summary, charts, failures, the same questions method beside method, and a
/// gallery of what became of patches.
public struct ReportPage {
    /// Results of one method, a row in the page's tables.
    public struct Source {
        let method: any ReportedMethod

        /// A batch; the folder that its pictures' paths start from is left to `batch.yaml` if `images` is nil. Throws if the
        /// catalogue cannot be read.
        public init(_ catalogue: Catalogue, images: String? = nil) throws {
            method = try ReportedBatch(catalogue, images: images)
        }

        /// A cell of an evaluation.
        public init(_ cell: EvaluatedMethod) { method = cell }
    }

    private struct Payload: Encodable {
        let batches: [BatchAccount]
        let comparison: MethodComparison?
        let gallery: [GalleryItem]
        let images: [String]
    }

    /// The page.
    public let html: String
    /// What could not be shown, such as pictures that are gone.
    public private(set) var remarks: [String]

    /// Questions that stand side by side; nil if there is one method, or none that all have answered.
    public let sharedQuestions: Int?

    /// Makes the page.
    ///
    /// Results of several methods stand side by side, question by question, as far as all have answered the same ones.
    ///
    /// - Parameters:
    ///   - gallery: Jobs in the gallery: questions, if several methods stand side by side. Of one batch, or of several that
    ///     share no question, jobs shared out among the batches, text-only jobs only to fill up.
    ///   - now: What the page says about when it was made.
    public init(_ sources: [Source], title: String?, gallery: Int = 48, software: String, now: Date) throws {
        let methods = sources.map(\.method)
        var accounts = try methods.map { try $0.account() }
        let named = zip(methods, accounts).map { ($0.name, $1.method, $0.path) }
        for (number, name) in DistinctNames(named).names.enumerated() { accounts[number].name = name }
        let comparison = methods.count > 1 ? try MethodComparison(methods.map { try $0.comparedAnswers() }) : nil
        var shown = Gallery()
        if let comparison {
            for id in comparison.shown(gallery) {
                for (number, method) in methods.enumerated() { shown.add(id, of: method, number: number) }
            }
        } else {
            for (number, method) in methods.enumerated() {
                let share = gallery * (number + 1) / methods.count - gallery * number / methods.count
                for id in try method.ids(share) { shown.add(id, of: method, number: number) }
            }
        }
        for number in accounts.indices { accounts[number].layers = shown.layers(of: number) }
        remarks = shown.remarks
        sharedQuestions = comparison?.questions
        if methods.count > 1, comparison == nil {
            remarks.append("no question is in all of these results, so none stand side by side")
        }
        let payload = Payload(
            batches: accounts, comparison: comparison, gallery: shown.items, images: shown.images)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What is no number, from a file that somebody tampered with, must not cost the whole page; the page knows the
        // zero byte, which no text of a shard holds.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "\0", negativeInfinity: "\0", nan: "\0")
        // A "<" inside of data must not look like the end of the element that holds them.
        let data = String(decoding: try encoder.encode(payload), as: UTF8.self).replacing("<", with: "\\u003c")
        let models = Set(accounts.map(\.model)).sorted().joined(separator: ", ")
        let hosts = Set(accounts.map(\.host)).subtracting([""]).sorted().joined(separator: ", ")
        let template = try MustacheTemplate(string: String(decoding: PackageResources.report_html, as: UTF8.self))
        html = template.render([
            "title": title ?? Self.title(methods.map(\.name), accounts),
            "provenance": [models, hosts, now.formatted(.iso8601)].filter { !$0.isEmpty }.joined(separator: " · "),
            "style": String(decoding: PackageResources.report_css, as: UTF8.self),
            "script": Self.script,
            "data": data, "software": software,
            "folders": Self.inOrder(accounts.map(\.folder)).joined(separator: ", "),
        ])
    }

    /// The page's script: its parts share their names with each other and with nothing else.
    private static var script: String {
        let parts = [PackageResources.report_js, PackageResources.report_charts_js, PackageResources.report_gallery_js]
        return "\"use strict\";\n(() => {\n"
            + parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n") + "})();"
    }

    /// The names of the batches, each once, or if they are many their folders; and how many there are.
    private static func title(_ names: [String], _ accounts: [BatchAccount]) -> String {
        let batches = inOrder(names)
        let title = (batches.count <= mostNamesInTitle ? batches : inOrder(accounts.map(\.folder))).joined(
            separator: ", ")
        return batches.count == names.count && batches.count <= mostNamesInTitle
            ? title : "\(title): \(names.count) side by side"
    }
    private static let mostNamesInTitle = 6

    /// The texts without repeats, in the order in which they first come.
    private static func inOrder(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }
}
