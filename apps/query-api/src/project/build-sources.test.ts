import { beforeAll, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'

beforeAll(() => loadModule())

test.each(['pg_catalog', 'information_schema', 'pg_toast', 'PG_CATALOG'])(
  'nothing in %s can be a source: statistics show values of hidden rows',
  (schema) => {
    const files = {
      project: { path: 'p.yml', text: 'name: p' },
      sources: [
        {
          path: 's.yml',
          text: `sources: [{name: s, schema: ${schema}, tables: [{name: pg_stats}]}]`,
        },
      ],
      models: [],
      cubes: [],
      metrics: [],
      policies: [],
    }
    expect(() => buildProject(files, {})).toThrow(`schema ${schema} is the server's own`)
  },
)
