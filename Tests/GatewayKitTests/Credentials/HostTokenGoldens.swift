/// Keys and tokens that other programs made: PyJWT 2 on Python's cryptography, and the examples of the standards. The keys
/// were made for these tests and sign nothing else.
enum HostTokenGoldens {
    /// Second in the middle of the PyJWT tokens' life.
    static let now: Int64 = 1_700_001_800
    static let secret = Array(UInt8(100)..<132)

    private static let claims =
        "eyJzdWIiOiJhbGljZSIsImF1ZCI6WyJzaG9wIiwiY2hhdCJdLCJpc3MiOiJodHRwczovL2hvc3QuZXhhbXBsZSIsImlhdCI6MTcw"
        + "MDAwMDAwMCwibmJmIjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDAsIm5hbWUiOiJBbGljZSBcdTAwYzRyZ2VyIiwicGljdHVy"
        + "ZSI6Imh0dHBzOi8vaG9zdC5leGFtcGxlL2EucG5nIiwiZ3Vlc3QiOmZhbHNlfQ"

    static let hs256 =
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImhzLTEiLCJ0eXAiOiJKV1QifQ." + claims
        + ".GzbhZdZYXHlbAKgks-2Mxiutq7_X5cJKnbeYJoZNoTw"
    static let es256 =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjLTEiLCJ0eXAiOiJKV1QifQ." + claims
        + ".uvAmqKBD8eCCjvceIHMz7mvcNxdp-C31r_6_yCzMJB54EvxkzMK8_u9KG8L_sWuYbj3edwQGMwscYwfj5HfbLw"
    static let edDSA =
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkLTEiLCJ0eXAiOiJKV1QifQ." + claims
        + ".mdeQnlRvxQ_3Pubjy0PYexKfEplUmahvL4IQNAHbfOQRcXkIUF4Kx14lVDCGKqNW9mGAMM9Uura1HOVzimjmBQ"

    static let keySet = #"""
        {"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "ec-1", "use": "sig", "alg": "ES256",
             "x": "nmIeePtv0OzaOxqfnwUvlWi95JiGK3mQ0mJeMu0UyAg", "y": "pzkZGgV3qhV6zE-YheYKyF5SmEOI7klYkb8n4pZrAiY"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed-1", "x": "OjMEXaq39zwdNEBw5cBawAVY_7F3fzIKnrhWQgY2AgQ"},
            {"kty": "RSA", "kid": "rsa-1", "n": "AQAB", "e": "AQAB", "alg": "RS256"},
            {"kty": "EC", "crv": "P-384", "kid": "ec-2", "x": "AA", "y": "AA"},
            {"kty": "EC", "crv": "P-256", "kid": "enc-1", "use": "enc", "x": "AA", "y": "AA"},
            {"kty": 7}, 8, null
        ]}
        """#

    static let p256PEM = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnmIeePtv0OzaOxqfnwUvlWi95JiG
        K3mQ0mJeMu0UyAinORkaBXeqFXrMT5iF5grIXlKYQ4juSViRvyfilmsCJg==
        -----END PUBLIC KEY-----

        """
    static let ed25519PEM = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAOjMEXaq39zwdNEBw5cBawAVY/7F3fzIKnrhWQgY2AgQ=
        -----END PUBLIC KEY-----
        """

    // MARK: Published examples

    private static let exampleClaims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    /// RFC 7515 appendix A.1.
    static let rfc7515A1 =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + exampleClaims + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let rfc7515A1Key = #"""
        {"kty": "oct",
         "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
        """#
    /// RFC 7515 appendix A.3.
    static let rfc7515A3 =
        "eyJhbGciOiJFUzI1NiJ9." + exampleClaims
        + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    static let rfc7515A3Key = #"""
        {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
        """#
    /// RFC 8037 appendix A.4. Its payload is a text, not claims.
    static let rfc8037A4 =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4"
        + "iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    static let rfc8037A4Key = #"""
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        """#
}
