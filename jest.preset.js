/** Jest for every project: swc to ES modules, our libs from their sources (condition `@olytix/source`). */
export default {
  testEnvironment: 'node',
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            verbatimModuleSyntax: true,
          },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Only generated JavaScript and packages stay untransformed.
  transformIgnorePatterns: ['/node_modules/', '\\.js$'],
  testEnvironmentOptions: { customExportConditions: ['@olytix/source', 'node', 'node-addons'] },
  testTimeout: 120_000,
}
