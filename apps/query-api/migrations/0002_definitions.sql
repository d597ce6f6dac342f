create table revisions (
  revision bigint not null,
  project text not null,
  created_at timestamptz not null default now(),
  origin text not null,
  author_id text,
  author_email text,
  summary text not null,
  constraint revisions__pkey primary key (revision),
  constraint revisions__origin check (origin in ('folder', 'api')),
  constraint revisions__author check (origin = 'folder' or author_id is not null)
);
create index revisions__project on revisions (project, revision);
comment on table revisions is
  'Each state of the definitions of a project, in the order of their numbers. Append-only by grants.';
comment on column revisions.project is 'The name of the project: one database may serve several, one after the other.';

create table documents (
  revision bigint not null,
  project text not null,
  kind text not null,
  name text not null,
  state text not null,
  text text,
  constraint documents__pkey primary key (project, kind, name, revision),
  constraint documents__revision foreign key (revision) references revisions (revision),
  constraint documents__kind check (
    kind in ('file', 'sources', 'models', 'cubes', 'metrics', 'policies', 'masking')
  ),
  constraint documents__state check (state in ('present', 'deleted', 'none')),
  constraint documents__text check ((state = 'present') = (text is not null))
);
comment on table documents is
  'What a project is compiled from: files of its folder, and definitions that were edited since and stand in place of those in files. The newest row of a name up to a revision is the one that holds in it.';
comment on column documents.state is
  'deleted: no definition of this name, whatever the files say; none: no such file, or no edit any more.';

create table definitions (
  revision bigint not null,
  project text not null,
  kind text not null,
  name text not null,
  change text not null,
  text text,
  path text not null,
  is_edited boolean not null,
  constraint definitions__pkey primary key (project, kind, name, revision),
  constraint definitions__revision foreign key (revision) references revisions (revision),
  constraint definitions__change check (change in ('created', 'updated', 'deleted')),
  constraint definitions__text check ((change = 'deleted') = (text is null))
);
create index definitions__by_revision on definitions (revision);
comment on table definitions is
  'What each revision changed, definition by definition: derived from documents, for people and for If-Match.';

grant select, insert on revisions, documents, definitions to olytix_query;
