import Hub
import WireJSON

/// What is remembered about a log outside of its file, so that a log which is gone, foreign or older than it was is not
/// taken for a good one.
struct StoreMarker: Equatable {
    /// The log's own random name.
    let store: String
    /// A place that the log had reached when it was last opened or closed.
    let epoch: Int64
    let position: Int64

    var json: String {
        String(
            buffer: JSONWriter.write { json in
                json.object { json in
                    json.field("store", store)
                    json.field("epoch", epoch)
                    json.field("position", position)
                }
            })
    }

    init(store: String, epoch: Int64, position: Int64) {
        self.store = store
        self.epoch = epoch
        self.position = position
    }

    init(json: String, path: String) throws(StoreError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: json)
        } catch {
            throw .damaged("\(path) is damaged: \(error)")
        }
        guard case .string(let store)? = value["store"], case .int(let epoch)? = value["epoch"],
            case .int(let position)? = value["position"]
        else { throw .damaged("\(path) is damaged: a member is missing") }
        self.init(store: store, epoch: epoch, position: position)
    }
}
