import Foundation

/// One sheet of an Excel workbook (ECMA-376), which MMBench's server takes uploads as.
struct Spreadsheet {
    /// What a cell holds.
    enum Cell: Hashable {
        case empty
        case number(Int)
        case text(String)
    }

    /// The first row.
    let headings: [String]
    /// The rows below it.
    var rows: [[Cell]] = []

    init(headings: [String]) { self.headings = headings }

    /// The bytes of the `.xlsx` file.
    func file() -> Data {
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        let package = "http://schemas.openxmlformats.org/package/2006"
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        let type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        var archive = StoredArchive()
        func add(_ path: String, _ xml: String) {
            archive.add(path, Data((#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"# + "\n" + xml).utf8))
        }
        add(
            "[Content_Types].xml",
            """
            <Types xmlns="\(package)/content-types">\
            <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
            <Default Extension="xml" ContentType="application/xml"/>\
            <Override PartName="/xl/workbook.xml" ContentType="\(type).sheet.main+xml"/>\
            <Override PartName="/xl/worksheets/sheet1.xml" ContentType="\(type).worksheet+xml"/></Types>
            """)
        add(
            "_rels/.rels",
            """
            <Relationships xmlns="\(package)/relationships">\
            <Relationship Id="rId1" Type="\(relations)/officeDocument" Target="xl/workbook.xml"/></Relationships>
            """)
        add(
            "xl/workbook.xml",
            """
            <workbook xmlns="\(main)" xmlns:r="\(relations)">\
            <sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>
            """)
        add(
            "xl/_rels/workbook.xml.rels",
            """
            <Relationships xmlns="\(package)/relationships">\
            <Relationship Id="rId1" Type="\(relations)/worksheet" Target="worksheets/sheet1.xml"/></Relationships>
            """)
        let all = [headings.map { Cell.text($0) }] + rows
        let lines = all.enumerated().map { number, cells in
            "<row r=\"\(number + 1)\">\(cells.enumerated().map { Self.xml($1, column: $0, row: number + 1) }.joined())</row>"
        }
        add(
            "xl/worksheets/sheet1.xml",
            "<worksheet xmlns=\"\(main)\"><sheetData>\(lines.joined())</sheetData></worksheet>")
        return archive.file()
    }

    /// One cell; a sheet of ours has at most 26 columns.
    private static func xml(_ cell: Cell, column: Int, row: Int) -> String {
        let place = "\(Character(Unicode.Scalar(UInt8(0x41 + column))))\(row)"
        return switch cell {
        case .empty: ""
        case .number(let number): "<c r=\"\(place)\"><v>\(number)</v></c>"
        case .text(let text):
            "<c r=\"\(place)\" t=\"inlineStr\"><is><t xml:space=\"preserve\">\(escaped(text))</t></is></c>"
        }
    }

    /// Text inside an element; characters that XML forbids become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            case "\r": result += "&#13;"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
