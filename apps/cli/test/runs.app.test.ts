import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FakeApi, json } from './fake-api.js'
import { type Captured, runCaptured } from './run-captured.js'

let api: FakeApi
beforeEach(async () => {
  api = await FakeApi.start()
})
afterEach(() => api.stop())

type Setting = NonNullable<Parameters<typeof runCaptured>[1]>

function run(args: readonly string[], setting: Setting = {}): Promise<Captured> {
  const environment = { OLYTIX_URL: api.url, OLYTIX_API_KEY: 'olytix-core_key_mine' }
  return runCaptured(args, { environment, ...setting })
}

const RUN = {
  id: 'run_1',
  kind: 'models',
  status: 'running',
  revision: 3,
  selection: [],
  full_refresh: false,
  requested_by: { id: 'usr_1', email: 'ada@example.com' },
  created_at: '2026-01-31T12:00:00.000Z',
  started_at: '2026-01-31T12:00:01.000Z',
  finished_at: null,
}
const FINISHED = { ...RUN, status: 'succeeded', finished_at: '2026-01-31T12:00:09.000Z' }
const FAILED = { ...FINISHED, status: 'failed' }
const PENDING = { kind: 'model', status: 'pending', rows: null, duration_ms: null, error: null }
const STEPS = [
  { ...PENDING, name: 'stg_orders' },
  { ...PENDING, name: 'fct_orders' },
]
const STAGED = { ...STEPS[0], status: 'succeeded', rows: 9994, duration_ms: 1234 }
const DIVIDED = {
  ...STEPS[1],
  status: 'failed',
  duration_ms: 20,
  error: { sqlstate_class: '22', sqlstate: '22012', message: 'a value does not fit' },
}

/** What the server sends: the run at the beginning, then these, each with the number after that of the one before. */
function events(...sent: readonly (readonly [event: string, data: object])[]) {
  const text = sent.map(([event, data], at) => {
    return `id: ${String(at + 1)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  })
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    text: `retry: 1000\n\nevent: run\ndata: ${JSON.stringify(RUN)}\n\n: still here\n\n${text.join('')}`,
  }
}

function begins(verb: string): void {
  api.on(`POST /api/v1/models/${verb}`, { ...json({ run_id: 'run_1' }), status: 202 })
  api.on('GET /api/v1/models/runs/run_1', json({ ...RUN, steps: STEPS }))
}

describe.each(['run', 'seed', 'test', 'freshness'])('%s', (verb) => {
  test('begins a run and tells of each step when it has ended', async () => {
    begins(verb)
    api.on(
      'GET /api/v1/models/runs/run_1/events',
      events(
        ['step', { ...STAGED, status: 'running' }],
        ['step', STAGED],
        ['step', { ...STAGED, name: 'fct_orders', rows: null, message: 'built already' }],
        ['run', FINISHED],
      ),
    )
    const done = await run([verb, '--select', 'fct_orders+', 'tag:daily'])
    expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({
      select: ['fct_orders+', 'tag:daily'],
    })
    expect(done).toEqual({
      exitCode: 0,
      stdout: `succeeded  stg_orders  9994 rows  1.2 s
succeeded  fct_orders  1.2 s  built already
run_1 succeeded: 2 succeeded
`,
      stderr: '',
    })
  })

  test('ends with exit code 1 when something failed, and says why', async () => {
    begins(verb)
    api.on(
      'GET /api/v1/models/runs/run_1/events',
      events(['step', STAGED], ['step', DIVIDED], ['run', FAILED]),
    )
    const { exitCode, stdout } = await run([verb])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('failed     fct_orders  0.0 s  a value does not fit  SQLSTATE 22012\n')
    expect(stdout).toContain('run_1 failed: 1 succeeded, 1 failed\n')
  })
})

describe('whoever follows a run', () => {
  test('asks for all rows with --full-refresh, and gets the whole run under --json', async () => {
    begins('run')
    api.on('GET /api/v1/models/runs/run_1/events', events(['step', STAGED], ['run', FINISHED]))
    const { stdout } = await run(['run', '--full-refresh', '--json'])
    expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({ select: [], full_refresh: true })
    expect(JSON.parse(stdout)).toEqual({ ...FINISHED, steps: [STAGED, STEPS[1]] })
  })

  test('goes on where a connection broke off', async () => {
    begins('run')
    const after: (string | undefined)[] = []
    api.on('GET /api/v1/models/runs/run_1/events', (request) => {
      after.push(request.lastEventId)
      return after.length === 1
        ? events(['step', STAGED])
        : events(['step', DIVIDED], ['run', FAILED])
    })
    api.on('GET /api/v1/models/runs/run_1', () => {
      return json({ ...RUN, steps: after.length === 0 ? STEPS : [STAGED, STEPS[1]] })
    })
    const { stdout } = await run(['run'])
    expect(after).toEqual([undefined, '1'])
    expect(stdout.match(/stg_orders/g)).toHaveLength(1)
    expect(stdout).toContain('run_1 failed: 1 succeeded, 1 failed\n')
  })

  test('asks again and again where events do not get through', async () => {
    begins('run')
    let asked = 0
    api.on('GET /api/v1/models/runs/run_1/events', { status: 200, text: '' })
    api.on('GET /api/v1/models/runs/run_1', () => {
      asked += 1
      return json(asked < 3 ? { ...RUN, steps: STEPS } : { ...FINISHED, steps: [STAGED, DIVIDED] })
    })
    const { stdout } = await run(['run'])
    expect(stdout).toContain('run_1 succeeded: 1 succeeded, 1 failed\n')
  })

  test('leaves the run as it is with Ctrl-C, and learns how to look again', async () => {
    begins('run')
    let press: () => void = () => undefined
    let isListening = false
    const onInterrupt = (listener: () => void) => {
      press = listener
      isListening = true
      return () => (isListening = false)
    }
    api.on('GET /api/v1/models/runs/run_1/events', () => {
      setImmediate(press)
      return new Promise(() => undefined)
    })
    const stopped = await run(['run'], { onInterrupt })
    expect(stopped).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'The run goes on. Look again: olytix-core runs follow run_1\n',
    })
    expect(isListening).toBe(false)
  })

  test('sees a bar at a terminal, which is gone at the end', async () => {
    begins('run')
    api.on(
      'GET /api/v1/models/runs/run_1/events',
      events(['step', { ...STAGED, status: 'running' }], ['step', STAGED], ['run', FINISHED]),
    )
    const { stdout, stderr } = await run(['run'], { isWatched: true })
    expect(stderr).toContain(`${'░'.repeat(24)} 0/2  stg_orders`)
    expect(stderr).toContain(`${'█'.repeat(12)}${'░'.repeat(12)} 1/2`)
    expect(stderr.endsWith('\r\u001b[K')).toBe(true)
    expect(stdout).not.toContain('░')
  })
})

describe('runs', () => {
  test('lists the newest', async () => {
    api.on(
      'GET /api/v1/models/runs?page_size=20',
      json({ runs: [FINISHED], next_page_token: null }),
    )
    const { stdout } = await run(['runs'])
    expect(stdout).toContain('run_1  models  succeeded  2026-01-31T12:00:00.000Z  ada@example.com')
  })

  test('show tells of all steps of one, and fails as it did', async () => {
    api.on('GET /api/v1/models/runs/run_1', json({ ...FAILED, steps: [STAGED, DIVIDED] }))
    const { exitCode, stdout } = await run(['runs', 'show', 'run_1'])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('succeeded  stg_orders  9994 rows')
    expect(stdout).toContain('run_1 failed: 1 succeeded, 1 failed')
  })

  test('an id cannot lead to another address', async () => {
    await run(['runs', 'show', '../keys'])
    expect(api.requests[0]?.url).toBe('/api/v1/models/runs/..%2Fkeys')
  })
})
