/// How much a shard holds of what became of each visual token; the raw values stand in batch files and shards.
public enum StoredTrace: String, Codable, Sendable, CaseIterable {
    /// Steps, kept tokens, when each token left and where to, its score, and every merge with its weight.
    case full
    /// Steps, kept tokens, and when each token left and where to; neither scores nor merges.
    case indices
    /// Nothing but the numbers of tokens.
    case none
}
