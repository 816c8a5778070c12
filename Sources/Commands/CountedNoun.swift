/// A number with its noun, in the singular where it is one: `1 job`, `2 jobs`.
///
/// - Parameter several: The plural; the singular with an s if left out.
func counted(_ number: some BinaryInteger, _ one: String, _ several: String? = nil) -> String {
    "\(number) " + (number == 1 ? one : several ?? one + "s")
}
