import preset from '../jest.preset.js'

export default {
  ...preset,
  testPathIgnorePatterns: [...preset.testPathIgnorePatterns, '/compose\\.'],
  globalSetup: './harness/start-stack.js',
  globalTeardown: './harness/stop-stack.js',
}
