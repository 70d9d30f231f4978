import Hub

/// What people type into a search field: no trap, bounded, and nothing but words comes through.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSearchWords(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    let query = SearchQuery(text)
    let terms = query.required + query.excluded
    precondition(terms.count <= SearchQuery.termLimit)
    for term in terms {
        precondition(!term.text.contains("\""), "a quotation mark would end a phrase in an index's grammar")
        precondition(
            term.text.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil })
    }
    precondition(SearchQuery(text) == query)
    return 0
}
