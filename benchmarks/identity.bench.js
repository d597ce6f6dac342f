/** What Authorize costs above the bare hop, and what a flood of logins does to it; whether a login tells who exists. */
import { performance } from 'node:perf_hooks'
import { load, quantile } from './harness/load.js'
import { ADMIN_EMAIL, Echo, Identity, PASSWORD } from './harness/identity.js'

const SECONDS = 5
const CALLERS = 4
const LOGINS_AT_ONCE = 16
const TRIES = 200

/** @returns {Promise<import('./harness/report.js').Table[]>} */
export async function run() {
  const [identity, echo] = await Promise.all([Identity.start(), Echo.start()])
  try {
    return [await authorizeAndLogins(identity, echo), await refusedLogins(identity)]
  } finally {
    await Promise.all([identity.stop(), echo.stop()])
  }
}

/**
 * @param {Identity} identity
 * @param {Echo} echo
 */
async function authorizeAndLogins(identity, echo) {
  const logins = () => load({ concurrency: LOGINS_AT_ONCE, seconds: SECONDS, call: signIn })
  const signIn = (/** @type {number} */ index) =>
    identity.signIn(ADMIN_EMAIL, PASSWORD, addressOf(index))
  const calls = { echo: () => echo.authorize(), authorize: () => identity.authorize() }
  const loads = (/** @type {keyof typeof calls} */ what) =>
    load({ concurrency: CALLERS, seconds: SECONDS, call: calls[what] })

  const idle = { echo: await loads('echo'), authorize: await loads('authorize') }
  const alone = await logins()
  const [echoFlooded, loginsBesideEcho] = await Promise.all([loads('echo'), logins()])
  const [authorizeFlooded, loginsBeside] = await Promise.all([loads('authorize'), logins()])
  const base = idle.echo
  /** @type {(name: string, figures: import('./harness/load.js').Figures) => (string | number)[]} */
  const row = (name, { perSecond, p50, p99 }) => [
    name,
    perSecond,
    p50,
    p99,
    perSecond / base.perSecond,
    p50 / base.p50,
    p99 / base.p99,
  ]
  return {
    title: `Authorize beside logins (${String(CALLERS)} callers, ${String(LOGINS_AT_ONCE)} logins at once; ratios to the bare echo, idle)`,
    columns: ['what', 'calls/s', 'p50 ms', 'p99 ms', 'calls ×', 'p50 ×', 'p99 ×'],
    rows: [
      row('bare gRPC echo, idle', base),
      row('Authorize, idle', idle.authorize),
      row('bare gRPC echo, during logins', echoFlooded),
      row('Authorize, during logins', authorizeFlooded),
      row('logins alone', alone),
      row('logins, beside the echo', loginsBesideEcho),
      row('logins, beside Authorize', loginsBeside),
    ],
  }
}

/**
 * Each address and each account fails once, so that no throttle is in the way.
 * @param {Identity} identity
 */
async function refusedLogins(identity) {
  for (let count = 0; count < TRIES; count += 1) await identity.createUser(emailOf(count))
  /** @type {{ wrong: number[], unknown: number[] }} */
  const times = { wrong: [], unknown: [] }
  for (let count = 0; count < TRIES; count += 1) {
    const failed = (/** @type {string} */ email, /** @type {number} */ place) =>
      timeOfFailure(() => identity.signIn(email, `not ${PASSWORD}`, addressOf(place)))
    times.wrong.push(await failed(emailOf(count), 2 * count))
    times.unknown.push(await failed(`nobody${String(count)}@example.com`, 2 * count + 1))
  }
  const base = quantile(times.wrong, 0.5)
  return {
    title: `Refused logins (${String(TRIES)} tries each, one at a time; ratios to the wrong password)`,
    columns: ['what', 'median ms', 'p99 ms', 'median ×'],
    rows: [
      ['wrong password', base, quantile(times.wrong, 0.99), 1],
      [
        'unknown user',
        quantile(times.unknown, 0.5),
        quantile(times.unknown, 0.99),
        quantile(times.unknown, 0.5) / base,
      ],
    ],
  }
}

/** @param {() => Promise<unknown>} call */
async function timeOfFailure(call) {
  const startedAt = performance.now()
  try {
    await call()
  } catch {
    return performance.now() - startedAt
  }
  throw new Error('a login that must fail')
}

/** @param {number} index */
function addressOf(index) {
  return `10.${String((index >> 16) & 255)}.${String((index >> 8) & 255)}.${String(index & 255)}`
}

/** @param {number} index */
function emailOf(index) {
  return `user${String(index)}@example.com`
}
