import preset from '../jest.preset.js'

/** The container tests alone: they build images and need a Docker engine. */
export default { ...preset, testMatch: ['**/compose*.test.ts'] }
