import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { naiveAnswer } from './questions/naive-answer.js'
import { randomQuestion } from './questions/random-question.js'
import { randomShop } from './questions/random-shop.js'
import { outcome, rounded, type ShopProject, startShopProject } from './questions/shop-project.js'

/** Questions that are tried; `.ci/run` asks many more. All night: OLYTIX_TEST__PROPERTY_RUNS=5000 and this file alone. */
const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 40)

const LONGEST_MS = 900_000

let shops: ShopProject
beforeAll(async () => {
  shops = await startShopProject()
})
afterAll(() => shops.stop())

test(
  'every question gets the answer that row-by-row evaluation gives',
  async () => {
    await fc.assert(
      fc.asyncProperty(randomShop, randomQuestion, async (shop, question) => {
        await shops.fill(shop)
        const actual = await outcome(() => shops.ask(question))
        const expected = await outcome(() => naiveAnswer(shop, question))
        expect(rounded(actual)).toEqual(rounded(expected))
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: LONGEST_MS, markInterruptAsFailure: true },
    )
  },
  LONGEST_MS + 10_000,
)
