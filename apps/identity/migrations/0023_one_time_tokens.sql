create table one_time_tokens (
  token_hash bytea not null,
  purpose text not null,
  user_id text collate "C" not null,
  email_canonical text collate "C" not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  constraint one_time_tokens__pkey primary key (token_hash),
  constraint one_time_tokens__token_hash_length check (octet_length(token_hash) = 32),
  constraint one_time_tokens__purpose check (purpose in ('invite', 'reset')),
  constraint one_time_tokens__user_id foreign key (user_id) references users (id)
);
create unique index one_time_tokens__user_id on one_time_tokens (user_id);
create index one_time_tokens__expires_at on one_time_tokens (expires_at);
comment on table one_time_tokens is
  'Tokens with which users choose a password, gone once they are used. No row security: identity alone reads it.';
comment on column one_time_tokens.token_hash is 'SHA-256 of the whole token.';
comment on column one_time_tokens.email_canonical is 'The address that its use proves.';

grant select, insert, delete on one_time_tokens to olytix_identity;
