import Crypto
import Foundation
import GatewayKit
import Hub
import SwiftASN1
import X509

/// A certificate that the server makes for itself, in its data directory: good for trying, and for clients that are given
/// the file or compare the fingerprint.
struct SelfSigned {
    let files: TLSContextStore.Files
    /// SHA-256 of the certificate, as browsers show it.
    let fingerprint: String

    /// A new pair is made when there is none, or the old one ends within 30 days.
    static func prepare(in directory: String, serverName: String, now: Date = Date()) throws(Failure) -> SelfSigned {
        let folder = directory + "/tls"
        let files = TLSContextStore.Files(certificates: folder + "/certificate.pem", key: folder + "/key.pem")
        do {
            if let certificate = try existing(files, now) { return try SelfSigned(files, certificate) }
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
            let certificate = try make(key, serverName, now)
            try write(try key.serializeAsPEM().pemString, to: files.key)
            try write(try certificate.serializeAsPEM().pemString, to: files.certificates)
            return try SelfSigned(files, certificate)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.cannotCreate, "a certificate can't be made in \(folder): \(error)")
        }
    }

    private init(_ files: TLSContextStore.Files, _ certificate: Certificate) throws {
        self.files = files
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        fingerprint = SHA256.hash(data: serializer.serializedBytes)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
    }

    private static func existing(_ files: TLSContextStore.Files, _ now: Date) throws -> Certificate? {
        guard FileManager.default.fileExists(atPath: files.key),
            let data = FileManager.default.contents(atPath: files.certificates)
        else { return nil }
        let certificate = try Certificate(pemEncoded: String(decoding: data, as: UTF8.self))
        return certificate.notValidAfter > now.addingTimeInterval(30 * 86_400) ? certificate : nil
    }

    private static func make(_ key: Certificate.PrivateKey, _ serverName: String, _ now: Date) throws -> Certificate {
        let name = try DistinguishedName { CommonName(serverName) }
        var names: [GeneralName] = [.dnsName("localhost")]
        if serverName != "localhost" { names.append(.dnsName(serverName)) }
        names += [
            .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: Array(repeating: 0, count: 15) + [1])),
        ]
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-3_600), notValidAfter: now.addingTimeInterval(397 * 86_400),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                // Its own authority, so that a client which is given the file can trust it.
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names)
            },
            issuerPrivateKey: key)
    }

    private static func write(_ text: String, to path: String) throws {
        let fresh = path + ".new"
        guard
            FileManager.default.createFile(
                atPath: fresh, contents: Foundation.Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Failure(.cannotCreate, "\(fresh) can't be written") }
        guard rename(fresh, path) == 0 else { throw Failure(.cannotCreate, "\(path) can't be replaced") }
    }
}
