create table signing_keys (
  id text collate "C" not null,
  algorithm text not null,
  state text not null,
  sealed bytea not null,
  created_at timestamptz not null,
  activated_at timestamptz,
  retired_at timestamptz,
  revoked_at timestamptz,
  constraint signing_keys__pkey primary key (id),
  constraint signing_keys__algorithm check (algorithm in ('HS256', 'ES256', 'RS256', 'HMAC-SHA-256')),
  constraint signing_keys__state check (state in ('next', 'active', 'retiring', 'revoked')),
  constraint signing_keys__sealed check (octet_length(sealed) > 29),
  constraint signing_keys__dates check (
    (state = 'next') <= (activated_at is null)
    and (state in ('active', 'retiring')) <= (activated_at is not null)
    and (state = 'retiring') <= (retired_at is not null)
    and (state = 'revoked') = (revoked_at is not null)
  )
);
create unique index signing_keys__one_active on signing_keys (algorithm) where state = 'active';
create unique index signing_keys__one_next on signing_keys (algorithm) where state = 'next';
comment on table signing_keys is
  'Keys that sign access tokens and, as HMAC-SHA-256, refresh tokens. No row security: identity alone reads it.';
comment on column signing_keys.id is 'The kid of a token header.';
comment on column signing_keys.state is
  'next: published, signs nothing yet. active: signs. retiring: its tokens still count. revoked: they do not.';
comment on column signing_keys.sealed is
  'Version, nonce, tag and AES-256-GCM under the master key, bound to the id and the algorithm.';

grant select, insert, update (state, activated_at, retired_at, revoked_at) on signing_keys
  to olytix_identity;
