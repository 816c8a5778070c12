import Foundation

/// Published results of LLaVA-1.5 with fewer visual tokens, as papers print them.
///
/// None of these numbers is ours, and none is ever shown as if it were.
public enum PublishedResults {
    /// All rows, table by table.
    public static let rows: [PublishedRow] = tables.flatMap(\.rows)

    private struct Table {
        let model: ModelSize
        let source: String
        let columns: [BenchmarkColumn]
        let lines: String

        /// Columns of a line: method, cost, origin (`o` own, `c` copied, `r` re-run; `t` trained), then the numbers.
        var rows: [PublishedRow] {
            lines.split(separator: "\n").map { line in
                let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                let numbers = cells[3].split(separator: " ").map { Double($0) }
                precondition(numbers.count == columns.count, "\(source): \(line)")
                let origin: PublishedRow.Origin =
                    cells[2].contains("o") ? .own : cells[2].contains("r") ? .rerun : .copied
                return PublishedRow(
                    model: model, source: source, method: cells[0], label: cells[1], origin: origin,
                    isTrained: cells[2].contains("t"),
                    values: Dictionary(
                        zip(columns, numbers).compactMap { column, number in number.map { (column, $0) } }
                    ) {
                        first, _ in first
                    })
            }
        }
    }

    private static let tables = [
        Table(
            model: .sevenBillion, source: "FiCoCo v4, table 1",
            columns: [.sqa, .textVQA, .pope, .gqa, .mmBench, .vqaV2],
            lines: """
                LLaVA-1.5-7B | 8.5 T | c | 69.5 58.2 86.4 62.5 66.1 79.1
                ToMe | 3.3 T | c | 65.2 52.1 72.4 54.3 60.5 68.0
                FastV | 3.3 T | c | 67.3 52.5 64.8 52.7 61.2 67.1
                SparseVLM | 3.3 T | c | 69.1 56.1 83.6 57.6 62.5 75.6
                PDrop | 3.3 T | c | 68.8 56.1 82.3 57.1 63.2 75.1
                PruMerge | 3.3 T | c | 67.9 54.3 71.3 54.3 59.6 70.6
                FiCoCo-V | 3.3 T | o | 67.8 55.7 82.5 58.5 62.3 74.4
                FiCoCo-L | 3.3 T | o | 69.6 56.6 84.6 61.1 64.6 76.8
                ToMe | 2.5 T | c | 59.6 49.1 62.8 52.4 53.3 63.0
                FastV | 2.5 T | c | 60.2 50.6 59.6 49.6 56.1 61.8
                SparseVLM | 2.5 T | c | 67.1 54.9 80.5 56.0 60.0 73.8
                PDrop | 2.5 T | c | 68.3 55.1 82.3 56.0 61.1 72.9
                PruMerge | 2.5 T | c | 67.1 54.3 67.2 53.3 58.1 68.8
                FiCoCo-V | 2.4 T | o | 68.3 55.6 82.2 57.6 61.1 73.1
                FiCoCo-L | 2.4 T | o | 69.4 56.3 84.4 60.6 61.9 73.4
                ToMe | 1.6 T | c | 50.0 45.3 52.5 48.6 43.7 57.1
                FastV | 1.6 T | c | 51.1 47.8 48.0 46.1 48.0 61.8
                SparseVLM | 1.5 T | c | 62.2 51.8 75.1 52.4 56.2 68.2
                PDrop | 1.6 T | c | 68.6 45.9 55.9 41.9 33.3 69.2
                PruMerge | 1.5 T | c | 68.1 54.0 65.3 51.9 55.3 67.4
                FiCoCo-V | 1.5 T | o | 68.4 55.5 79.8 54.9 60.2 72.1
                FiCoCo-L | 1.5 T | o | 69.5 55.7 82.1 53.2 61.5 69.7
                """),
        Table(
            model: .sevenBillion, source: "FiCoCo v4, table 8", columns: [.vizWiz, .mmVet, .mmBenchCN, .llavaWild],
            lines: """
                LLaVA-1.5-7B | 8.5 T | c | 50.0 31.6 59.3 63.7
                FiCoCo-V | 3.3 T | o | 51.5 29.7 55.3 60.4
                FiCoCo-V | 2.4 T | o | 49.4 28.2 54.3 56.6
                FiCoCo-V | 1.5 T | o | 52.4 26.8 53.0 58.6
                FiCoCo-L | 3.3 T | o | 48.7 31.4 53.6 60.3
                FiCoCo-L | 2.4 T | o | 48.4 30.1 53.5 59.4
                FiCoCo-L | 1.5 T | o | 48.2 27.4 53.3 57.3
                """),
        Table(
            model: .sevenBillion, source: "FiCoCo v1, table 3", columns: versionOne,
            lines: """
                LLaVA-1.5-7B | 8.5 T | c | 69.5 58.2 86.4 50.0 31.6 59.3 62.5 63.7 66.1 79.1
                FitPrune | 4.4 T | c | 67.8 58.2 86.5 50.4 32.8 58.4 61.5 - 64.6 78.3
                FiCoCo-V | 4.2 T | o | 67.9 55.9 84.3 51.1 30.2 55.9 58.6 58.8 62.7 76.6
                FiCoCo-L | 4.2 T | o | 69.2 57.4 84.7 49.1 30.3 53.9 61.2 61.9 65.0 77.4
                FiCoCo-VL | 4.2 T | o | 68.1 55.7 84.7 50.2 29.7 56.5 58.7 58.4 62.5 76.8
                SparseVLM | 3.3 T | c | 69.1 56.1 83.6 - - - 57.6 - 62.5 75.6
                FastV | 3.3 T | c | 67.3 52.5 64.8 - - - 52.7 - 61.2 67.1
                ToMe | 3.3 T | c | 65.2 52.1 72.4 - - - 54.3 - 60.5 68.0
                FiCoCo-V | 3.3 T | o | 67.8 55.7 82.5 51.5 29.7 55.3 58.5 60.4 62.3 74.4
                FiCoCo-L | 3.3 T | o | 69.6 56.6 84.6 48.7 31.4 53.6 61.1 60.3 64.6 76.8
                FiCoCo-VL | 3.3 T | o | 68.3 55.1 84.7 50.5 28.4 56.2 58.7 55.7 63.7 74.8
                TRIM | 2.4 T | ct | 69.1 53.7 85.3 48.1 28.0 54.9 61.4 58.7 67.4 76.4
                SparseVLM | 2.5 T | c | 67.1 54.9 80.5 - - - 56.0 - 60.0 73.8
                FastV | 2.5 T | c | 60.2 50.6 59.6 - - - 49.6 - 56.1 61.8
                ToMe | 2.5 T | c | 59.6 49.1 62.8 - - - 52.4 - 53.3 63.0
                FiCoCo-V | 2.4 T | o | 68.3 55.6 82.2 49.4 28.2 54.3 57.6 56.6 61.1 73.1
                FiCoCo-L | 2.4 T | o | 69.4 56.3 84.4 48.4 30.1 53.5 60.6 59.4 64.4 76.4
                FiCoCo-VL | 2.4 T | o | 68.2 54.9 79.5 48.9 28.1 55.5 57.7 57.6 61.9 73.9
                Honeybee | 1.6 T | ct | 67.8 50.9 84.0 47.2 27.1 55.2 59.0 59.4 57.8 74.8
                LLaMA-VID | 1.6 T | ct | 67.9 51.4 83.1 46.8 29.7 55.4 59.2 58.9 57.0 74.3
                Qwen-VL | 1.6 T | ct | 68.1 54.4 83.4 47.3 27.2 55.0 58.9 59.2 57.4 74.9
                IVTP | 1.6 T | ct | 67.8 58.2 85.7 47.9 30.5 57.4 60.4 62.8 66.1 77.8
                PyramidDrop | 1.8 T | ct | - - 86.0 - - 58.5 - - 66.1 -
                SparseVLM | 1.5 T | c | 62.2 51.8 75.1 - - - 52.4 - 56.2 68.2
                Random sampling | 1.6 T | c | 67.2 48.5 82.5 37.9 23.6 48.0 57.1 55.8 55.4 69.0
                TopK | 1.6 T | c | 66.9 52.4 83.8 47.0 26.5 55.2 58.1 59.2 55.2 72.4
                Spatial pooling | 1.6 T | c | 67.7 52.5 82.3 46.5 28.3 53.3 59.6 59.7 56.6 73.9
                EViT | 1.6 T | c | 67.7 54.7 82.8 47.0 27.3 55.7 59.4 60.0 57.8 74.1
                FastV | 1.6 T | c | 51.1 47.8 48.0 - - - 46.1 - 48.0 61.8
                ToMe | 1.6 T | c | 50.0 45.3 52.5 - - - 48.6 - 43.7 57.1
                LLaVA-PruMerge | 1.5 T | c | 67.9 53.3 76.3 - - - - - 56.8 65.9
                Recoverable Compression | 1.5 T | c | 69.0 55.3 72.0 - - - - - 57.9 70.4
                FiCoCo-V | 1.5 T | o | 68.4 55.5 79.8 52.4 26.8 53.0 57.4 58.6 60.2 74.8
                FiCoCo-L | 1.5 T | o | 69.5 55.7 84.1 48.2 27.4 53.3 60.0 57.3 64.0 75.6
                FiCoCo-VL | 1.5 T | o | 68.1 54.7 79.3 49.7 29.6 54.4 57.4 56.6 60.2 75.3
                """),
        Table(
            model: .sevenBillion, source: "EADP, one set-up for all",
            // Stars beside VizWiz mean its validation split.
            columns: [
                .vqaV2, .gqa, .vizWiz, .sqa, .textVQA, .pope, .mmePerception, .mmBench, .mmBenchCN, .mmVet,
                .vizWizValidation,
            ],
            lines: """
                FastV | 128 tokens | r | 71.3 55.3 51.9 68.7 55.6 70.0 1343.6 62.5 54.8 26.5 -
                PDrop | 128 tokens | r | 73.7 56.8 49.4 69.5 56.1 77.9 1421.9 62.1 55.0 27.1 -
                SparseVLM | 128 tokens | r | 74.9 57.0 49.7 69.3 56.0 83.3 1408.3 62.2 56.1 30.1 -
                PruMerge+ | 128 tokens | r | 74.8 58.0 53.7 68.6 54.3 83.2 1411.9 62.0 55.1 29.9 -
                VisionZip | 128 tokens | r | 75.5 57.9 51.6 68.9 55.9 84.8 1423.7 61.5 55.9 31.3 -
                DART | 128 tokens | r | 74.9 58.3 52.8 69.1 55.8 81.2 1415.1 60.7 56.0 31.1 -
                DivPrune | 128 tokens | r | 76.0 59.2 - 68.2 55.3 86.8 1405.1 61.5 54.8 30.6 57.5
                CDPruner | 128 tokens | r | 76.2 59.3 - 69.0 56.0 87.3 1431.4 62.4 54.7 32.1 57.3
                FastV | 64 tokens | r | 57.2 48.0 49.1 68.7 52.1 37.2 992.1 49.6 43.3 20.1 -
                SparseVLM | 64 tokens | r | 67.3 51.5 49.4 69.0 52.5 70.2 1192.9 58.0 49.3 25.1 -
                PruMerge+ | 64 tokens | r | 71.2 55.1 53.7 69.2 52.1 76.3 1310.5 59.2 51.6 28.0 -
                VisionZip | 64 tokens | r | 72.1 56.0 52.9 69.0 55.0 77.9 1362.2 60.3 55.0 29.0 -
                DART | 64 tokens | r | 71.9 55.2 53.5 68.7 54.3 74.3 1371.3 59.3 54.0 26.5 -
                DivPrune | 64 tokens | r | 74.1 57.5 - 68.0 54.5 85.5 1356.2 60.1 52.3 28.1 57.8
                CDPruner | 64 tokens | r | 75.0 58.6 - 68.1 54.7 87.0 1399.1 61.1 53.2 29.5 58.0
                """),
        Table(
            model: .sevenBillion, source: "run again by a later paper",
            columns: [.gqa, .mmBench, .pope, .sqa, .vqaV2, .textVQA],
            lines: """
                ToMe | 192 tokens | r | 59.5 62.6 86.9 69.0 75.9 55.8
                VisPruner | 192 tokens | r | 59.4 62.5 86.0 68.3 76.5 57.7
                VisPruner | 128 tokens | r | 58.4 62.5 85.0 69.1 75.8 57.2
                """),
        Table(
            model: .thirteenBillion, source: "FiCoCo v4, table 1",
            columns: [.sqa, .textVQA, .pope, .gqa, .mmBench, .vqaV2],
            lines: """
                LLaVA-1.5-13B | 24.9 T | c | 71.4 61.3 86.2 63.4 68.0 80.0
                FastV | 15.4 T | c | 57.0 56.0 79.3 57.7 57.9 -
                SparseVLM | 15.4 T | c | 69.9 49.9 81.1 57.9 65.8 -
                FiCoCo-V | 15.4 T | o | 72.1 57.2 82.3 59.2 63.1 76.8
                FiCoCo-L | 15.4 T | o | 72.4 58.3 83.1 60.1 65.2 77.6
                """),
        Table(
            model: .thirteenBillion, source: "FiCoCo v1, table 5", columns: versionOne,
            lines: """
                LLaVA-1.5-13B | 28.6 T | c | 71.4 61.3 86.2 54.1 36.1 63.2 63.4 70.1 68.0 80.0
                TRIM | 16.4 T | ct | 72.8 54.8 86.3 53.2 30.3 58.3 59.0 57.0 69.2 75.4
                Honeybee | 15.4 T | ct | 70.5 59.7 83.5 46.6 24.6 54.8 59.2 58.8 60.3 74.8
                LLaMA-VID | 15.4 T | ct | 70.4 57.2 83.3 50.8 26.5 58.0 61.7 62.8 60.5 76.5
                Qwen-VL | 15.4 T | ct | 70.8 56.4 84.0 51.1 27.4 54.9 61.2 64.2 61.7 77.3
                IVTP | 15.4 T | ct | 70.1 60.0 85.4 53.4 28.6 55.4 62.3 64.6 66.7 78.4
                Random sampling | 15.4 T | c | 68.0 51.5 83.3 52.9 32.7 55.4 56.7 66.0 58.0 72.3
                TopK | 15.4 T | c | 68.9 54.2 84.5 53.1 30.1 56.1 59.2 65.3 58.3 74.8
                Spatial pooling | 15.4 T | c | 69.5 55.0 84.8 54.1 33.5 57.3 59.7 68.8 60.2 75.1
                EViT | 15.4 T | c | 70.1 57.9 84.6 50.0 24.4 52.4 60.2 45.5 61.0 77.2
                ToMe | 15.4 T | c | 70.1 57.1 85.3 - - - 61.4 - 61.2 76.9
                FiCoCo-V | 15.4 T | o | 72.1 57.2 82.3 53.0 32.6 60.7 59.2 62.3 63.1 76.8
                FiCoCo-L | 15.4 T | o | 72.4 58.3 83.1 53.9 34.2 61.1 60.1 67.9 65.2 77.6
                FiCoCo-VL | 15.4 T | o | 72.0 57.2 82.1 53.2 33.1 60.3 59.4 65.9 64.6 77.3
                """),
    ]

    private static let versionOne: [BenchmarkColumn] = [
        .sqa, .textVQA, .pope, .vizWiz, .mmVet, .mmBenchCN, .gqa, .llavaWild, .mmBench, .vqaV2,
    ]
}
