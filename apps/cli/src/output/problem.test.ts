import { describe, expect, test } from '@jest/globals'
import { renderProblem } from './problem.js'

const detail = { path: 'metrics[0]', message: 'there is no metric revenu', suggestion: 'revenue' }

describe('a problem', () => {
  test('with one detail that its message tells already is said once', () => {
    const problem = {
      code: 'INVALID_QUERY',
      message: `metrics[0]: ${detail.message}`,
      details: [detail],
    }
    expect(renderProblem(problem, false)).toBe(
      'error: metrics[0]: there is no metric revenu\n  did you mean revenue?\n',
    )
  })

  test('with several details lists each with its place', () => {
    const details = [
      detail,
      { path: 'cubes/orders.yml', line: 3, column: 7, message: 'expected a name' },
    ]
    expect(
      renderProblem({ code: 'INVALID_PROJECT', message: 'Two problems', details }, false),
    ).toBe(
      'error: Two problems\n  metrics[0]: there is no metric revenu; did you mean revenue?\n  cubes/orders.yml:3:7: expected a name\n',
    )
  })

  test('under --json has the shape of the API', () => {
    expect(
      JSON.parse(renderProblem({ code: 'UNREACHABLE', message: 'no', hint: 'x' }, true)),
    ).toEqual({
      error: { code: 'UNREACHABLE', message: 'no' },
    })
  })
})
