/// Compressed messages made by another program: Python 3's `zlib.compressobj(level, zlib.DEFLATED, -bits)`, flushed with
/// `Z_SYNC_FLUSH` after each message, and the last four bytes cut off.
struct DeflateGolden: Sendable {
    let windowBits: Int
    let takesContextOver: Bool
    let level: Int
    /// What each message of `messages` was compressed to.
    let compressed: [String]

    static let messages: [String] = [
        #"{"kind":"message","conversation":"garden","body":"The bees are back, all of them."}"#,
        #"{"kind":"message","conversation":"garden","body":"The bees are back? All of them?"}"#,
        #"{"kind":"message","conversation":"garden","body":""#
            + (0..<60).map { "bee \($0) of the hive" }.joined(separator: " ") + #""}"#,
        #"{"kind":"edit","conversation":"garden","body":"The bees are back, nearly all of them."}"#,
    ]

    static let all: [Self] = [
        Self(
            windowBits: 9, takesContextOver: true, level: 6,
            compressed: [
                "0c895d0a80200c80af32f61c1da0737481a94b45ddc04910d1dddbdbf7f362ab92f0c0c1669419378c2a374fa355557c"
                    + "649a89c57bd0f4b89f8521301bd074a0d836a0de412f5885c78edf0f",
                "aaa6dc487b05478491f64ab50000",
                "94cebb0dc2501444c1569ea880fb33d0113440e6de4116091a12d213ecceff93efb975fe2cacfbe3791caca024a5284d"
                    + "19ca46b950ae949bc21f68d5213b7487f0501ed2437b880ff5a93ed5a7fa549fea537daa4ff5a93ed597fa525fea4b7d"
                    + "a92ff5a5bed497fa52dfea5b7dab6ff5adbed5b7fa56dfea5bfda81ff5a37ed48ffa513fea47fda89f2ffd697f01",
                "aa56cacecc4b51b2524a4dc92c51d2514acecf2b4b2d2a4e2cc9cccf038aa62716a5a4e601c593f2532a81fc900cb031"
                    + "c50a894540466272b68e425e6a62514ea542624e0ed4e45c3da55a0000",
            ]),
        Self(
            windowBits: 9, takesContextOver: false, level: 9,
            compressed: [
                "0c895d0a80200c80af32f61c1da0737481a94b45ddc04910d1dddbdbf7f362ab92f0c0c1669419378c2a374fa355557c"
                    + "649a89c57bd0f4b89f8521301bd074a0d836a0de412f5885c78edf0f",
                "0c89cb09c0200c4057093977825ea43b7481a8a98a9f80914229ddbdb9bdcf8bb58c883b7656a5c4b8619071f3545a45"
                    + "868d4433f2b0ee253ee66766f0cc0a340d285407476b2017acccdde1f703",
                "6cce3b0e82401845e1ad4ca6b6f07ff9da0dc808c40809101263dcbb589a6379cf6dbe57bef743932ff951e6b96a4bde"
                    + "e5eb38ac659aaba51f87ed68aba929c3d6ebb1796ebb2e25edd3784b4b5752d7af257d8ba0288aa1384aa01c508e2827"
                    + "9433857fd0540bd942b7102e940be942bb102fd42bf54abd52afd42bf54abd52afd42bf54abd516fd41bf546bd516fd4"
                    + "1bf546bd516fd43bf54ebd53efd43bf54ebd53efd43bf54e7d501fd407f5417d501fd407f5417d501f3ffafcfe00",
                "0cc8c10d80200c40d1559a9e890338870b145a85806d02c4841877b7b7ffdf8bb528e38ec26562c064fa481f348ba9eb"
                    + "459d45dda3f1f23fb240141940dd83520da042bd2da0d6c04e9859ee0dbf1f",
            ]),
        Self(
            windowBits: 10, takesContextOver: true, level: 6,
            compressed: [
                "0c895d0a80200c80af32f61c1da0737481a94b45ddc04910d1dddbdbf7f362ab92f0c0c1669419378c2a374fa355557c"
                    + "649a89c57bd0f4b89f8521301bd074a0d836a0de412f5885c78edf0f",
                "aaa6dc487b05478491f64ab50000",
                "94d2b90d02301045c1562c2a602f8e8ea001327a072112344e485ff03db2f6ffc9f7dc3a7e17d6edfef83cb0829294a2"
                    + "34652827ca9972a15c156ed0aa4376e80ee1a13ca487f6101fea537d6efe5c7daa4ff5a93ed5a7fa549fea4b7da9afcd"
                    + "c9a82ff5a5bed497fa525fea5b7dab6ff5bdb978f5adbed5b7fa56dfea47fda81ff5a37ed48ffa513fea47fdfce80fcf"
                    + "1700",
                "aa56cacecc4b51b2524a4dc92c51d2514acecf2b4b2d2a4e2cc9cccf038aa62716a5a4e601c593f2532a81fc900cb031"
                    + "c50a894540466272b68e425e6a62514ea542624e0ed4e45c3da55a0000",
            ]),
        Self(
            windowBits: 12, takesContextOver: false, level: 1,
            compressed: [
                "0c895d0a80200c80af32f61c1da0737481a94b45ddc04910d1dddbdbf7f362ab92f0c0c1669419378c2a374fa355557c"
                    + "649a89c57bd0f4b89f8521301bd074a0d836a0de412f5885c78edf0f",
                "0c89cb09c0200c4057093977825ea43b7481a8a98a9f80914229ddbdb9bdcf8bb58c883b7656a5c4b8619071f3545a45"
                    + "868d4433f2b0ee253ee66766f0cc0a340d285407476b2017acccdde1f703",
                "6cce3b0e82401845e1ad4ca6b6f07ff9da0dc808c40809101263dcbb589a6379cf6dbe57bef743932ff951e6b96a4bde"
                    + "e5eb38ac659aaba51f87ed68aba929c3d6ebb1796ebb2e25edd3784b4b5752d7af257d8ba0288aa1384aa01c508e2827"
                    + "94338afc41532d640bdd42b8502ea40bed42bc50afd42bf54abd52afd42bf54abd52afd42bf546bd516fd41bf546bd51"
                    + "6fd41bf546bd51efd43bf54ebd53efd43bf54ebd53efd43bf5417d501fd407f5417d501fd407f5417dfce8f3fb03",
                "0cc8c10d80200c40d1559a9e890338870b145a85806d02c4841877b7b7ffdf8bb528e38ec26562c064fa481f348ba9eb"
                    + "459d45dda3f1f23fb240141940dd83520da042bd2da0d6c04e9859ee0dbf1f",
            ]),
        Self(
            windowBits: 15, takesContextOver: true, level: 6,
            compressed: [
                "0c895d0a80200c80af32f61c1da0737481a94b45ddc04910d1dddbdbf7f362ab92f0c0c1669419378c2a374fa355557c"
                    + "649a89c57bd0f4b89f8521301bd074a0d836a0de412f5885c78edf0f",
                "aaa6dc487b05478491f64ab50000",
                "94d3bb0d02300c40c1552226c03f3e1bc10274ec0e4234e8d2d0bec23959ceff23dfe3d6f13b61ddee8fcf032b284929"
                    + "4a538672a29c2917ca55e106ad3a6487ee101eca437a680ff1a13ed5e766e7ea537daa4ff5a93ed5a7fa545fea4b7d6d"
                    + "4e467da92ff5a5bed497fa52dfea5b7dabefcdc5ab6ff5adbed5b7fa563fea47fda81ff5b3f9b0ea47fda81ff5f3a33f"
                    + "3c5f00",
                "82174ea929992564959f79a98945399568c52800",
            ]),
        Self(
            windowBits: 15, takesContextOver: false, level: 9,
            compressed: [
                "0c895d0a80200c80af32f61c1da0737481a94b45ddc04910d1dddbdbf7f362ab92f0c0c1669419378c2a374fa355557c"
                    + "649a89c57bd0f4b89f8521301bd074a0d836a0de412f5885c78edf0f",
                "0c89cb09c0200c4057093977825ea43b7481a8a98a9f80914229ddbdb9bdcf8bb58c883b7656a5c4b8619071f3545a45"
                    + "868d4433f2b0ee253ee66766f0cc0a340d285407476b2017acccdde1f703",
                "6cd3cb0ac2301040d15f0959bb705ebefea6b5518bd8425b0411ffddba949be5dc6c0e61e69deffdd0e5537e94796eae"
                    + "256ff2791c9e659a9ba51f87f5e1da4c5d19d6de8edd6b9ddb52d2368d97b4dc4abaf5cf927e455014c5501c25507628"
                    + "7b9403ca91c20a9a6a215be816c28572215d6817e2857aa55e2b7f4ebd52afd42bf54abd52afd42bf546bd516f9595a1"
                    + "dea837ea8d7aa3dea837ea9d7aa7dea9f7cac653efd43bf54ebd53efd407f5417d501fd447e560a90fea83faa03efef4"
                    + "f9f305",
                "0cc8c10d80200c40d1559a9e890338870b145a85806d02c4841877b7b7ffdf8bb528e38ec26562c064fa481f348ba9eb"
                    + "459d45dda3f1f23fb240141940dd83520da042bd2da0d6c04e9859ee0dbf1f",
            ]),
    ]
}
