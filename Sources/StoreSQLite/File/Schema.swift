import GRDB

/// The tables, and how a database of an earlier version becomes one of this version.
///
/// The version is SQLite's `user_version`: the number of steps that were taken. Steps are only ever added.
struct Schema: Sendable {
    /// «SWBD»: what SQLite's `application_id` says in our files.
    static let applicationID: Int64 = 0x5357_4244
    static let current = Schema(steps: [Schema.first, Schema.spentTokens])

    /// SQL by step; the first makes an empty database ours.
    let steps: [String]

    var version: Int64 { Int64(steps.count) }

    /// Takes all steps from `version` on, in one transaction each.
    func migrate(_ db: Database, from version: Int64) throws {
        for (index, sql) in steps.enumerated().dropFirst(Int(version)) {
            try db.inTransaction(.immediate) {
                try db.execute(sql: sql)
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
                return .commit
            }
        }
    }

    static func version(of db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }

    /// Retention takes events, and not the promise that a token is good for one event: that lasts as long as its device.
    private static let spentTokens = """
        CREATE TABLE spent_tokens (
            device INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
            token TEXT NOT NULL,
            conversation INTEGER NOT NULL,
            id BLOB NOT NULL,
            sequence INTEGER NOT NULL,
            position INTEGER NOT NULL,
            time INTEGER NOT NULL,
            fingerprint INTEGER NOT NULL,
            PRIMARY KEY (device, token)
        ) STRICT, WITHOUT ROWID;
        """

    private static let first = """
        -- One row: which store this is, and how far its stream of changes has come.
        CREATE TABLE log (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            store TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            position INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE accounts (
            id INTEGER PRIMARY KEY,
            handle TEXT NOT NULL,
            server TEXT NOT NULL,               -- '' is this deployment
            kind TEXT NOT NULL,
            display_name TEXT,
            avatar TEXT,
            status_text TEXT,
            profile_position INTEGER NOT NULL DEFAULT 0,
            administrator INTEGER NOT NULL,
            disabled INTEGER NOT NULL DEFAULT 0,
            created INTEGER NOT NULL,           -- times are milliseconds since 1970
            expires INTEGER,
            deleted INTEGER NOT NULL DEFAULT 0  -- the handle stays taken
        ) STRICT;
        CREATE UNIQUE INDEX accounts_by_address ON accounts (handle, server);
        CREATE INDEX accounts_by_profile ON accounts (profile_position) WHERE profile_position > 0;

        CREATE TABLE credentials (
            account INTEGER NOT NULL REFERENCES accounts (id),
            scheme TEXT NOT NULL,
            verifier TEXT NOT NULL,
            PRIMARY KEY (account, scheme)
        ) STRICT, WITHOUT ROWID;

        -- An id is never used again: tokens of events are unique per device.
        CREATE TABLE devices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL REFERENCES accounts (id),
            name TEXT NOT NULL,
            token_hash BLOB NOT NULL UNIQUE,
            created INTEGER NOT NULL,
            last_seen INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX devices_by_account ON devices (account);

        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            handle TEXT,
            server TEXT,
            low INTEGER REFERENCES accounts (id),
            high INTEGER REFERENCES accounts (id),
            sealing TEXT,
            created INTEGER NOT NULL,
            timeline TEXT NOT NULL,             -- '0 members, 17 everyone'
            first_sequence INTEGER NOT NULL DEFAULT 1,
            last_sequence INTEGER NOT NULL DEFAULT 0,
            last_position INTEGER NOT NULL DEFAULT 0,
            pruned_through INTEGER NOT NULL DEFAULT 0,
            -- What lists show, taken from state and members.
            access TEXT NOT NULL DEFAULT 'private',
            name TEXT,
            subject TEXT,
            joined INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE UNIQUE INDEX conversations_by_address ON conversations (handle, server) WHERE handle IS NOT NULL;
        CREATE UNIQUE INDEX conversations_by_pair ON conversations (low, high, kind, ifnull(sealing, ''))
            WHERE low IS NOT NULL;
        CREATE INDEX conversations_listed ON conversations (handle) WHERE access = 'public' AND server = '';

        CREATE TABLE members (
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            account INTEGER NOT NULL REFERENCES accounts (id),
            standing TEXT NOT NULL,
            rank INTEGER NOT NULL,
            intervals TEXT NOT NULL,            -- '1-5, 9-'
            since INTEGER NOT NULL,
            PRIMARY KEY (conversation, account)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX members_by_account ON members (account, standing);

        CREATE TABLE state (
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            namespace TEXT NOT NULL,
            type TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (conversation, namespace, type, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX state_of_retention ON state (conversation) WHERE namespace = '' AND type = 'retention';

        -- The state as it was before the first event that is still kept.
        CREATE TABLE state_before (
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            namespace TEXT NOT NULL,
            type TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (conversation, namespace, type, key)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE events (
            position INTEGER PRIMARY KEY,
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            sequence INTEGER NOT NULL,
            id BLOB NOT NULL,
            author INTEGER NOT NULL REFERENCES accounts (id),
            device INTEGER,                     -- outlives the device
            time INTEGER NOT NULL,
            kind INTEGER NOT NULL,              -- 1 message, 2 edit, 3 redaction, 4 reaction, 5 pin, 6 membership,
                                                -- 7 state, 8 call, 9 sealed, 10 custom
            token TEXT,
            fingerprint INTEGER,
            target INTEGER,                     -- the event that it is about, or that it replies to
            target_id BLOB,
            thread INTEGER,                     -- the thread's root
            thread_id BLOB,
            erased INTEGER NOT NULL DEFAULT 0,
            edited INTEGER,                     -- the newest edit
            subject INTEGER REFERENCES accounts (id),  -- whose membership it changes
            text TEXT,
            detail TEXT,                        -- JSON
            bytes BLOB                          -- of a sealed body
        ) STRICT;
        -- All that counting and paging need, and, as every index, the position at its end. A sequence is given once
        -- because it must be the next one; a unique index would be a second place to write per event.
        CREATE INDEX events_in_order ON events (conversation, sequence, kind, erased, author);
        CREATE UNIQUE INDEX events_by_id ON events (id);
        CREATE UNIQUE INDEX events_by_token ON events (device, token) WHERE token IS NOT NULL AND device IS NOT NULL;
        CREATE INDEX events_by_thread ON events (conversation, thread, sequence, erased) WHERE thread IS NOT NULL;
        CREATE INDEX events_that_edit ON events (conversation, target, sequence) WHERE kind = 2 AND erased = 0;
        CREATE INDEX events_of_state ON events (conversation, sequence) WHERE kind = 7;
        CREATE INDEX events_by_subject ON events (subject) WHERE subject IS NOT NULL;

        CREATE TABLE mentions (
            account INTEGER NOT NULL REFERENCES accounts (id),
            conversation INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            author INTEGER NOT NULL,
            PRIMARY KEY (account, conversation, sequence)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX mentions_by_event ON mentions (conversation, sequence);

        CREATE TABLE reactions (
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            target INTEGER NOT NULL,
            key TEXT NOT NULL,
            account INTEGER NOT NULL REFERENCES accounts (id),
            sequence INTEGER NOT NULL,
            PRIMARY KEY (conversation, target, key, account)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE pins (
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            target INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (conversation, target)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE receipts (
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            account INTEGER NOT NULL REFERENCES accounts (id),
            thread INTEGER NOT NULL,            -- the thread's root, or 0
            delivered INTEGER NOT NULL,
            read INTEGER NOT NULL,
            position INTEGER NOT NULL,
            time INTEGER NOT NULL,
            PRIMARY KEY (conversation, account, thread)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX receipts_by_position ON receipts (conversation, position);

        CREATE TABLE reports (
            id INTEGER PRIMARY KEY,
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            target INTEGER NOT NULL,
            target_id BLOB NOT NULL,
            reporter INTEGER NOT NULL REFERENCES accounts (id),
            reason TEXT NOT NULL,
            time INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE links (
            hash BLOB PRIMARY KEY,
            purpose TEXT NOT NULL,
            account INTEGER REFERENCES accounts (id),
            conversations TEXT NOT NULL,        -- JSON
            expires INTEGER NOT NULL,
            uses INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE webhooks (
            id TEXT PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES accounts (id),
            conversation INTEGER NOT NULL REFERENCES conversations (id),
            direction TEXT NOT NULL,
            url TEXT,
            secret BLOB,
            token_hash BLOB,
            created INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE followers (
            name TEXT PRIMARY KEY,
            position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE secrets (
            name TEXT PRIMARY KEY,
            bytes BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
