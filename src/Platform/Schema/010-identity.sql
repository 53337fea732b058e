-- One row: the organisation that runs this node.
CREATE TABLE organization (
    id         uuid PRIMARY KEY REFERENCES vault_owner,
    sole       boolean NOT NULL UNIQUE DEFAULT true CHECK (sole),
    profile    bytea NOT NULL,
    created    timestamptz NOT NULL
);

-- Who may sign in. The e-mail stands here as a keyed hash only; e-mail and name lie in the sealed profile. The binding is a keyed hash
-- over all that gives an account its authority: a row that was written without the key opens nothing.
CREATE TABLE account (
    id                      uuid PRIMARY KEY,
    sign_in                 bytea NOT NULL UNIQUE,
    profile                 bytea NOT NULL,
    profile_version         integer NOT NULL,
    role                    smallint NOT NULL,
    approved                timestamptz,
    disabled                timestamptz,
    password_hash           text NOT NULL,
    security_stamp          bytea NOT NULL,
    second_factor           bytea,
    second_factor_version   integer NOT NULL DEFAULT 0,
    second_factor_on        boolean NOT NULL DEFAULT false,
    second_factor_reset     timestamptz,
    second_factor_last_step bigint,
    failed_count            integer NOT NULL DEFAULT 0,
    locked_until            timestamptz,
    patient                 text UNIQUE,
    created                 timestamptz NOT NULL,
    binding                 bytea NOT NULL
);
CREATE INDEX account_created ON account (created, id);

CREATE TABLE recovery_code (
    account uuid NOT NULL REFERENCES account,
    code    bytea NOT NULL,
    PRIMARY KEY (account, code)
);

-- Handed to a patient by who treats them: links the account that redeems it to the record.
CREATE TABLE enrolment_code (
    code    bytea PRIMARY KEY,
    patient text NOT NULL,
    made_by uuid NOT NULL REFERENCES account,
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    binding bytea NOT NULL,
    used_by uuid REFERENCES account,
    used    timestamptz
);

CREATE TABLE invitation (
    code    bytea PRIMARY KEY,
    role    smallint NOT NULL,
    made_by uuid NOT NULL REFERENCES account,
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    binding bytea NOT NULL,
    used_by uuid REFERENCES account,
    used    timestamptz
);

-- What lets a caller in without credentials: a bearer token (1) or a browser's session (2). The hash is keyed; the binding ties the row to
-- the account and to the security stamp it had.
CREATE TABLE access_token (
    hash    bytea PRIMARY KEY,
    kind    smallint NOT NULL,
    account uuid NOT NULL REFERENCES account,
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    binding bytea NOT NULL
);
CREATE INDEX access_token_account ON access_token (account, kind, created);

-- Keys of cookies and antiforgery tokens, each sealed whole under the organisation's key.
CREATE TABLE data_protection_key (
    name    text PRIMARY KEY,
    sealed  bytea NOT NULL,
    created timestamptz NOT NULL
);
