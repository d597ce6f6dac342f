import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

let api: FakeApi
let folder: string
beforeEach(async () => {
  api = await FakeApi.start()
  folder = await mkdtemp(path.join(tmpdir(), 'policies-'))
})
afterEach(async () => {
  await api.stop()
  await rm(folder, { recursive: true })
})

function run(...args: readonly string[]): Promise<Captured> {
  return runCaptured(args, {
    environment: { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' },
  })
}

const POLICY = {
  name: 'regional',
  kind: 'rows',
  policy: { name: 'regional', cube: 'orders', roles: ['analyst', 'viewer'], filter: 'a = 1' },
  revision: 7,
  changed_at: '2026-01-31T12:00:00.000Z',
  changed_by: { id: 'usr_1', email: 'ada@example.com' },
}

async function file(text: string): Promise<string> {
  const name = path.join(folder, 'policies.yml')
  await writeFile(name, text)
  return name
}

describe('policies', () => {
  test('list shows each with who changed it last', async () => {
    const byFolder = { ...POLICY, name: 'all', changed_by: null }
    api.on('GET /api/v1/policies', json({ policies: [POLICY, byFolder], next_page_token: null }))
    const { stdout } = await run('policies', 'list')
    expect(stdout).toContain(
      'regional  rows  orders  7         2026-01-31T12:00:00.000Z  ada@example.com',
    )
    expect(stdout).toContain('project folder')
  })

  test('show has what the policy says', async () => {
    api.on('GET /api/v1/policies/regional', json(POLICY))
    expect((await run('policies', 'show', 'regional')).stdout).toMatch(/roles:?\s+analyst, viewer/)
  })

  test('put sends each policy of a file as it is written', async () => {
    api.on('PUT /api/v1/policies/regional', json(POLICY))
    api.on('PUT /api/v1/policies/names', json({ ...POLICY, name: 'names', kind: 'masking' }))
    const name = await file(
      'policies: [{name: regional, cube: orders, roles: [analyst], filter: a = 1}]\n' +
        'masking: [{name: names, cube: customers, members: [name], mask: null}]\n',
    )
    expect((await run('policies', 'put', name)).stdout).toBe(
      'Policy Put: regional (revision 7)\nPolicy Put: names (revision 7)\n',
    )
    expect(api.requests.map(({ body }) => body)).toEqual([
      '{"name":"regional","cube":"orders","roles":["analyst"],"filter":"a = 1"}',
      '{"name":"names","cube":"customers","members":["name"],"mask":null}',
    ])
  })

  test('put of a revision that is not the newest is refused by the server', async () => {
    const error = { code: 'PRECONDITION_FAILED', message: 'It was changed meanwhile' }
    api.on('PUT /api/v1/policies/regional', json({ error }, 412))
    const name = await file('policies: [{name: regional, cube: orders, roles: [a]}]')
    const { exitCode, stderr } = await run('policies', 'put', name, '--revision', '3')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('changed meanwhile')])
    expect(api.requests[0]?.ifMatch).toBe('"3"')
  })

  test.each([
    ['no YAML', 'policies: ['],
    ['no policies', 'cubes: []'],
    ['no name', 'policies: [{cube: a}]'],
  ])('put of a file with %s asks nothing', async (_, text) => {
    expect((await run('policies', 'put', await file(text))).exitCode).toBe(2)
    expect(api.requests).toEqual([])
  })

  test('put of a file that is not there is a usage error', async () => {
    expect((await run('policies', 'put', path.join(folder, 'absent.yml'))).exitCode).toBe(2)
  })

  test('delete and history', async () => {
    api.on('DELETE /api/v1/policies/regional', { status: 204 })
    const deleted = { ...POLICY, change: 'deleted', policy: null }
    api.on('GET /api/v1/policies/regional/history', json({ versions: [deleted] }))
    expect((await run('policies', 'delete', 'regional')).stdout).toBe('Policy Deleted: regional\n')
    expect((await run('policies', 'history', 'regional')).stdout).toContain('deleted')
  })
})

describe('compile', () => {
  const counts = { source_count: 1, model_count: 0, cube_count: 3, metric_count: 5 }
  const fine = { success: true, project_name: 'shop', ...counts, errors: [], warnings: ['odd'] }

  test('says what the folder defines', async () => {
    api.on('POST /api/v1/unified/compile', json(fine))
    expect(await run('compile')).toEqual({
      exitCode: 0,
      stdout: 'warning: odd\nshop: 1 sources, 0 models, 3 cubes, 5 metrics\n',
      stderr: '',
    })
    expect(api.requests[0]?.body).toBe('{"strict":false}')
  })

  test('ends with 1 and the place of each problem when it does not compile', async () => {
    const error = { path: 'cubes/a.yml', line: 3, column: 5, message: 'no', suggestion: 'yes' }
    api.on('POST /api/v1/unified/load', json({ ...fine, success: false, errors: [error] }))
    const { exitCode, stdout } = await run('load', '--strict', '--path', 'sub')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('cubes/a.yml:3:5  no; did you mean yes?')
    expect(api.requests[0]?.body).toBe('{"project_path":"sub","strict":true}')
  })
})

describe('audit', () => {
  test('shows questions and changes, newest first', async () => {
    const question = {
      event_type: 'data_access',
      timestamp: '2026-01-31T12:00:00.000Z',
      user_id: 'key_1',
      cube_name: 'orders',
      measures_requested: ['orders.count'],
      dimensions_requested: ['orders.region'],
      rows_returned: 4,
      access_granted: true,
      additional_data: {},
    }
    const change = {
      ...question,
      event_type: 'policy_created',
      user_id: null,
      measures_requested: [],
      dimensions_requested: [],
      rows_returned: null,
      additional_data: { name: 'regional' },
    }
    const url = '/api/v1/audit?type=data_access&page_size=100'
    api.on(`GET ${url}`, json({ events: [question, change], next_page_token: null }))
    const { stdout } = await run('audit', '--type', 'data_access')
    expect(stdout).toMatch(/data_access +key_1 +orders +orders.count, orders.region +4 +granted/)
    expect(stdout).toMatch(/policy_created +project folder +orders +regional/)
  })
})
