create table audit_events (
  id bigint generated always as identity,
  event_type text not null,
  timestamp timestamptz not null,
  request_id text,
  user_id text,
  user_email text,
  user_roles text[] not null default '{}',
  client_ip inet,
  subject text,
  cube_name text,
  measures_requested text[] not null default '{}',
  dimensions_requested text[] not null default '{}',
  rls_policies_applied text[] not null default '{}',
  masking_policies_applied text[] not null default '{}',
  rls_predicates text[] not null default '{}',
  columns_masked text[] not null default '{}',
  policy_evaluation_ms double precision,
  rows_returned bigint,
  access_granted boolean not null,
  denial_reason text,
  additional_data jsonb not null default '{}',
  constraint audit_events__pkey primary key (id),
  constraint audit_events__denial_reason check (access_granted = (denial_reason is null))
);
create index audit_events__event_type on audit_events (event_type, id);
create index audit_events__user_id on audit_events (user_id, id);
create index audit_events__subject on audit_events (subject, id) where subject is not null;
create index audit_events__cube_name on audit_events (cube_name, id) where cube_name is not null;
create index audit_events__timestamp on audit_events (timestamp);
comment on table audit_events is
  'Who asked for which numbers, and who changed what decides about them. Append-only by grants. No row security: only admins are shown it.';
comment on column audit_events.user_id is 'The principal, user or key.';
comment on column audit_events.subject is 'What was changed: the name of a policy; null for questions.';
comment on column audit_events.cube_name is 'The cube whose rows are counted or measured; all cubes are in additional_data.';

grant select, insert on audit_events to olytix_query;

create function prune_audit_events(older_than timestamptz, at_most integer)
returns integer language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  pruned integer;
begin
  if older_than > now() - interval '30 days' then
    raise exception 'events are kept for 30 days at least' using errcode = 'check_violation';
  end if;
  delete from audit_events
  where id in (
    select id from audit_events where timestamp < older_than order by timestamp limit at_most
  );
  get diagnostics pruned = row_count;
  return pruned;
end $$;
comment on function prune_audit_events is
  'The one way to remove events, and only old ones: the service itself may neither change nor delete any.';
revoke execute on function prune_audit_events from public;
grant execute on function prune_audit_events to olytix_query;
