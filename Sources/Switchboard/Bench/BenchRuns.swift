import Glibc
import NIOCore
import NIOPosix
import SwitchboardClient

/// The measurements.
struct BenchRuns {
    let target: BenchTarget
    /// The generator's threads.
    let group: MultiThreadedEventLoopGroup

    /// A group with so many members, by name of its id.
    private func makeConversation(_ tokens: [String]) async throws -> String {
        guard let first = tokens.first else { throw Failure(.software, "there are no accounts") }
        let owner = try target.operations(first)
        let suffix = String(UInt32.random(in: .min ... .max), radix: 36)
        let made = try await owner.change(
            "create", ["kind": "group", "handle": .string("bench-\(suffix)"), "access": "public"])
        await owner.close()
        guard let id = made["conversation"]?.string else {
            throw ClientError.protocolViolation("no conversation in the answer")
        }
        for token in tokens.dropFirst() {
            let member = try target.operations(token)
            try await member.change("join", ["conversation": .string(id)])
            await member.close()
        }
        return id
    }

    // MARK: Durable posts

    /// How senders post.
    struct Load {
        var senders = 100
        /// The senders are spread over so many conversations; everybody in one hears each of its posts.
        var conversations = 50
        /// Posts that each sender has under way.
        var window = 1
        var bytes = 100
        var seconds = 10
    }

    func post(_ load: Load) async throws -> BenchReport {
        let tokens = try await target.accounts(load.senders)
        let rooms = min(max(load.conversations, 1), load.senders)
        var places: [String] = []
        for room in 0..<rooms {
            places.append(
                try await makeConversation(
                    stride(from: room, to: tokens.count, by: rooms).map { tokens[$0] }))
        }
        let loop = group.next()
        let crowd = try await openCrowd(load.senders, tokens, loop)
        let text = String(repeating: "x", count: max(load.bytes, 1))
        let (cpu, generator) = (target.cpuSeconds, ProcessFigures.now().cpuSeconds)
        let start = NIODeadline.now()
        let end = start + .seconds(Int64(load.seconds))
        try await loop.submit { [places] in
            for (number, connection) in crowd.value.connections.enumerated() {
                let place = places[number % places.count]
                connection.onReply = { [unowned connection] in
                    if NIODeadline.now() < end { connection.post(text, in: place) }
                }
                for _ in 0..<load.window { connection.post(text, in: place) }
            }
        }.get()
        try await Task.sleep(for: .seconds(load.seconds))
        let results = try await loop.submit {
            let connections = crowd.value.connections
            return (
                latencies: connections.flatMap(\.latencies), rejections: connections.reduce(0) { $0 + $1.rejections },
                events: connections.reduce(0) { $0 + $1.events },
                failure: connections.lazy.compactMap(\.failure).first
            )
        }.get()
        let elapsed = Double((NIODeadline.now() - start).nanoseconds) / 1_000_000_000
        var report = BenchReport(
            "durable posts: \(load.senders) senders in \(rooms) conversations, \(load.window) under way each, "
                + "\(load.bytes) bytes")
        report.add("posts", "posts", Double(results.latencies.count), "acknowledged")
        report.add("postsPerSecond", "rate", Double(results.latencies.count) / elapsed, "per second")
        report.add(latencies: results.latencies)
        report.add("deliveriesPerSecond", "heard by all", Double(results.events) / elapsed, "events per second")
        report.add("rejections", "rejected", Double(results.rejections), results.failure.map { "(\($0))" } ?? "")
        report.add(
            server: cpu.flatMap { before in target.cpuSeconds.map { $0 - before } },
            generator: ProcessFigures.now().cpuSeconds - generator)
        try await loop.submit { crowd.value.close() }.get()
        return report
    }

    private func openCrowd(
        _ count: Int, _ tokens: [String], _ loop: any EventLoop
    ) async throws -> NIOLoopBound<BenchCrowd> {
        let connector = try target.connector()
        let crowd = try await loop.submit {
            NIOLoopBound(BenchCrowd(connector, tokens: tokens, on: loop), eventLoop: loop)
        }.get()
        try await loop.flatSubmit { crowd.value.open(count) }.get()
        return crowd
    }

    // MARK: Fan-out

    func fanOut(listeners: Int, bursts: Int, burst: Int, bytes: Int) async throws -> BenchReport {
        let tokens = try await target.accounts(min(listeners, 20) + 1)
        let conversation = try await makeConversation(tokens)
        let loop = group.next()
        let crowd = try await openCrowd(listeners, Array(tokens.dropFirst()), loop)
        let sender = try await openCrowd(1, Array(tokens.prefix(1)), loop)
        let text = String(repeating: "x", count: max(bytes, 1))
        let (cpu, generator) = (target.cpuSeconds, ProcessFigures.now().cpuSeconds)
        let allocations = target.allocations
        var spent = 0.0
        for _ in 0..<bursts {
            let wanted = listeners * burst
            let start = NIODeadline.now()
            try await loop.flatSubmit {
                let promise = loop.makePromise(of: Void.self)
                var count = 0
                for connection in crowd.value.connections {
                    connection.onEvent = {
                        count += 1
                        if count == wanted { promise.succeed() }
                    }
                    connection.onClosed = { promise.fail(Failure(.unavailable, "a listener was disconnected")) }
                }
                for _ in 0..<burst { sender.value.connections.first?.post(text, in: conversation) }
                return promise.futureResult
            }.get()
            spent += Double((NIODeadline.now() - start).nanoseconds) / 1_000_000_000
        }
        let deliveries = Double(listeners * burst * bursts)
        var report = BenchReport("fan-out: \(listeners) listeners, \(bursts) bursts of \(burst) posts, \(bytes) bytes")
        report.add("deliveries", "deliveries", deliveries, "events")
        report.add("deliveriesPerSecond", "rate", deliveries / spent, "per second")
        let serverCPU = cpu.flatMap { before in target.cpuSeconds.map { $0 - before } }
        if let serverCPU { report.add("nanosecondsPerDelivery", "server CPU each", serverCPU / deliveries * 1e9, "ns") }
        if let allocations, let after = target.allocations {
            report.add("allocationsPerDelivery", "allocations each", Double(after - allocations) / deliveries, "")
        }
        report.add(server: serverCPU, generator: ProcessFigures.now().cpuSeconds - generator)
        try await loop.submit {
            for connection in crowd.value.connections { connection.onClosed = {} }
            crowd.value.close()
            sender.value.close()
        }.get()
        return report
    }

    // MARK: Idle connections

    func idle(connections count: Int) async throws -> BenchReport {
        BenchTarget.raiseFileLimit()
        let tokens = try await target.accounts(1)
        let loop = group.next()
        guard let before = target.residentBytes else {
            throw Failure(.usage, "the memory of a server is only known when it is this command's own: leave --url out")
        }
        let crowd = try await openCrowd(count, tokens, loop)
        try await Task.sleep(for: .seconds(2))
        let after = target.residentBytes ?? 0
        var report = BenchReport("idle: \(count) WebSocket sessions")
        report.add("emptyMiB", "empty server", Double(before) / 1_048_576, "MiB resident")
        report.add("fullMiB", "with all sessions", Double(after) / 1_048_576, "MiB resident")
        report.add("bytesPerSession", "each", Double(after - before) / Double(max(count, 1)), "bytes")
        try await loop.submit { crowd.value.close() }.get()
        return report
    }

    // MARK: The first screen

    func overview(conversations: Int, messages: Int, rounds: Int) async throws -> BenchReport {
        let tokens = try await target.accounts(2)
        guard let own = tokens.first, let others = tokens.last else {
            throw Failure(.software, "there are no accounts")
        }
        let (reader, writer) = (try target.operations(own), try target.operations(others))
        for number in 0..<conversations {
            let handle = "bench-\(number)-\(String(UInt32.random(in: .min ... .max), radix: 36))"
            let made = try await writer.change(
                "create", ["kind": "group", "handle": .string(handle), "access": "public"])
            let id = made["conversation"] ?? .null
            try await reader.change("join", ["conversation": id])
            for message in 0..<messages {
                try await writer.change("post", ["conversation": id, "text": .string("message \(message)")])
            }
        }
        var latencies: [Int64] = []
        for _ in 0..<rounds {
            let start = NIODeadline.now()
            let screen = try await reader.query("conversations")
            latencies.append((NIODeadline.now() - start).nanoseconds)
            guard screen["conversations"]?.array?.count ?? 0 >= conversations else {
                throw Failure(.software, "the first screen is not complete")
            }
        }
        await reader.close()
        await writer.close()
        var report = BenchReport("first screen: \(conversations) conversations, \(messages) unread messages in each")
        report.add(latencies: latencies)
        return report
    }
}
