/** @typedef {import('./service.js').Project} Project */
/** @typedef {import('./service.js').Service} Service */

const ORDER = /** @type {const} */ ([
  'second',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'quarter',
  'year',
])

/** @typedef {(typeof ORDER)[number]} Grain */

/** Where the metrics of a project come from, and how fine their time is. */
export class Axis {
  /**
   * @param {Service} service
   * @param {Project} project
   */
  constructor({ metrics, dimensions }, project) {
    /** @private */
    this.metrics = metrics
    /** @private */
    this.dimensions = dimensions
    /** @private */
    this.project = project
  }

  /**
   * The cubes that metrics come from.
   * @param {readonly string[]} names
   */
  bases(names) {
    return [...new Set(names.flatMap((name) => this.inputsOf(name)).map(({ cube }) => cube))]
  }

  /**
   * What plain `metric_time` is for metrics.
   * @param {readonly string[]} names
   */
  defaultGrain(names) {
    return coarsest(
      names.flatMap((name) => {
        const own = this.metrics.findMetric(this.project, name, true)?.defaultGrain
        return own ? [own] : this.inputsOf(name).map(({ grain }) => grain)
      }),
    )
  }

  /**
   * The coarsest that their times are stored at.
   * @param {readonly string[]} names
   */
  storedGrain(names) {
    return coarsest(names.flatMap((name) => this.inputsOf(name)).map(({ grain }) => grain))
  }

  /**
   * @private
   * @param {string} name
   * @returns {{ cube: string, grain: Grain }[]}
   */
  inputsOf(name) {
    const { findMetric, inputsOf, anchorOf } = this.metrics
    const metric = findMetric(this.project, name, true)
    return inputsOf(metric?.value ?? { parts: [] }).flatMap((input) => {
      const place = this.dimensions.placeOf(this.project.cubes, anchorOf(input))
      return place ? [{ cube: place.cube.name, grain: this.dimensions.storedGrain(place) }] : []
    })
  }
}

/**
 * @param {readonly Grain[]} grains
 * @returns {Grain}
 */
function coarsest(grains) {
  return ORDER.findLast((each) => grains.includes(each)) ?? 'day'
}

/**
 * The granularity of this name; of one of a calendar the day that it is made of.
 * @param {string} name
 * @returns {Grain}
 */
export function grainNamed(name) {
  return ORDER.find((each) => each === name) ?? 'day'
}

/**
 * @param {readonly Grain[]} grains
 * @returns {Grain | undefined}
 */
export function finest(grains) {
  return ORDER.find((each) => grains.includes(each))
}
