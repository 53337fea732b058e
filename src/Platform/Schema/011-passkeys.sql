-- Passkeys to sign in with. The name is sealed; the binding is a keyed hash over all that lets the passkey in, the counter left out.
CREATE TABLE passkey (
    id           uuid PRIMARY KEY,
    account      uuid NOT NULL REFERENCES account,
    credential   bytea NOT NULL UNIQUE,
    public_key   bytea NOT NULL,
    name         bytea NOT NULL,
    name_version integer NOT NULL,
    counter      bigint NOT NULL,
    created      timestamptz NOT NULL,
    used         timestamptz,
    binding      bytea NOT NULL
);
CREATE INDEX passkey_account ON passkey (account, created);

-- What an authenticator has been asked to sign, found by the keyed hash of the attempt's secret and sealed whole. A row is deleted when it is
-- used, and so used once.
CREATE TABLE passkey_challenge (
    attempt bytea PRIMARY KEY,
    account uuid REFERENCES account,
    sealed  bytea NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX passkey_challenge_account ON passkey_challenge (account, expires);
CREATE INDEX passkey_challenge_expires ON passkey_challenge (expires);
