create table audit_events (
  id bigint generated always as identity,
  event_type text not null,
  timestamp timestamptz not null,
  request_id text,
  user_id text,
  user_email text,
  user_roles text[] not null default '{}',
  client_ip inet,
  subject_kind text not null,
  subject_id text not null,
  access_granted boolean not null default true,
  denial_reason text,
  revision integer,
  additional_data jsonb not null default '{}',
  constraint audit_events__pkey primary key (id),
  constraint audit_events__denial_reason check (access_granted = (denial_reason is null))
);
create index audit_events__subject on audit_events (subject_kind, subject_id, id);
create index audit_events__event_type on audit_events (event_type, id);
create unique index audit_events__revision on audit_events (revision) where revision is not null;
comment on table audit_events is
  'What happened to whom, by whom. Append-only by grants. No row security: only admins are shown it.';
comment on column audit_events.user_id is 'The principal who acted, user or key; null for the service itself.';
comment on column audit_events.revision is 'Set when the event may alter an answer of Authorize.';
comment on column audit_events.additional_data is 'Before and after of a change; never a secret.';

grant select, insert on audit_events to olytix_identity;
