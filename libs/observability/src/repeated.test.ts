import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Repeated } from './repeated.js'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

test('runs again after a failure, which it tells', async () => {
  const errors: unknown[] = []
  let runs = 0
  const repeated = new Repeated(
    () => Promise.reject(new Error(`run ${String((runs += 1))}`)),
    (error) => errors.push(error),
  )
  repeated.start(10)
  await jest.advanceTimersByTimeAsync(20)
  await repeated.stop()
  expect(errors).toEqual([new Error('run 1'), new Error('run 2')])
})

test('never runs twice at once, waits for the last run when it is stopped, and does not run again', async () => {
  let [begun, ended] = [0, 0]
  let finish: () => void = () => undefined
  const work = async (): Promise<void> => {
    begun += 1
    await new Promise<void>((resolve) => (finish = resolve))
    ended += 1
  }
  const repeated = new Repeated(work, () => undefined)
  repeated.start(10)
  await jest.advanceTimersByTimeAsync(50)
  expect([begun, ended]).toEqual([1, 0])
  const stopped = repeated.stop()
  finish()
  await stopped
  await jest.advanceTimersByTimeAsync(50)
  expect([begun, ended]).toEqual([1, 1])
})
