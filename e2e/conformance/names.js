import { Refused } from './refused.js'

/** @typedef {import('../../apps/query-api/src/project/project.js').Project} Project */
/** @typedef {{ prefix: string, entities: Readonly<Record<string, readonly string[]>> }} Model which cubes have an entity */
/** @typedef {{ name: string, grain?: string | null, date_part?: string | null }} Group as a case asks for it */
/** @typedef {{ key: string, isTime: boolean, column: string }} NamedGroup our name, and the column of the answer */

const GRAINS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'alien_day']

/**
 * Names of the cases (`listing__user__home_state`) as names of our project, for one model.
 * @param {Pick<Project, 'cubes' | 'metrics'>} project
 * @param {Model} model
 * @param {readonly string[]} bases cubes that the asked metrics come from
 */
export function namesOf(project, { prefix, entities }, bases) {
  /**
   * @param {string} cube
   * @param {string} dimension
   */
  const has = (cube, dimension) => project.cubes[cube]?.dimensions[dimension] !== undefined

  /** @param {string} name */
  function metric(name) {
    if (!project.metrics[prefix + name]) throw new Refused(`there is no metric ${name}`)
    return prefix + name
  }

  /**
   * The part of a name before its grain, and the grain.
   * @param {string} name
   */
  function split(name) {
    const parts = name.split('__')
    const last = parts.at(-1) ?? ''
    const hasGrain = parts.length > 1 && GRAINS.includes(last)
    return hasGrain ? { parts: parts.slice(0, -1), grain: last } : { parts, grain: undefined }
  }

  /**
   * @param {Group} group
   * @returns {NamedGroup}
   */
  function groupBy({ name, grain: asked, date_part: part }) {
    const { parts, grain: written } = split(name.toLowerCase())
    const grain = asked?.toLowerCase() ?? written
    const plain = parts.join('__')
    const suffix = part ? `extract_${part.toLowerCase()}` : grain
    if (plain === 'metric_time') {
      return { key: dotted(plain, suffix), isTime: !part, column: underscored(plain, suffix) }
    }
    const full = parts.length === 1 ? entity(parts[0] ?? '') : dimension(parts)
    const member = project.cubes[cubeAtEnd(full)]?.dimensions[full.split('.').at(-1) ?? '']
    if (member?.type !== 'time') return { key: full, isTime: false, column: plain }
    const stored = suffix ?? member.granularities[0]
    return { key: dotted(full, stored), isTime: !part, column: underscored(plain, stored) }
  }

  /** @param {string} full */
  function cubeAtEnd(full) {
    const [start = '', ...rest] = full.split('.').slice(0, -1)
    return rest.reduce((cube, hop) => project.cubes[cube]?.joins[hop]?.cube ?? hop, start)
  }

  /** @param {string} name */
  function entity(name) {
    const [only, ...others] = bases
    if (only && others.length === 0 && has(only, name)) return `${only}.${name}`
    const cube = (entities[name] ?? bases).find((each) => has(each, name))
    if (!cube) throw new Refused(`there is no entity ${name}`)
    return `${cube}.${name}`
  }

  /** @param {readonly string[]} parts */
  function dimension(parts) {
    const name = parts.at(-1) ?? ''
    const path = parts.slice(0, -1)
    const own = path.at(-1) ?? ''
    if (path.length === 1) {
      const spelled = bridged(path, name)
      if (spelled) return spelled
      const cubes = entities[own] ?? []
      const [only = ''] = bases
      const isLocal = bases.length === 1 && cubes.includes(only) && has(only, name)
      const cube = isLocal ? only : cubes.find((each) => has(each, name))
      if (cube) return `${cube}.${name}`
      // `view__listing`: a key of the table that the prefix stands for.
      throw new Refused(`there is no dimension ${parts.join('__')}`)
    }
    return bridged(path, name) ?? overJoins(path, name)
  }

  /**
   * Each attribute behind the bridge has its own way over it.
   * @param {readonly string[]} path
   * @param {string} name
   */
  function bridged(path, name) {
    const txns = `${prefix}account_month_txns`
    if (bases[0] !== txns || path[0] !== 'account_id') return undefined
    if (has(txns, name) && path.length === 1) return `${txns}.${name}`
    if (path.length === 1) return `${txns}.${prefix}bridge_to_customer.${name}`
    const ways = /** @type {const} */ ([
      ['bridge_to_customer', 'customer_table'],
      ['bridge_to_other', 'customer_other_data'],
    ])
    const way = ways.find(([, cube]) => has(prefix + cube, name))
    return way && `${txns}.${way.map((each) => prefix + each).join('.')}.${name}`
  }

  /**
   * @param {readonly string[]} path
   * @param {string} name
   */
  function overJoins(path, name) {
    const [first = '', ...others] = path
    for (const start of entities[first] ?? []) {
      const targets = entities[others.at(-1) ?? ''] ?? []
      const target = targets.find((each) => has(each, name) && project.cubes[start]?.joins[each])
      if (target) return `${start}.${target}.${name}`
    }
    throw new Refused(`there is no dimension ${[...path, name].join('__')}`)
  }

  return { metric, groupBy, entity, dimension, split }
}

/**
 * @param {string} name
 * @param {string | undefined} suffix
 */
function dotted(name, suffix) {
  return suffix ? `${name}.${suffix}` : name
}

/**
 * @param {string} name
 * @param {string | undefined} suffix
 */
function underscored(name, suffix) {
  return suffix ? `${name}__${suffix}` : name
}
