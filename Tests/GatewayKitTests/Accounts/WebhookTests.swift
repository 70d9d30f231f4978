import Hub
import NIOCore
import Synchronization
import TestKit
import Testing
import WireJSON

@testable import GatewayKit

/// Outgoing and incoming webhooks (W7), with a network that answers as a test says. The real one: SwitchboardTests.
@Suite struct WebhookTests {
    // MARK: Going out

    @Test func eventsAreCalledInOrderSignedAndOnce() async throws {
        try await withWebhookBench { bench in
            let hook = try await bench.outgoing()
            for number in 0..<120 { try await bench.post("m\(number)") }
            let calls = try await bench.network.wait(for: 120)
            #expect(calls.map(\.text) == (0..<120).map { "m\($0)" })
            #expect(Set(calls.map(\.id)).count == 120)
            let secret = try #require(WebhookSignature.Secret(parsing: hook.secret))
            let signature = try #require(WebhookSignature(secrets: [secret]))
            for call in calls {
                try signature.verify(
                    .init(id: call.id, timestamp: call.timestamp, signature: call.signature), body: call.body,
                    now: bench.accounts.clock.now.rawValue / 1_000)
                #expect(call.address == "203.0.113.5:443" && call.url == "https://hooks.shop.com/…")
            }
        }
    }

    @Test func aRefusedCallIsRepeatedUnderItsIdBeforeTheNext() async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            bench.network.answer(with: [500, 429, 302, nil])
            try await bench.post("one")
            try await bench.post("two")
            let calls = try await bench.network.wait(for: 6)
            #expect(calls.map(\.text) == ["one", "one", "one", "one", "one", "two"])
            #expect(Set(calls.prefix(5).map(\.id)).count == 1)
            // 5, 10, 20 and 40 seconds, half of it more or less.
            let pauses = bench.pauses
            #expect(pauses.count == 4)
            for (pause, base) in zip(pauses, [5_000, 10_000, 20_000, 40_000]) {
                #expect((base / 2..<base * 3 / 2).contains(Int(pause)))
            }
        }
    }

    @Test func backOffGrowsToAnHourAndStaysApart() {
        #expect(WebhookTiming.delay(failures: 1, random: 0) == 2_500)
        #expect(WebhookTiming.delay(failures: 40, random: 0) == 1_800_000)
        #expect(WebhookTiming.delay(failures: .max, random: .max) < 5_400_000)
        let delays = Set((0..<100).map { WebhookTiming.delay(failures: 3, random: $0 &* 0x9E37_79B9_7F4A_7C15) })
        #expect(delays.count > 90)
    }

    @Test func afterADayAnEventIsGivenUp() async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            bench.network.answer(with: Array(repeating: 500, count: 3))
            // Each pause is nine hours long.
            bench.onPause { $0.advance(seconds: 9 * 3_600) }
            try await bench.post("stale")
            _ = try await bench.network.wait(for: 3)
            try await bench.post("fresh")
            let calls = try await bench.network.wait(for: 4)
            #expect(calls.map(\.text) == ["stale", "stale", "stale", "fresh"])
        }
    }

    @Test func oneSlowTargetDelaysNoOther() async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing("https://slow.shop.com/")
            bench.network.hold("https://slow.shop.com/…")
            _ = try await bench.outgoing("https://quick.shop.com/")
            for number in 0..<20 { try await bench.post("q\(number)") }
            let isServed: @Sendable ([ScriptedNetwork.Call]) -> Bool = { calls in
                calls.filter { $0.url == "https://quick.shop.com/…" && $0.text != "membership" }.count == 20
            }
            let calls = try await bench.network.wait(until: isServed)
            #expect(isServed(calls))
            #expect(calls.filter { $0.url == "https://slow.shop.com/…" }.count == 1)
        }
    }

    @Test func nothingIsSentThatTheBotMayNoLongerSee() async throws {
        try await withWebhookBench { bench in
            let hook = try await bench.outgoing()
            try await bench.post("before")
            _ = try await bench.network.wait(for: 1)
            _ = try await bench.hub.submit(
                .conversation(bench.garden, .ban(hook.bot.id, reason: nil)), by: bench.owner.actor, token: nil)
            try await bench.post("behind closed doors")
            let calls = try await bench.network.wait(for: 2)
            // Its own removal is visible to it, and the last that is.
            #expect(calls.map(\.text) == ["before", "membership"])
            try await Task.sleep(for: .milliseconds(50))
            #expect(bench.network.calls.count == 2)
        }
    }

    /// What was redacted while the target was down is not in the repeated call.
    @Test func whatWasErasedMeanwhileIsNotSent() async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            bench.network.answer(with: [500])
            let posted = Mutex<EventID?>(nil)
            let (hub, garden, owner) = (bench.hub, bench.garden, bench.owner)
            bench.onPause { _ in
                guard let id = posted.withLock({ $0 }) else { return }
                _ = try? await hub.submit(
                    .conversation(garden, .redact(target: id, reason: nil)), by: owner.actor, token: nil)
            }
            bench.network.hold("https://hooks.shop.com/…")
            let event = try await bench.post("my password is 1234").event
            posted.withLock { $0 = event?.id }
            _ = try await bench.network.wait(for: 1)
            bench.network.release()
            let calls = try await bench.network.wait(for: 3)
            #expect(calls.map(\.text) == ["my password is 1234", "erased", "redaction"])
        }
    }

    @Test func aRestartGoesOnWhereItStopped() async throws {
        let bench = try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            try await bench.post("one")
            _ = try await bench.network.wait(for: 1)
        }
        try await withWebhookBench(continuing: bench) { later in
            try await later.post("two")
            let calls = try await later.network.wait(for: 1)
            // The last call may come again, under its id; none is left out.
            #expect(calls.map(\.text).last == "two")
            #expect(calls.dropLast().allSatisfy { $0.text == "one" })
        }
    }

    @Test func aDeletedWebhookIsCalledNoMore() async throws {
        try await withWebhookBench { bench in
            let hook = try await bench.outgoing()
            bench.network.hold("https://hooks.shop.com/…")
            try await bench.post("one")
            try await bench.post("two")
            _ = try await bench.network.wait(for: 1)
            try await bench.service.delete(hook.webhook.id, by: .operator)
            bench.network.release()
            try await bench.post("three")
            try await Task.sleep(for: .milliseconds(50))
            #expect(bench.network.calls.count == 1)
            #expect(try await bench.service.webhooks(by: .operator).isEmpty)
        }
    }

    /// Whatever the service believes: a worker asks for itself.
    @Test func aWorkerEndsWhenItsWebhookIsGone() async throws {
        try await withWebhookBench { bench in
            let hook = try await bench.outgoing()
            try await bench.post("one")
            _ = try await bench.network.wait(for: 1)
            // The service does not see which webhooks there are.
            bench.accounts.directory.breakDown(at: "webhooks")
            try await bench.service.delete(hook.webhook.id, by: .operator)
            try await bench.post("two")
            try await Task.sleep(for: .milliseconds(50))
            #expect(bench.network.calls.map(\.text) == ["one"])
        }
    }

    @Test func theServiceEndsWithItsHub() async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            bench.network.answer(with: Array(repeating: 500, count: 1_000))
            try await bench.post("one")
            _ = try await bench.network.wait(for: 2)
            bench.hub.shutdown()
            #expect(await eventually { bench.hasEnded })
        }
    }

    // MARK: Private addresses

    @Test(arguments: [
        "http://hooks.shop.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://0x7f.1/",
        "https://169.254.169.254/latest", "https://localhost/", "https://printer.local/", "https://[::ffff:10.0.0.1]/",
        "https://user:pass@hooks.shop.com/", "https://hooks.shop.com:22/", "ftp://hooks.shop.com/", "nonsense",
    ])
    func addressesThatAreNotTheInternetAreRefusedAtOnce(url: String) async throws {
        try await withWebhookBench { bench in
            let refused = await outcome { () throws(Rejection) in
                try await bench.service.add(to: bench.garden, url: url, bot: nil, by: .operator)
            }
            #expect(refused.code == .invalidValue)
        }
    }

    /// A name that leads inside: the connection is not made, whatever the look-up says, and it is asked once per call.
    @Test(arguments: ["127.0.0.1", "192.168.1.1", "::1", "fd00::1", "64:ff9b::10.0.0.1", "169.254.169.254"])
    func aNameThatLeadsInsideIsNotCalled(address: String) async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            bench.network.resolve(to: [address])
            let paused = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(2))
            bench.onPause { _ in paused.continuation.yield() }
            try await bench.post("one")
            for await _ in paused.stream.prefix(2) {}
            #expect(bench.network.calls.isEmpty)
        }
    }

    @Test func ofSeveralAddressesAPermittedOneIsUsed() async throws {
        try await withWebhookBench { bench in
            _ = try await bench.outgoing()
            bench.network.resolve(to: ["10.0.0.1", "203.0.113.9", "203.0.113.5"])
            try await bench.post("one")
            #expect(try await bench.network.wait(for: 1).map(\.address) == ["203.0.113.9:443"])
            #expect(bench.network.lookUps == 1)
        }
    }

    // MARK: Coming in

    @Test func anAddressPostsAsItsBotAndOpensNothingElse() async throws {
        try await withWebhookBench { bench in
            let hook = try await bench.service.add(to: bench.garden, url: nil, bot: "robot", by: .operator)
            #expect(hook.url == "http://127.0.0.1:8080/v1/hooks/\(hook.secret)")
            #expect(hook.bot.address.handle.text == "robot")
            let draft = Draft(body: Body(text: "build is green"))
            let first = try await bench.service.post(draft, ref: Token("r1"), token: hook.secret)
            let again = try await bench.service.post(draft, ref: Token("r1"), token: hook.secret)
            #expect(again.isRepeat && again.event == first.event)
            #expect(await bench.accounts.actor(hook.secret).code == .unauthenticated)
            let event = try #require(first.event)
            let entry = try #require(try bench.accounts.store.entry(event.id, in: bench.garden))
            #expect(entry.event.author.address.handle.text == "robot")
        }
    }

    @Test func anIncomingWebhookEnds() async throws {
        try await withWebhookBench { bench in
            let hook = try await bench.service.add(to: bench.garden, url: nil, bot: nil, by: .operator)
            let draft = Draft(body: Body(text: "x"))
            let post = { @Sendable (token: String) async -> Rejection.Code? in
                await outcome { () throws(Rejection) in
                    try await bench.service.post(draft, ref: nil, token: token)
                }.code
            }
            // The bot's own token may change; the webhook's is another.
            _ = try await bench.accounts.service.renewToken(ofBot: hook.bot.id, by: .operator)
            #expect(await post(hook.secret) == nil)
            #expect(await post(TokenSecret.generate(.webhook).reveal()) == .notFound)
            #expect(await post("nonsense") == .notFound)
            _ = try await bench.accounts.service.change(
                hook.bot.id, disabled: true, administrator: nil, by: .operator)
            #expect(await post(hook.secret) == .notFound)
            _ = try await bench.accounts.service.change(
                hook.bot.id, disabled: false, administrator: nil, by: .operator)
            #expect(await post(hook.secret) == nil)
            try await bench.service.delete(hook.webhook.id, by: .operator)
            #expect(await post(hook.secret) == .notFound)
        }
    }

    @Test func inABroadcastAnIncomingWebhookMaySpeak() async throws {
        try await withWebhookBench { bench in
            let news = try await bench.hub.submit(
                .create(NewConversation(kind: .broadcast, handle: Handle("news"), access: .private)),
                by: bench.owner.actor, token: nil
            ).conversation
            let hook = try await bench.service.add(to: news, url: nil, bot: nil, by: .operator)
            _ = try await bench.service.post(Draft(body: Body(text: "x")), ref: nil, token: hook.secret)
        }
    }

    @Test func webhooksAreForAdministrators() async throws {
        try await withWebhookBench { bench in
            let alice = try await bench.accounts.person("alice")
            let refused = await outcome { () throws(Rejection) in
                try await bench.service.add(
                    to: bench.garden, url: "https://hooks.shop.com/", bot: nil, by: .account(alice.actor))
            }
            #expect(refused.code == .forbidden)
            let person = await outcome { () throws(Rejection) in
                try await bench.service.add(to: bench.garden, url: nil, bot: "alice", by: .operator)
            }
            #expect(person.code == .notApplicable)
        }
    }
}
