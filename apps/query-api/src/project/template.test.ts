import { describe, expect, test } from '@jest/globals'
import { SqlProblem } from './sql-tree.js'
import { renderTemplate, type TemplateCall } from './template.js'

function render(template: string, isIncremental?: boolean): string {
  return renderTemplate(template, { isIncremental, call: shown }).text
}

function shown({ name, values, named }: TemplateCall): string {
  return JSON.stringify([name, values, Object.fromEntries(named)])
}

function problemOf(template: string, isIncremental?: boolean): string {
  try {
    return render(template, isIncremental)
  } catch (error) {
    if (error instanceof SqlProblem) return `${String(error.offset)} ${error.message}`
    throw error
  }
}

describe('a call', () => {
  test.each([
    ['{{ source(\'raw\', "orders") }}', '["source",["raw","orders"],{}]'],
    ["{{- ref( 'a' ) -}}", '["ref",["a"],{}]'],
    ['{{ this }}', '["this",null,{}]'],
    [
      "{{ config(tags=['a', 'b'], enabled=false, unique_key='id',) }}",
      '["config",[],{"tags":["a","b"],"enabled":false,"unique_key":"id"}]',
    ],
    ["{{ var('x', -1.5) }}", '["var",["x",-1.5],{}]'],
    ["{{ var('it\\'s', none) }}", '["var",["it\'s",null],{}]'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(expected)
  })
})

describe('what is chosen', () => {
  const template =
    'select 1{% if is_incremental() %} where {{ this }}{%- else -%} limit 1 {% endif %};'

  test('is the first branch when a model adds to what is there, else the second', () => {
    expect(render(template, true)).toBe('select 1 where ["this",null,{}];')
    expect(render(template, false)).toBe('select 1 limit 1 ;')
  })

  test('may be negated', () => {
    expect(render('{% if not is_incremental() %}a{% endif %}b', true)).toBe('b')
  })

  test('comments leave nothing', () => {
    expect(render('a{# {{ anything }} #}b')).toBe('ab')
  })
})

describe('is refused, with its place', () => {
  test.each([
    ['a loop', '{% for x in y %}', '0 {% for x in y %} is not supported'],
    ['a macro call', "{{ dbt_utils.star('a') }}", '12 cannot read ".star'],
    ['a filter', "{{ 'a' | upper }}", '7 cannot read'],
    ['arithmetic', '{{ 1 + 1 }}', '5 cannot read'],
    ['an expression for a value', '{{ ref(name) }}', '7 found "name", expected a value'],
    ['a nested list', "{{ config(a=[['b']]) }}", '13 found "[", expected a value'],
    ['another condition', "{% if target.name == 'dev' %}", '0 {% if target.name'],
    ['an unclosed condition', '{% if is_incremental() %} a', '27 {% if %} has no {% endif %}'],
    ['an end without a beginning', 'a {% endif %}', '2 {% endif %} is not supported'],
    ['an unclosed call', 'select {{ ref(', '7 {{ is never closed'],
    ['what follows a call', "{{ ref('a') ref('b') }}", '12 found "ref"'],
    ['a nested condition', '{% if is_incremental() %}{% if is_incremental() %}', '25 {% if'],
  ])('%s', (_, template, expected) => {
    expect(problemOf(template, false)).toContain(expected)
  })

  test('also in the branch that is not taken', () => {
    expect(problemOf('{% if is_incremental() %}{{ 1 + }}{% endif %}', false)).toContain(
      'cannot read',
    )
  })

  test('a condition where nothing can be incremental', () => {
    expect(problemOf(' {% if is_incremental() %}{% endif %}')).toBe(
      '1 is_incremental() is for models only',
    )
  })
})

describe('a position', () => {
  test('in the rendered text leads back to the template', () => {
    const template = "ab{{ ref('x') }}cd{% if is_incremental() %}ef{% endif %}gh"
    const { text, offsetOf } = renderTemplate(template, { isIncremental: false, call: () => 'XYZ' })
    expect(text).toBe('abXYZcdgh')
    const back = Array.from(text, (_, position) => offsetOf(position))
    expect(back.map((offset) => template[offset]).join('')).toBe('ab{{{cdgh')
    expect(offsetOf(text.length)).toBe(template.length)
  })
})
