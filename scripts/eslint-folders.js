/**
 * Which folder of an app may import which, as ESLint rules: the tables of docs/architecture.md, enforced.
 * A folder that is not listed here may import nothing of ours but libs. Import patterns see the text of an import
 * only, so each folder gets one pattern per depth.
 */
const IDENTITY = {
  scopes: [],
  audit: [],
  health: [],
  upkeep: [],
  users: ['scopes', 'audit'],
  keys: ['scopes', 'users', 'audit', 'upkeep'],
  tokens: ['scopes', 'users', 'audit', 'upkeep'],
  oauth: ['users', 'tokens', 'audit', 'upkeep'],
  authorize: ['scopes', 'keys', 'tokens', 'users', 'audit'],
}

const QUERY_API = {
  project: [],
  semantics: ['project'],
  rls: ['project', 'semantics'],
  sql: ['semantics', 'rls'],
  warehouse: [],
  results: [],
  models: ['project', 'warehouse', 'rls', 'audit'],
  health: ['warehouse'],
  definitions: ['project', 'rls', 'audit'],
  policies: ['project', 'definitions', 'audit'],
  lineage: ['project', 'semantics', 'rls'],
  audit: ['project'],
  query: ['project', 'semantics', 'rls', 'sql', 'warehouse', 'results', 'audit'],
  http: ['query', 'project', 'models', 'definitions', 'policies', 'lineage', 'audit'],
}

const CLI = {
  api: [],
  profile: [],
  output: [],
  browser: [],
  session: ['api', 'profile', 'browser'],
  commands: ['api', 'profile', 'session', 'output', 'browser'],
}

/** Folders and files that take values and give values, nothing else. */
export const pureFiles = [
  'apps/identity/src/scopes/**/*.ts',
  'apps/identity/src/authorize/decide.ts',
  'apps/identity/src/keys/{allowed-ips,key-expiry}.ts',
  'apps/identity/src/users/{email,password-rules}.ts',
  'libs/auth-guards/src/api-key.ts',
  'apps/query-api/src/{semantics,rls,sql,lineage}/**/*.ts',
  'apps/query-api/src/project/**/*.ts',
]

export const folderRules = [
  ...rulesOf('apps/identity', IDENTITY),
  ...rulesOf('apps/query-api', QUERY_API),
  ...rulesOf('apps/cli', CLI),
]

export const pureRules = [
  {
    files: pureFiles,
    ignores: ['**/*.test.ts', 'apps/query-api/src/project/load-project.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval'],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@nestjs/*', 'pg', 'node:fs', 'node:fs/*', 'fs', 'node:crypto'],
              message:
                'This folder is pure: values in, values out; clock and randomness are arguments.',
            },
          ],
        },
      ],
    },
  },
]

function rulesOf(app, table) {
  return Object.entries(table).flatMap(([folder, mayImport]) =>
    [1, 2, 3].map((depth) => {
      const up = '../'.repeat(depth)
      const message = `${app}/src/${folder} may import ${mayImport.join(', ') || 'libs'} only.`
      return {
        files: [`${app}/src/${folder}/${'*/'.repeat(depth - 1)}*.ts`],
        ignores: ['**/*.test.ts'],
        rules: {
          'no-restricted-imports': [
            'error',
            {
              patterns: [
                {
                  group: [
                    `${up}*`,
                    ...mayImport.flatMap((name) => [`!${up}${name}`, `!${up}${name}/**`]),
                  ],
                  message,
                },
                { group: [`${up}*/**/*.queries.js`], message: 'Ask the service, not its queries.' },
              ],
            },
          ],
        },
      }
    }),
  )
}
