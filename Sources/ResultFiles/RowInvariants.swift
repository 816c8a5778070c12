internal import JobVocabulary

extension [Float16] {
    /// Whether there is neither an infinity, such as a number beyond 65,504 becomes, nor something that is no number.
    public var isFinite: Bool { allSatisfy { $0.bitPattern & 0x7C00 != 0x7C00 } }
}

extension ResultRow {
    /// Throws if the row contradicts itself or the header of its shard, and says how.
    package func check(against header: ShardHeader) throws(ResultFileError) {
        try require(header.methods.contains(method), "method \"\(method)\" is not in the shard's list of methods")
        try require(tokens.wentTo.count == tokens.leftAt.count, "left_at and went_to differ in length")
        try require(
            tokens.score.count == (header.trace == .full ? tokens.leftAt.count : 0),
            "left_at and score differ in length")
        try require(
            tokenLogProbs.isEmpty || tokenLogProbs.count == tokenIDs.count, "not every token has a log probability")
        try require(tokens.score.isFinite, "a score is not a finite number")
        try require(tokenLogProbs.allSatisfy(\.isFinite), "a log probability is not a finite number")
        if let features = header.features {
            try require(
                self.features.count.isMultiple(of: features.width), "features are not rows of \(features.width)")
            try require(self.features.isFinite, "features are not finite numbers")
        } else {
            try require(features.isEmpty, "features are not part of this shard")
        }
        try checkPictures()
        if status == .failed {
            try require(!error.isEmpty, "a failed job says why")
            try require(tokens.leftAt.isEmpty && kept.isEmpty && tokenIDs.isEmpty, "a failed job has no tokens")
            try require(steps.layer.isEmpty && merges.step.isEmpty && features.isEmpty, "a failed job has no steps")
            try require(segments.count == 0, "a failed job has no segments")
        } else {
            try require(tokenIDs.count == answerTokens, "\(tokenIDs.count) ids are not answer_tokens, \(answerTokens)")
            try require(merges.step.isEmpty || header.trace == .full, "merges are not part of this shard")
            guard !pictures.isEmpty else { return try checkAboutNoPicture() }
            try checkSegments()
            guard header.trace != .none else {
                return try require(tokens.leftAt.isEmpty && kept.isEmpty, "the trace is not part of this shard")
            }
            try checkTokens()
            try checkSteps()
            try checkMerges()
        }
    }

    /// A text-only job has no data of a picture, whatever the shard stores for other jobs.
    private func checkAboutNoPicture() throws(ResultFileError) {
        try require(segments.count == 0, "a text-only job has no segments")
        try require(visualTokensIn == 0 && visualTokensOut == 0, "a text-only job counts no visual tokens")
        try require(tokens.leftAt.isEmpty && kept.isEmpty, "a text-only job has no tokens")
        try require(steps.layer.isEmpty && merges.step.isEmpty, "a text-only job has no steps")
        try require(features.isEmpty, "a text-only job has no features")
    }

    /// Everything is known of each picture, or nothing but its name.
    private func checkPictures() throws(ResultFileError) {
        let lengths = [
            pictures.sha256.count, pictures.notes.count, pictures.width.count, pictures.height.count,
            pictures.orientation.count,
        ]
        try require(Set(lengths + [pictures.count]).count == 1, "what is known of the pictures differs in length")
        try require(pictures.count <= Int(UInt16.max), "\(pictures.count) pictures are too many")
        try require(!pictures.image.contains(""), "a picture has no name")
        for index in 0..<pictures.count {
            let sides = [pictures.width[index], pictures.height[index]]
            try require(sides.allSatisfy { (0...1 << 24).contains($0) }, "picture \(index) has \(sides) pixels")
            try require(
                (1...8).contains(pictures.orientation[index]),
                "picture \(index) has the orientation \(pictures.orientation[index])")
        }
    }

    /// The segments are the tiles of all pictures in their order, and number the visual tokens without a gap.
    private func checkSegments() throws(ResultFileError) {
        let s = segments
        let lengths = [
            s.tile.count, s.rows.count, s.columns.count, s.firstToken.count, s.left.count, s.top.count, s.width.count,
            s.height.count,
        ]
        try require(Set(lengths + [s.count]).count == 1, "what is known of the segments differs in length")
        var next = 0, last = (picture: -1, tile: 0)
        for index in 0..<s.count {
            let (picture, tile) = (Int(s.picture[index]), Int(s.tile[index]))
            let follows = picture == last.picture && tile == last.tile + 1 || picture == last.picture + 1 && tile == 0
            try require(follows && picture < pictures.count, "segment \(index) is out of order")
            last = (picture, tile)
            try require(s.rows[index] > 0 && s.columns[index] > 0, "segment \(index) has no patches")
            try require(Int(s.firstToken[index]) == next, "segment \(index) does not begin where the one before ends")
            next += Int(s.rows[index]) * Int(s.columns[index])
            let window = [s.left[index], s.top[index], s.width[index], s.height[index]]
            try require(
                window.allSatisfy { abs($0) < 1e9 } && window[2] >= 0 && window[3] >= 0,
                "segment \(index) shows \(window) of its picture")
        }
        try require(last.picture == pictures.count - 1, "not every picture has a segment")
        try require(
            next == visualTokensIn, "the segments have \(next) patches, not visual_tokens_in, \(visualTokensIn)")
    }

    /// Tokens kept and tokens that left are all of them, each once.
    private func checkTokens() throws(ResultFileError) {
        let count = tokens.leftAt.count
        try require(count == visualTokensIn, "\(count) tokens are not visual_tokens_in, \(visualTokensIn)")
        try require(count < Int(Tokens.discarded), "\(count) tokens are too many for 16-bit indices")
        try require(kept.count == visualTokensOut, "\(kept.count) kept are not visual_tokens_out, \(visualTokensOut)")
        let left = tokens.leftAt.count { $0 != Tokens.survived }
        try require(kept.count + left == count, "\(kept.count) kept and \(left) left are not \(count) tokens")
        var seen = [Bool](repeating: false, count: count)
        for index in kept {
            let index = Int(index)
            try require(index < count, "kept token \(index) is none of the job's")
            try require(tokens.leftAt[index] == Tokens.survived, "token \(index) is kept and left")
            try require(!seen[index], "token \(index) is kept twice")
            seen[index] = true
        }
        for target in tokens.wentTo where target != Tokens.discarded {
            try require(Int(target) < count, "went_to \(target) is none of the job's tokens")
        }
    }

    /// Every token that left did so in a step, and each step's counts agree.
    private func checkSteps() throws(ResultFileError) {
        let count = steps.layer.count
        try require(count <= Int(Tokens.leftOut), "\(count) steps are too many for 8-bit indices")
        var left = [Int](repeating: 0, count: count)
        for step in tokens.leftAt where step != Tokens.survived && step != Tokens.leftOut {
            try require(Int(step) < count, "left_at \(step) is not a step")
            left[Int(step)] += 1
        }
        for step in 0..<count {
            let counts = [steps.tokensIn[step], steps.tokensOut[step]]
            try require(counts.allSatisfy { (0...65_535).contains($0) }, "step \(step) has \(counts) tokens")
            let difference = counts[0] - counts[1]
            try require(left[step] == difference, "step \(step) removes \(difference) tokens but \(left[step]) left")
        }
    }

    /// In each step the shares of a source are 1 together, or 0.
    private func checkMerges() throws(ResultFileError) {
        let count = tokens.leftAt.count
        var sums: [UInt32: Float] = [:]
        for index in merges.step.indices {
            let source = merges.source[index]
            let isInside = Int(source) < count && Int(merges.target[index]) < count
            try require(isInside, "a merge of token \(source) is of none of the job's")
            try require(Int(merges.step[index]) < steps.layer.count, "a merge of token \(source) is in no step")
            sums[UInt32(merges.step[index]) << 16 | UInt32(source), default: 0] += Float(merges.weight[index])
        }
        for (key, sum) in sums {
            // Rounding each share to float16 changes the sum by at most half a unit in the last place, 2⁻¹¹.
            try require(
                abs(sum - 1) < 2e-3 || abs(sum) < 2e-3, "the shares of token \(key & 0xFFFF) sum to \(sum), not 1 or 0")
        }
    }

    private func require(_ holds: Bool, _ claim: @autoclosure () -> String) throws(ResultFileError) {
        guard holds else {
            throw ResultFileError(
                .invalidRow, "the result of job \(id) is inconsistent: \(claim()); record the job as failed", job: id)
        }
    }
}
