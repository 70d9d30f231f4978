// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let nio = (
    core: Target.Dependency.product(name: "NIOCore", package: "swift-nio"),
    posix: Target.Dependency.product(name: "NIOPosix", package: "swift-nio"),
    embedded: Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio"),
    http1: Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio"),
    tls: Target.Dependency.product(name: "NIOTLS", package: "swift-nio"),
    ssl: Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
)
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "switchboard",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "switchboard", targets: ["Switchboard"]),
        .library(name: "SwitchboardClient", targets: ["SwitchboardClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // The domain.
        .target(
            name: "Hub",
            dependencies: [nio.core, logging, .product(name: "Collections", package: "swift-collections")],
            swiftSettings: strict),

        // One target per wire grammar.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "WireJSON", dependencies: [nio.core], path: "Sources/Wire/JSON", swiftSettings: strict),
        .target(
            name: "WireWebSocket", dependencies: [nio.core, "CZlib"], path: "Sources/Wire/WebSocket",
            swiftSettings: strict),

        // Ports.
        .target(
            name: "StoreSQLite",
            dependencies: ["Hub", "WireJSON", nio.core, logging, .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),

        // Front doors.
        .target(
            name: "GatewayKit",
            dependencies: [
                "Hub", "WireJSON", "WireWebSocket", nio.core, nio.posix, nio.http1, nio.tls, nio.ssl, logging,
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .target(
            name: "ClientAPI",
            dependencies: [
                "Hub", "GatewayKit", "WireJSON", "WireWebSocket", nio.core, logging,
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "Sources/Gateways/ClientAPI", swiftSettings: strict),

        // Programs.
        .target(
            name: "SwitchboardClient",
            dependencies: [
                "WireJSON", "WireWebSocket", nio.core, nio.posix, nio.ssl, logging,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            path: "Sources/Client", swiftSettings: strict),
        .executableTarget(
            name: "Switchboard",
            dependencies: [
                "Hub", "StoreSQLite", "GatewayKit", "ClientAPI", "SwitchboardClient", "WireJSON",
                nio.core, nio.posix, nio.http1, nio.ssl, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        // Tests.
        .target(
            name: "TestKit", dependencies: ["Hub", nio.core, nio.embedded, logging], swiftSettings: strict),
        .testTarget(
            name: "HubTests", dependencies: ["Hub", "TestKit", nio.embedded, nio.posix], swiftSettings: strict),
        .testTarget(name: "WireJSONTests", dependencies: ["WireJSON"], swiftSettings: strict),
        .testTarget(name: "WireWebSocketTests", dependencies: ["WireWebSocket"], swiftSettings: strict),
        .testTarget(
            name: "StoreSQLiteTests",
            dependencies: ["StoreSQLite", "TestKit", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .testTarget(
            name: "GatewayKitTests",
            dependencies: [
                "GatewayKit", "TestKit", nio.embedded, nio.posix,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ClientAPITests", dependencies: ["ClientAPI", "TestKit", nio.embedded], swiftSettings: strict),
        .testTarget(
            name: "SwitchboardTests",
            dependencies: ["Switchboard", "TestKit", .product(name: "AsyncHTTPClient", package: "async-http-client")],
            swiftSettings: strict),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "Hub", "StoreSQLite", "GatewayKit", "ClientAPI", "TestKit", "WireJSON", nio.core, nio.posix, nio.http1,
                logging,
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Interop", resources: [.copy("plays")], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
