import Foundation
import Testing

@testable import StoreSQLite
import TestKit

/// The promises of every store, kept by this one, and by the one that it is compared with.
@Suite struct StoreContractTests {
    @Test(arguments: StoreContract.all) func memoryKeeps(_ promise: StoreContract) throws {
        try promise.check(MemoryStore())
    }

    @Test(arguments: StoreContract.all) func sqliteKeeps(_ promise: StoreContract) throws {
        try TemporaryDirectory.use { path in
            // Not synced: the contract is about what is read, and takes thousands of transactions.
            var options = SQLiteStore.Options()
            options.synchronous = .off
            let store = try SQLiteStore.open(directory: path, options: options)
            try promise.check(store)
            try store.close()
        }
    }
}
