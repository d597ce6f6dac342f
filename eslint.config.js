import js from '@eslint/js'
import nx from '@nx/eslint-plugin'
import tseslint from 'typescript-eslint'
import { folderRules, pureFiles, pureRules } from './scripts/eslint-folders.js'

/** Limits of docs/house-style: files, functions, nesting, parameters. */
const sizes = {
  'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
  complexity: ['error', 10],
  'max-depth': ['error', 3],
  'max-params': ['error', 4],
  'no-restricted-syntax': [
    'error',
    {
      selector: 'MethodDefinition[kind="constructor"] > FunctionExpression[params.length>6]',
      message: 'A class with more than six dependencies does more than one thing.',
    },
    { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
    { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
    {
      selector:
        'ImportDeclaration[source.value="@nestjs/common"] ImportSpecifier[imported.name=/Exception$/]',
      message: 'Throw an AppError.',
    },
  ],
}

const boundaries = {
  '@nx/enforce-module-boundaries': [
    'error',
    {
      enforceBuildableLibDependency: true,
      allow: [],
      depConstraints: [
        { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib', 'type:contract'] },
        { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib', 'type:contract'] },
        { sourceTag: 'type:e2e', onlyDependOnLibsWithTags: ['type:lib', 'type:contract'] },
        { sourceTag: 'type:contract', onlyDependOnLibsWithTags: [] },
        { sourceTag: 'area:identity', onlyDependOnLibsWithTags: ['area:identity', 'area:shared'] },
        { sourceTag: 'area:query', onlyDependOnLibsWithTags: ['area:query', 'area:shared'] },
        { sourceTag: 'area:cli', onlyDependOnLibsWithTags: ['area:cli', 'area:shared'] },
        { sourceTag: 'area:shared', onlyDependOnLibsWithTags: ['area:shared'] },
      ],
    },
  ],
}

/** Scripts that run in a browser. */
const PAGES = ['apps/*/pages/**/*.js']

export default tseslint.config(
  { ignores: ['**/node_modules', '**/dist', '**/src/gen', '.nx', '**/test-results', '.olytix'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...sizes,
      ...boundaries,
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-assertions': [
        'error',
        { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' },
      ],
      // Nest's option types are classes; everybody passes object literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      eqeqeq: 'error',
    },
  },
  ...folderRules,
  ...pureRules,
  {
    files: ['**/*.ts'],
    ignores: ['libs/postgres/**', '**/*.test.ts', '**/test/**', 'e2e/**', ...pureFiles],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: 'pg', message: 'Only libs/postgres speaks to PostgreSQL.' }] },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: [
      '**/main.ts',
      'libs/config/**',
      '**/testing/**',
      '**/*.test.ts',
      '**/test/**',
      'e2e/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read by main.ts and libs/config alone.' },
      ],
    },
  },
  { files: ['libs/errors/src/nest/*.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.test.ts', '**/test/**/*.ts', 'e2e/**/*.ts', '**/testing/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: ['**/*.js'],
    ignores: PAGES,
    ...js.configs.recommended,
    languageOptions: { globals: nodeGlobals() },
  },
  // Their names are checked by TypeScript, which knows all of a browser's.
  {
    files: PAGES,
    ...js.configs.recommended,
    rules: { ...js.configs.recommended.rules, ...sizes, 'no-undef': 'off' },
  },
)

function nodeGlobals() {
  const names = [
    'process',
    'console',
    'URL',
    'URLSearchParams',
    'Buffer',
    'fetch',
    'setTimeout',
    'clearTimeout',
  ]
  return Object.fromEntries(names.map((name) => [name, 'readonly']))
}
