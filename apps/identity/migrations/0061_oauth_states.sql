create table oauth_states (
  state_hash bytea not null,
  provider text collate "C" not null,
  nonce text not null,
  code_verifier text not null,
  browser_hash bytea not null,
  callback_url text not null,
  redirect_uri text,
  client_state text,
  code_challenge text,
  network text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  constraint oauth_states__pkey primary key (state_hash),
  constraint oauth_states__state_hash_length check (octet_length(state_hash) = 32),
  constraint oauth_states__browser_hash_length check (octet_length(browser_hash) = 32),
  constraint oauth_states__code_challenge check ((redirect_uri is null) = (code_challenge is null))
);
create index oauth_states__network on oauth_states (network, expires_at);
create index oauth_states__expires_at on oauth_states (expires_at);
comment on table oauth_states is
  'Sign-ins with a provider that are under way, gone once they come back. No row security: identity alone reads it.';
comment on column oauth_states.state_hash is 'SHA-256 of the state that the provider sends back.';
comment on column oauth_states.browser_hash is 'SHA-256 of the secret that only the browser holds which began it.';
comment on column oauth_states.code_verifier is 'Ours, for the provider. RFC 7636 section 4.1.';
comment on column oauth_states.code_challenge is
  'Of whoever is sent the one-time code. RFC 7636 section 4.2, method S256.';
comment on column oauth_states.network is 'Of the client, to bound how many are under way.';

grant select, insert, delete on oauth_states to olytix_identity;
