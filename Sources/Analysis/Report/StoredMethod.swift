internal import Foundation

/// A method as a shard describes it: one JSON object with its name, its budget and every option.
struct StoredMethod {
    /// The name and the budget, for people; a dash if the text describes none.
    let title: String
    /// Visual tokens to keep; nil if nothing is reduced.
    let budget: Int?
    /// Equal for methods that differ in their budgets alone.
    let series: String

    init(_ json: String) {
        let fields = (try? JSONSerialization.jsonObject(with: Data(json.utf8))) as? [String: Any] ?? [:]
        let name = fields["name"] as? String
        let budget = name == "none" ? nil : fields["keep"] as? Int
        self.budget = budget
        title = name.map { name in budget.map { "\(name), keep \($0)" } ?? name } ?? "–"
        let own: [String: Any] = ["name": name ?? "", "options": fields["options"] ?? [:]]
        let data = try? JSONSerialization.data(withJSONObject: own, options: .sortedKeys)
        series = data.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
