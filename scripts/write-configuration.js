/**
 * Writes docs/configuration.md from the settings' schemas; with `--check` it fails when the page is stale.
 * Needs a build.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const root = path.resolve(import.meta.dirname, '..')
const page = path.join(root, 'docs/configuration.md')
const { identitySettings } = await import('../apps/identity/dist/config.js')
const { QueryApiSettings } = await import('../apps/query-api/dist/config.js')
const { LauncherVariables } = await import('../apps/local-stack/dist/settings.js')

const text = `# Configuration

Made from the schemas by \`node scripts/write-configuration.js\`; edit those.

Each setting is an environment variable. For each secret \`X\`, \`X_FILE\` may name a file that holds it instead. A setting
that breaks its rule stops the start with a message that names it and never its value.

${table('npm start', LauncherVariables)}
${table('identity', identitySettings)}
${table('query-api', QueryApiSettings)}`

if (process.argv.includes('--check')) {
  const current = existsSync(page) ? readFileSync(page, 'utf8') : ''
  if (current !== text) {
    console.error('docs/configuration.md is stale: run node scripts/write-configuration.js')
    process.exit(1)
  }
} else writeFileSync(page, text)

function table(title, schema) {
  const rows = Object.entries(schema.shape).map(
    ([name, field]) => `| \`${name}\` | ${describe(field)} | ${defaultOf(field)} |`,
  )
  return [
    `## ${title}`,
    '',
    '| variable | meaning | default |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function describe(field) {
  const description = z.globalRegistry.get(field)?.description
  if (!description) throw new Error('a setting without .describe()')
  return description
}

function defaultOf(field) {
  const { type, defaultValue } = field.def
  if (type === 'default' || type === 'prefault') {
    const value = Array.isArray(defaultValue) ? defaultValue.join(',') : String(defaultValue)
    return value === '' ? 'none' : `\`${value}\``
  }
  return type === 'optional' ? '–' : 'required'
}
