create table login_throttles (
  subject_hash bytea not null,
  kind text not null,
  failures integer not null,
  last_failed_at timestamptz not null,
  constraint login_throttles__pkey primary key (subject_hash),
  constraint login_throttles__kind check (kind in ('account', 'network')),
  constraint login_throttles__failures check (failures > 0)
);
create index login_throttles__last_failed_at on login_throttles (last_failed_at);
comment on table login_throttles is
  'Failed passwords, counted per network and per account from one network. No row security: identity alone reads it.';
comment on column login_throttles.subject_hash is
  'SHA-256 of kind, network and address typed: people type passwords where an address belongs.';

grant select, insert, update (failures, last_failed_at), delete on login_throttles to olytix_identity;
