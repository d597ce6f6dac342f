create table model_runs (
  id text not null,
  project text not null,
  revision bigint not null,
  kind text not null,
  selection text[] not null,
  full_refresh boolean not null,
  status text not null default 'queued',
  requester jsonb not null,
  changes bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  constraint model_runs__pkey primary key (id),
  constraint model_runs__revision foreign key (revision) references revisions (revision),
  constraint model_runs__kind check (kind in ('models', 'seeds', 'tests', 'freshness')),
  constraint model_runs__status check (status in ('queued', 'running', 'succeeded', 'failed')),
  constraint model_runs__finished check ((status in ('succeeded', 'failed')) = (finished_at is not null))
);
create index model_runs__project on model_runs (project, id);
create index model_runs__unfinished on model_runs (project, id) where finished_at is null;
comment on table model_runs is
  'Each run of models, seeds, tests or freshness. No row security: scopes decide who is shown which part.';
comment on column model_runs.requester is 'Who asked for it: principal, request and address, as the audit trail names them.';
comment on column model_runs.changes is 'Counts the changes of the run and its steps: what was seen up to one number is not sent again.';

create table run_steps (
  run_id text not null,
  position integer not null,
  name text not null,
  kind text not null,
  status text not null default 'pending',
  rows bigint,
  sqlstate text,
  message text,
  change bigint not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  constraint run_steps__pkey primary key (run_id, name),
  constraint run_steps__position unique (run_id, position),
  constraint run_steps__run_id foreign key (run_id) references model_runs (id),
  constraint run_steps__kind check (kind in ('model', 'seed', 'test', 'freshness')),
  constraint run_steps__status check (status in ('pending', 'running', 'succeeded', 'failed', 'skipped'))
);
comment on table run_steps is
  'What a run does, step by step. No row security: scopes decide who is shown which part.';
comment on column run_steps.change is 'The number of model_runs.changes with which it last changed.';
comment on column run_steps.message is 'In words of ours; never what the database said.';

grant select, insert on model_runs, run_steps to olytix_query;
grant update (status, changes, started_at, finished_at) on model_runs to olytix_query;
grant update (status, rows, sqlstate, message, change, started_at, finished_at) on run_steps to olytix_query;
