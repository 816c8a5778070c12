public import VisionLanguage

extension LLaVAConfiguration.Text {
    /// Bytes of the keys and values of one sequence: in each layer, those of the rows that its attention saw and of
    /// `decoded` tokens of the answer.
    ///
    /// Papers quote 2 · layers · d · rows numbers of 16 bits, with one length for all layers, in units of 10⁶ bytes.
    public func cacheBytes(_ rows: [LayerRows], bitsPerNumber: Int = 16, decoded: Int = 0) -> Int {
        let kept = rows.reduce(0) { $0 + $1.attention + decoded }
        return 2 * kept * keyValueHeads * headSize * bitsPerNumber / 8
    }
}
