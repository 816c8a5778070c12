import Foundation

/// A JSON object of a checkpoint folder, read key by key with bounds, so that hostile numbers end in an error.
struct ConfigurationFile {
    let path: String
    private let values: [String: Any]
    private let prefix: String

    /// Reads `path`.
    init(path: String) throws(ModelError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelError(.missingFile, "the file cannot be read; name the folder of a checkpoint", at: path)
        }
        guard let object = try? JSONSerialization.jsonObject(with: data), let values = object as? [String: Any] else {
            throw ModelError(.malformedConfiguration, "the file is not a JSON object; download it again", at: path)
        }
        self.init(path: path, values: values, prefix: "")
    }

    private init(path: String, values: [String: Any], prefix: String) {
        self.path = path
        self.values = values
        self.prefix = prefix
    }

    /// The object under `key`, or nil.
    func section(_ key: String) -> ConfigurationFile? {
        (values[key] as? [String: Any]).map { ConfigurationFile(path: path, values: $0, prefix: prefix + key + ".") }
    }

    /// The keys, in alphabetical order.
    var names: [String] { values.keys.sorted() }

    /// A value as text: `1` for true and 1.0, `dynamic` for "dynamic".
    func plainText(_ key: String) -> String {
        if let number = values[key] as? NSNumber {
            return Int(exactly: number.doubleValue).map { "\($0)" } ?? "\(number.doubleValue)"
        }
        return values[key].map { "\($0)" } ?? ""
    }

    /// Whether `key` is there with a value.
    func has(_ key: String) -> Bool { values[key].map { !($0 is NSNull) } ?? false }

    /// Whether `key` is there and null.
    func isNull(_ key: String) -> Bool { values[key] is NSNull }

    /// A whole number in `range`.
    func integer(_ key: String, default standard: Int? = nil, in range: ClosedRange<Int>) throws(ModelError) -> Int {
        guard has(key) else {
            if let standard { return standard }
            throw ModelError(.malformedConfiguration, "\(prefix)\(key) is missing", at: path)
        }
        guard let number = values[key] as? NSNumber, let value = Int(exactly: number.doubleValue), range.contains(value)
        else {
            throw wrong(key, "a whole number in \(range.lowerBound)...\(range.upperBound)")
        }
        return value
    }

    /// A finite number above 0.
    func positive(_ key: String, default standard: Double) throws(ModelError) -> Double {
        guard has(key) else { return standard }
        guard let value = (values[key] as? NSNumber)?.doubleValue, value.isFinite, value > 0 else {
            throw wrong(key, "a positive number")
        }
        return value
    }

    /// A text.
    func text(_ key: String, default standard: String? = nil) throws(ModelError) -> String {
        guard has(key) else {
            if let standard { return standard }
            throw ModelError(.malformedConfiguration, "\(prefix)\(key) is missing", at: path)
        }
        guard let value = values[key] as? String else { throw wrong(key, "a text") }
        return value
    }

    /// A truth value.
    func flag(_ key: String, default standard: Bool) throws(ModelError) -> Bool {
        guard has(key) else { return standard }
        guard let value = values[key] as? Bool else { throw wrong(key, "true or false") }
        return value
    }

    /// One whole number in `range`, or a list of them.
    func integers(_ key: String, default standard: [Int], in range: ClosedRange<Int>) throws(ModelError) -> [Int] {
        guard has(key) else { return standard }
        let numbers = (values[key] as? [Any] ?? values[key].map { [$0] } ?? []).map { ($0 as? NSNumber)?.doubleValue }
        let whole = numbers.compactMap { $0.flatMap(Int.init(exactly:)) }.filter(range.contains)
        guard whole.count == numbers.count else {
            throw wrong(key, "whole numbers in \(range.lowerBound)...\(range.upperBound)")
        }
        return whole
    }

    /// A list of numbers.
    func numbers(_ key: String, default standard: [Double]) throws(ModelError) -> [Double] {
        guard has(key) else { return standard }
        guard let list = values[key] as? [Any] else { throw wrong(key, "a list of numbers") }
        let numbers = list.compactMap { ($0 as? NSNumber)?.doubleValue }
        guard numbers.count == list.count else { throw wrong(key, "a list of numbers") }
        return numbers
    }

    /// A list of pairs of whole numbers in `range`; nil if the key is absent.
    func pairs(_ key: String, in range: ClosedRange<Int>) throws(ModelError) -> [[Int]]? {
        guard has(key) else { return nil }
        var value = values[key]
        if let text = value as? String {
            // The authors of LLaVA-NeXT write a list of Python, too.
            let list = text.replacing("(", with: "[").replacing(")", with: "]")
            value = try? JSONSerialization.jsonObject(with: Data(list.utf8))
        }
        let lists = (value as? [Any] ?? []).map {
            ($0 as? [Any] ?? []).compactMap { $0 as? NSNumber }
        }
        let pairs = lists.map { $0.compactMap { Int(exactly: $0.doubleValue) }.filter(range.contains) }
        guard !pairs.isEmpty, pairs.count <= 1000, pairs.allSatisfy({ $0.count == 2 }),
            lists.allSatisfy({ $0.count == 2 })
        else {
            throw wrong(
                key, "a list of pairs of whole numbers in \(range.lowerBound)...\(range.upperBound)")
        }
        return pairs
    }

    /// Refuses a value that this code would compute wrongly with.
    func require(_ key: String, _ allowed: Set<String>, default standard: String) throws(ModelError) -> String {
        let value = try text(key, default: standard)
        guard allowed.contains(value) else {
            throw wrong(key, allowed.sorted().joined(separator: " or "))
        }
        return value
    }

    /// Refuses a value that is not supported, unless it is one of those that change nothing; null never does.
    func refuse(_ key: String, unless neutral: [String], changing what: String) throws(ModelError) {
        let value = plainText(key)
        guard has(key), !neutral.contains(value) else { return }
        let allowed = neutral.isEmpty ? "" : "set it to \(neutral.joined(separator: " or ")), or "
        let advice =
            Self.advice[key] ?? "\(allowed)take it out if \(what) without it are what you want"
        throw ModelError(
            .malformedConfiguration,
            "\(prefix)\(key) is \(value.prefix(60)), which changes \(what) and is not supported; \(advice)", at: path)
    }

    /// Throws if the object holds a key that would change something and is not supported, or of which `standing` knows nothing;
    /// keys that begin with an underscore are the libraries' own notes.
    func check(changing what: String, by standing: (String) -> SettingStanding?) throws(ModelError) {
        for key in names where has(key) && !key.hasPrefix("_") {
            switch standing(key) {
            case .obeyed, .chosenByTheBatch, .withoutEffect: continue
            case .refusedUnless(let neutral): try refuse(key, unless: neutral, changing: what)
            case nil: throw unknown(key, changing: what)
            }
        }
    }

    /// The error for an unknown key.
    func unknown(_ key: String, changing what: String) -> ModelError {
        ModelError(
            .malformedConfiguration,
            "\(prefix)\(key) is no setting of transformers 4.57 that this program knows, so it may change "
                + "\(what); take it out if it does not", at: path)
    }

    /// Advice for keys whose removal would not help.
    private static let advice = [
        "quantization_config":
            "take the checkpoint in fp16 or bf16: weights: int8, or int4, makes it as small here",
        "compression_config":
            "take the checkpoint in fp16 or bf16: weights: int8, or int4, makes it as small here",
        "mm_patch_merge_type":
            "this is LLaVA-NeXT (1.6), whose image_aspect_ratio is anyres",
        "image_grid_pinpoints": "this is LLaVA-NeXT (1.6), whose config.json says llava_next",
        "aspect_ratio_setting": "this is LLaVA-NeXT (1.6), whose config.json says llava_next",
    ]

    /// Throws if an object has keys besides these.
    func allow(only keys: Set<String>) throws(ModelError) {
        for key in names where has(key) && !keys.contains(key) { throw unknown(key, changing: "results") }
    }

    func wrong(_ key: String, _ expected: String) -> ModelError {
        let found = values[key].map { "\($0)" } ?? "nothing"
        return ModelError(
            .malformedConfiguration, "\(prefix)\(key) is \(found.prefix(60)); expected \(expected)", at: path)
    }
}
