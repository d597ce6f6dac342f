create table oauth_codes (
  code_hash bytea not null,
  user_id text collate "C" not null,
  epoch integer not null,
  method text not null,
  code_challenge text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  redeemed_at timestamptz,
  replayed_at timestamptz,
  session_id text collate "C",
  constraint oauth_codes__pkey primary key (code_hash),
  constraint oauth_codes__code_hash_length check (octet_length(code_hash) = 32),
  constraint oauth_codes__user_id foreign key (user_id) references users (id),
  constraint oauth_codes__dates check (
    (replayed_at is null or redeemed_at is not null)
    and (session_id is null or redeemed_at is not null)
  )
);
create index oauth_codes__expires_at on oauth_codes (expires_at);
comment on table oauth_codes is
  'One-time codes that are exchanged for tokens, kept for a day so that a second use is known. No row security: identity alone reads it.';
comment on column oauth_codes.code_hash is 'SHA-256 of the whole code.';
comment on column oauth_codes.epoch is 'The epoch of the user when the code was made: a change since then voids it.';
comment on column oauth_codes.redeemed_at is 'First use, with the right verifier or not: there is no second.';
comment on column oauth_codes.replayed_at is
  'A second use. Whichever comes later of this and session_id ends the session.';

grant select, insert, delete, update (redeemed_at, replayed_at, session_id) on oauth_codes
  to olytix_identity;
