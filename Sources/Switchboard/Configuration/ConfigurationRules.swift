/// What several settings must say together.
enum ConfigurationRules {
    static func problems(of configuration: ServerConfiguration) -> [ConfigurationProblem] {
        var messages: [String] = []
        let tls = configuration.tls
        if tls.mode == .files, tls.certificate == nil || tls.key == nil {
            messages.append("tls.mode is files: tls.certificate and tls.key must name them")
        }
        if tls.mode != .files, tls.certificate != nil || tls.key != nil {
            messages.append("tls.certificate and tls.key are only used when tls.mode is files")
        }
        if configuration.http.bind.isEmpty, configuration.http.unix.isEmpty {
            messages.append("http.bind and http.unix are both empty: nobody could reach the server")
        }
        if configuration.proxy.header, configuration.proxy.trusted.isEmpty {
            messages.append("proxy.header is true: proxy.trusted must say which proxies may send it")
        }
        let tokens = configuration.hostTokens
        let hasKeys = tokens.keysFile != nil || tokens.keysURL != nil
        if tokens.realm != nil, tokens.audience == nil || !hasKeys {
            messages.append("host-tokens.realm needs host-tokens.audience, and keys-file or keys-url")
        }
        if tokens.realm == nil, tokens.audience != nil || tokens.issuer != nil || hasKeys {
            messages.append("host-tokens: without host-tokens.realm no tokens are taken")
        }
        if tokens.keysFile != nil, tokens.keysURL != nil {
            messages.append("host-tokens.keys-file and host-tokens.keys-url exclude each other")
        }
        if configuration.door.silence <= configuration.door.pingAfter {
            messages.append("door.silence must be longer than door.ping-after")
        }
        if configuration.drain.deadline <= configuration.drain.window {
            messages.append("drain.deadline must be longer than drain.window")
        }
        if configuration.door.outboundBudget < configuration.door.outboundBytes {
            messages.append("door.outbound-budget must not be below door.outbound-bytes")
        }
        if configuration.door.inboundBudget < configuration.door.bodyBytes {
            messages.append("door.inbound-budget must not be below door.body-bytes")
        }
        return messages.map { ConfigurationProblem(source: .whole, message: $0) }
    }

    /// The settings in which two configurations differ.
    static func differences(_ old: ServerConfiguration, _ new: ServerConfiguration) -> [Setting] {
        Settings.all.filter { $0.show(old) != $0.show(new) }
    }
}
