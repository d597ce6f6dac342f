import { describe, expect, test } from '@jest/globals'
import { HashQueue } from './hash-queue.js'

/** Work that ends when it is told to. */
function work(): { readonly run: () => Promise<void>; readonly end: () => void; ran: boolean } {
  let end: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  const one = {
    ran: false,
    run: () => {
      one.ran = true
      return done
    },
    end: () => {
      end()
    },
  }
  return one
}

describe('the queue of hashes', () => {
  test('runs so many at once, lets so many wait in their order, and refuses the rest', async () => {
    const queue = new HashQueue({ concurrency: 2, maxWaiting: 2 })
    const works = Array.from({ length: 5 }, work)
    const outcomes = works.map((each) => queue.run(each.run))
    await expect(outcomes[4]).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      headers: { 'retry-after': '1' },
    })
    expect(works.map(({ ran }) => ran)).toEqual([true, true, false, false, false])
    works[1]?.end()
    await outcomes[1]
    await new Promise(setImmediate)
    expect(works.map(({ ran }) => ran)).toEqual([true, true, true, false, false])
    for (const each of works) each.end()
    await Promise.all(outcomes.slice(0, 4))
    expect(works.map(({ ran }) => ran)).toEqual([true, true, true, true, false])
  })

  test('gets a permit back when its hash fails, and only when it ends', async () => {
    const queue = new HashQueue({ concurrency: 1, maxWaiting: 1 })
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    const slow = work()
    const running = queue.run(slow.run)
    const next = work()
    const waiting = queue.run(next.run)
    await new Promise(setImmediate)
    expect(next.ran).toBe(false)
    slow.end()
    await running
    next.end()
    await waiting
    expect(next.ran).toBe(true)
  })
})
