alter table keys
  add column rotated_from text collate "C",
  add column rotated_out_at timestamptz,
  add column last_client_ip inet,
  add column reminded_days integer,
  add constraint keys__rotated_from foreign key (rotated_from) references keys (id),
  add constraint keys__rotated_from_once unique (rotated_from);
create index keys__expires_at on keys (expires_at) where revoked_at is null;
comment on column keys.rotated_from is 'The key that it replaces; a key is replaced once.';
comment on column keys.rotated_out_at is
  'End of the overlap after it was replaced: refused from that moment on, or from expires_at if that is sooner.';
comment on column keys.last_client_ip is 'Of the last request that was allowed.';
comment on column keys.reminded_days is
  'The last reminder of its end that was recorded: 30, 7 or 1 days ahead.';

grant update (
  name, description, scopes, attributes, allowed_ips, rate_limit_requests, rate_limit_per_seconds,
  disabled_at, rotated_out_at, last_client_ip, reminded_days
) on keys to olytix_identity;
grant delete on key_roles to olytix_identity;

create table key_usage (
  key_id text collate "C" not null,
  hour timestamptz not null,
  outcome text not null,
  requests bigint not null,
  constraint key_usage__pkey primary key (key_id, hour, outcome),
  constraint key_usage__key_id foreign key (key_id) references keys (id),
  constraint key_usage__requests check (requests > 0)
);
comment on table key_usage is
  'Requests made with a key, by the hour. No row security: only admins are shown it.';
comment on column key_usage.outcome is 'allowed, or the reason of the denial.';

create table key_rate_windows (
  key_id text collate "C" not null,
  started_at timestamptz not null,
  ends_at timestamptz not null,
  used bigint not null,
  constraint key_rate_windows__pkey primary key (key_id),
  constraint key_rate_windows__key_id foreign key (key_id) references keys (id),
  constraint key_rate_windows__ends_at check (ends_at > started_at)
);
comment on table key_rate_windows is
  'What all replicas together have let pass in the present window of a key with a rate limit. No row security: counters only.';

grant select, insert, update (requests) on key_usage to olytix_identity;
grant select, insert, update (started_at, ends_at, used) on key_rate_windows to olytix_identity;
