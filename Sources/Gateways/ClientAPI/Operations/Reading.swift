extension Operations {
    static let reading: [Operation] = []
}
