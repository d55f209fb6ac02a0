-- Channels that become spaces, each by one `spaces.create` that can be repeated.

CREATE TABLE channels (
    id           INTEGER PRIMARY KEY,
    name         TEXT    NOT NULL UNIQUE,   -- what the memberships' input calls it
    display_name TEXT    NOT NULL,          -- as asked for
    made_as      TEXT    NOT NULL,          -- the same, or with a suffix
    suffix       INTEGER NOT NULL DEFAULT 0,
    space_type   TEXT    NOT NULL,
    create_time  INTEGER,                   -- NULL: now
    description  TEXT,
    external     INTEGER NOT NULL,
    request_id   TEXT    NOT NULL UNIQUE,   -- the same id makes the same space only once
    source       TEXT    NOT NULL,
    line         INTEGER NOT NULL,
    state        INTEGER NOT NULL,          -- 0 pending, 1 in flight, 2 done, 3 rejected
    called_at    INTEGER,                   -- the first call: from then on 90 days are counted
    settled_at   INTEGER,
    http_status  INTEGER,
    kind         TEXT,
    error        TEXT,
    space        TEXT UNIQUE,               -- spaces/AAAA, as Chat answered
    expires_at   INTEGER                    -- importModeExpireTime, if Chat has told it
) STRICT;
