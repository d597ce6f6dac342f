import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { parseQuestion } from '../../src/http/query.schemas.js'
import { planQuestion } from '../../src/query/plan-question.js'
import { runQuery } from '../../src/query/run-query.js'
import { toJsonRows } from '../../src/results/json-rows.js'
import { startSuperstore, type Superstore } from '../superstore.js'

/**
 * One folder per case: who asks what, the statement that it becomes, and the rows that it gives on the example data.
 * `OLYTIX_TEST__WRITE_GOLDEN=true npm test` writes the last two anew: read the difference before it is committed.
 */
const FOLDER = path.resolve('test/golden')
const CASES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

let superstore: Superstore
beforeAll(async () => {
  superstore = await startSuperstore()
})
afterAll(() => superstore.stop())

describe('the same question of the same principal is the same statement and gives the same rows', () => {
  test.each(CASES)('%s', async (name) => {
    const { project, warehouse } = superstore
    const question = parseQuestion(JSON.parse(read(name, 'query.json')))
    const principal = aPrincipal(JSON.parse(read(name, 'principal.json')) as Partial<Principal>)
    const { text, values } = planQuestion(project, principal, question).statement
    const statement = `${text}\n-- ${JSON.stringify(values)}\n`
    const { plan, rows } = await runQuery(project, warehouse, principal, question)
    const data = toJsonRows(rows, [...plan.dimensions, ...plan.metrics]).replaceAll('},{', '},\n {')

    if (process.env['OLYTIX_TEST__WRITE_GOLDEN'] === 'true') {
      writeFileSync(path.join(FOLDER, name, 'expected.sql'), statement)
      writeFileSync(path.join(FOLDER, name, 'expected.json'), `${data}\n`)
    }
    expect(statement).toBe(read(name, 'expected.sql'))
    expect(JSON.parse(data)).toEqual(JSON.parse(read(name, 'expected.json')))
  })
})

function read(name: string, file: string): string {
  return readFileSync(path.join(FOLDER, name, file), 'utf8')
}
