import { describe, expect, test } from '@jest/globals'
import { parsePolicyFilter, type PolicyCondition } from './policy-language.js'
import { PolicyProblem } from './policy-tokens.js'
import type { DimensionType } from './project.js'

const DIMENSIONS = new Map<string, DimensionType>([
  ['region', 'string'],
  ['amount', 'number'],
  ['is_open', 'boolean'],
  ['made_at', 'time'],
])

const parse = (text: string): PolicyCondition =>
  parsePolicyFilter(text, {
    find: (name) => {
      const dimension = name.replace(/^orders\./, '')
      const type = DIMENSIONS.get(dimension)
      return type ? { dimension, through: [], type } : `"${name}" is no dimension of orders`
    },
    names: () => DIMENSIONS.keys(),
  })

/** With parentheses around everything, to see what binds to what. */
function shown(condition: PolicyCondition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return `(${condition.conditions.map(shown).join(` ${condition.kind} `)})`
    case 'not':
      return `not ${shown(condition.condition)}`
    case 'compare':
      return `${condition.dimension}${condition.operator}${JSON.stringify(condition.operand)}`
    case 'between':
      return `${condition.dimension}[${JSON.stringify(condition.low)},${JSON.stringify(condition.high)}]`
    case 'in':
      return `${condition.dimension}:${JSON.stringify(condition.list)}`
    case 'isNull':
      return `${condition.dimension}${condition.isNegated ? '!' : '?'}`
  }
}

describe('the filter language of policies', () => {
  test.each([
    ['region = $user.region', 'region={"user":"region"}'],
    ['orders.region = $user.region', 'region={"user":"region"}'],
    ["region <> 'it''s'", `region<>{"literal":"it's"}`],
    ['region != $user.email', 'region<>{"user":"email"}'],
    ['amount >= -1.5', 'amount>={"literal":-1.5}'],
    ['is_open = TRUE', 'is_open={"literal":true}'],
    ["made_at < '2016-01-01'", 'made_at<{"literal":"2016-01-01"}'],
    ['region in $user.regions', 'region:{"user":"regions"}'],
    ["region in ('a', 'b')", 'region:["a","b"]'],
    ["region not in ('a')", 'not region:["a"]'],
    ['amount between 1 and $user.limit', 'amount[{"literal":1},{"user":"limit"}]'],
    ['region is null or region is not null', '(region? or region!)'],
    [
      'is_open = true or amount > 1 and not region is null',
      '(is_open={"literal":true} or (amount>{"literal":1} and not region?))',
    ],
    [
      '(is_open = true or amount > 1) and amount < 9',
      '((is_open={"literal":true} or amount>{"literal":1}) and amount<{"literal":9})',
    ],
  ])('%s', (text, expected) => {
    expect(shown(parse(text))).toBe(expected)
  })

  test.each([
    ['', 'expected a dimension, found the end', 0],
    ['region', 'expected = <> < <= > >= in between is, found the end', 6],
    ['regoin = $user.region', '"regoin" is no dimension of orders', 0],
    ['customers.region = 1', '"customers.region" is no dimension of orders', 0],
    ['region = region', `expected a text in '…' or $user.<attribute>, found "region"`, 9],
    ['region = 5', `expected a text in '…' or $user.<attribute>, found "5"`, 9],
    ["amount = '5'", 'expected a number or $user.<attribute>, found "5"', 9],
    ['is_open = 1', 'expected true or false or $user.<attribute>, found "1"', 10],
    ['region = $user.Region', 'expected an attribute in lower case, found "$user.Region"', 9],
    ['region = $usr.region', 'unexpected "$"', 9],
    ['region = $user.region; drop table x', 'unexpected ";"', 21],
    ['region = $user.region -- x', 'unexpected "-"', 22],
    ['region = $user.a $user.b', 'expected and, or, or the end of the filter, found "$user.b"', 17],
    ['(region is null', 'expected ), found the end', 15],
    ['region in $user.a and', 'expected a dimension, found the end', 21],
    ['region in ()', `expected a text in '…' or $user.<attribute>, found ")"`, 11],
    ['region not = $user.a', 'expected = <> < <= > >= in between is, found "="', 11],
    ["region = 'open", `unexpected "'"`, 9],
    [
      `${'('.repeat(500)}region is null${')'.repeat(500)}`,
      'expected a filter that is not nested so deeply, found "("',
      100,
    ],
  ])('%s is refused', (text, message, offset) => {
    let problem: unknown
    try {
      parse(text)
    } catch (error) {
      problem = error
    }
    expect(problem).toBeInstanceOf(PolicyProblem)
    expect(problem).toMatchObject({ message, offset })
  })
})
