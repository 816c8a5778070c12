import Foundation

/// What a reader would find wrong with the layout of a page at some width: text that is cut off, leaves its box, covers other
/// text or is too small.
public enum PageLayout {
    /// The faults of a page that may run scripts of its own; none if all of it can be read.
    ///
    /// The page is measured in a frame, which may be narrower than a window of the browser.
    ///
    /// - Parameter hash: What follows the address.
    public static func faults(_ html: String, hash: String = "", width: Int) throws -> [String] {
        let folder = try TemporaryDirectory(), page = folder.file("page.html")
        let end = html.range(of: "</body>", options: .backwards)?.lowerBound ?? html.endIndex
        let measured = html[..<end] + "<script>\n\(script)\n</script>" + html[end...]
        try Data(measured.utf8).write(to: page)
        let frame = """
            <!doctype html><body style="margin:0"><iframe src="\(page.absoluteString)#\(hash)" \
            style="border:0;width:\(width)px;height:2000px"></iframe><script>
            addEventListener("message", (event) => {
              const list = document.createElement("pre");
              list.id = "faults";
              list.textContent = event.data;
              document.body.append(list);
            });
            </script></body>
            """
        let document = try Chromium(html: frame).load(width: width + 200).document
        let mark = #"<pre id="faults">"#
        guard let start = document.range(of: mark) else {
            throw Chromium.Failure(description: "the page was not measured: \(document.suffix(400))")
        }
        let rest = document[start.upperBound...]
        let text = rest[..<(rest.range(of: "</pre>")?.lowerBound ?? rest.endIndex)]
        return text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
            .split(separator: "\n").map(String.init)
    }

    /// Measures the page when its scripts have had a second, and tells the page around it what it found.
    private static let script = #"""
        setTimeout(() => {
          const faults = new Set(), ruler = document.createElement("canvas").getContext("2d");
          const note = (fault, element, text) => faults.add(`${fault}: "${text.trim().slice(0, 60)}" in ${element.tagName.toLowerCase()}`
            + `${element.id ? `#${element.id}` : ""}.${element.getAttribute("class") || ""} of ${element.parentElement?.getAttribute("class") || ""}`);
          const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
          if (document.scrollingElement.scrollWidth > innerWidth) faults.add(`the page scrolls sideways by ${document.scrollingElement.scrollWidth - innerWidth}`);

          // Text in its boxes: whatever has a border. What is shortened on purpose, or can be scrolled to, is no fault.
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const node = walker.currentNode, owner = node.parentElement;
            if (!node.data.trim() || owner.closest("script, style, noscript, title, select, svg") || !owner.checkVisibility()) continue;
            if (parseFloat(getComputedStyle(owner).fontSize) < 11) note("text is small", owner, node.data);
            const range = document.createRange();
            range.selectNodeContents(node);
            const words = range.getBoundingClientRect();
            if (!words.width) continue;
            for (let box = owner; box && box !== document.body; box = box.parentElement) {
              const style = getComputedStyle(box), frame = box.getBoundingClientRect();
              const leaves = words.right > frame.right + 1 || words.left < frame.left - 1;
              if (["auto", "scroll"].includes(style.overflowX)) {
                if (leaves && innerWidth < 500) note("text is scrolled away", owner, node.data);
                break;
              }
              if (style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") break;
              if (leaves && style.overflowX !== "visible") note("text is cut off", owner, node.data);
              else if (leaves && parseFloat(style.borderLeftWidth) && parseFloat(style.borderRightWidth)) note("text leaves its box", owner, node.data);
              else continue;
              break;
            }
          }

          for (const input of document.querySelectorAll("input[placeholder]")) {
            if (!input.checkVisibility()) continue;
            const style = getComputedStyle(input), room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            ruler.font = style.font;
            if (ruler.measureText(input.placeholder).width > room) note("placeholder is cut off", input, input.placeholder);
          }
          for (const choice of document.querySelectorAll("select")) {
            if (!choice.checkVisibility() || !choice.selectedOptions.length) continue;
            ruler.font = getComputedStyle(choice).font;
            const text = choice.selectedOptions[0].textContent;
            if (ruler.measureText(text).width > choice.clientWidth - 12) note("choice is cut off", choice, text);
          }

          // Charts: text inside, apart from other text, points and intervals; a name at each point. Lines of text have air above and below.
          for (const chart of document.querySelectorAll("svg")) {
            const frame = chart.getBoundingClientRect(), texts = [...chart.querySelectorAll("text")];
            if (!frame.width || !chart.checkVisibility()) continue;
            const boxes = texts.map((text) => { const box = text.getBoundingClientRect(); return new DOMRect(box.x, box.y + 2, box.width, box.height - 4); });
            texts.forEach((text, index) => {
              const box = boxes[index], size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
              if (size < 11) note(`text of ${size} px is small`, text, text.textContent);
              if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 2 || box.bottom > frame.bottom + 2) note("text leaves its chart", text, text.textContent);
              for (let other = index + 1; other < texts.length; other += 1)
                if (overlap(box, boxes[other])) note(`text covers "${texts[other].textContent}"`, text, text.textContent);
              for (const mark of chart.querySelectorAll(".interval, .point")) {
                const place = mark.getBoundingClientRect();
                if (overlap(box, new DOMRect(place.x - .6, place.y - .6, place.width + 1.2, place.height + 1.2))) note(`text covers ${mark.getAttribute("class")}`, text, text.textContent);
              }
            });
            const points = chart.querySelectorAll(".point").length, names = chart.querySelectorAll("text.name").length;
            if (points && points !== names && !chart.classList.contains("mark")) faults.add(`${points} points have ${names} names`);
          }
          parent.postMessage([...faults].join("\n"), "*");
        }, 1000);
        """#
}
