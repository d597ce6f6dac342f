alter table revisions
  add column events bigint not null default 0,
  add column events_hash bytea not null default '\x',
  add constraint revisions__events check (events >= 0);
comment on column revisions.events is
  'How many audit events there are. Behind the lock on this row they are numbered and chained one after the other.';
comment on column revisions.events_hash is 'Hash of the last audit event.';

alter table audit_events
  alter column id drop identity,
  drop constraint audit_events__pkey,
  add column hash bytea;
drop index audit_events__subject, audit_events__event_type;

create function audit_event_hash(previous bytea, event audit_events)
returns bytea language sql stable parallel safe as $$
  select sha256(
    previous || convert_to(
      jsonb_build_array(
        event.id, event.event_type, extract(epoch from event.timestamp), event.request_id,
        event.user_id, event.user_email, event.user_roles, event.client_ip, event.subject_kind,
        event.subject_id, event.access_granted, event.denial_reason, event.revision,
        event.additional_data
      )::text,
      'UTF8'
    )
  )
$$;
comment on function audit_event_hash is
  'What ties an event to all before it: SHA-256 over the hash of the one before and everything that the event says.';

update audit_events
set id = numbered.position
from (
  select id as old_id, row_number() over (order by id) as position from audit_events
) as numbered
where audit_events.id = numbered.old_id;

do $$
declare
  event audit_events;
  last bytea := '\x';
begin
  for event in select * from audit_events order by id loop
    last := audit_event_hash(last, event);
    update audit_events set hash = last where id = event.id;
  end loop;
  update revisions set events = (select count(*) from audit_events), events_hash = last;
end $$;

alter table audit_events
  alter column hash set not null,
  add constraint audit_events__pkey primary key (id);
create index audit_events__subject_id on audit_events (subject_id, id);
create index audit_events__user_id on audit_events (user_id, id);
create index audit_events__event_type on audit_events (event_type, id);
create index audit_events__timestamp on audit_events (timestamp);
comment on column audit_events.id is 'Counted without gaps, in the order in which events are committed.';
comment on column audit_events.hash is 'See audit_event_hash: a changed or missing event breaks the chain from there on.';
comment on column audit_events.subject_id is
  'On whom or what: an id, the name of a role, or what was asked for when it was refused.';

create function chain_audit_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  previous bytea;
begin
  select events + 1, events_hash into new.id, previous from revisions for update;
  new.hash := audit_event_hash(previous, new);
  update revisions set events = new.id, events_hash = new.hash;
  return new;
end $$;
comment on function chain_audit_event is
  'Numbers and chains an event as it is written, whoever writes it: the service itself may not touch the head of the chain.';
revoke execute on function chain_audit_event from public;

create trigger audit_events__chain
  before insert on audit_events
  for each row
  execute function chain_audit_event();
